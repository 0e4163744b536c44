"""What Prometheus may ask: counters and gauges of jobs and webuis. It knows names and units, nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from core.webui.view import BackendView, Health


class Metrics:
    """One registry of its own, so that two bots in one process (as in tests) don't share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.submitted = Counter("easel_jobs_submitted", "Jobs whose row was written.", registry=self.registry)
        self.ended = Counter("easel_jobs_ended", "Jobs at an end, by state.", ["state"], registry=self.registry)
        self.requeued = Counter(
            "easel_jobs_requeued",
            "Attempts that went back into the queue, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.waiting = Gauge("easel_jobs_waiting", "Jobs in the queue.", registry=self.registry)
        self.backends_up = Gauge("easel_webuis_up", "Webuis that answer.", registry=self.registry)
        self.backends_accepting = Gauge(
            "easel_webuis_accepting",
            "Webuis that get pictures: up, not paused, circuit not open.",
            registry=self.registry,
        )
        self.backends_busy = Gauge("easel_webuis_busy", "Webuis at work on one of our jobs.", registry=self.registry)
        self.render_seconds = Histogram(
            "easel_render_seconds",
            "From the payload's sending to the end of the answer.",
            buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640),
            registry=self.registry,
        )
        self.estimate_error_seconds = Histogram(
            "easel_estimate_error_seconds",
            "How far the start that a person was told was from the real one, either way.",
            buckets=(1, 2, 5, 10, 20, 40, 80, 160, 320, 640),
            registry=self.registry,
        )
        self.estimate_late = Counter(
            "easel_estimate_late_jobs", "Jobs that began later than their owner was told.", registry=self.registry
        )
        self.delivery_seconds = Histogram(
            "easel_delivery_seconds", "From the pictures on disk to Discord's answer.", registry=self.registry
        )

    def observe_estimate(self, expected_at: float, started_at: float) -> None:
        """A job began, and its owner had been told when it would; both in unix seconds."""
        self.estimate_error_seconds.observe(abs(started_at - expected_at))
        if started_at > expected_at:
            self.estimate_late.inc()

    def observe_backends(self, views: Iterable[BackendView]) -> None:
        """Count the webuis as they are now."""
        listed = list(views)
        self.backends_up.set(sum(view.health is Health.UP for view in listed))
        self.backends_accepting.set(sum(view.accepts for view in listed))
        self.backends_busy.set(sum(view.job_id is not None for view in listed))

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
