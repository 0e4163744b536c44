"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from core.jobs.model import JobState
from core.metrics import Metrics
from core.webui.view import BackendView, Health


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample but those that say when something was made."""
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_jobs_are_counted_by_how_they_ended() -> None:
    metrics = Metrics()
    metrics.submitted.inc()
    metrics.ended.labels(JobState.DONE).inc()
    metrics.ended.labels(JobState.FAILED).inc(2)
    metrics.requeued.labels("NotReady").inc()
    found = samples(metrics)
    assert found["easel_jobs_submitted_total"] == 1
    assert found["easel_jobs_ended_total[done]"] == 1
    assert found["easel_jobs_ended_total[failed]"] == 2
    assert found["easel_jobs_requeued_total[NotReady]"] == 1


def test_webuis_are_counted_as_they_are_now() -> None:
    def view(health: Health, job_id: str | None) -> BackendView:
        return BackendView("key", "webui 1", health, job_id is None, None, job_id)

    metrics = Metrics()
    metrics.observe_backends([view(Health.UP, "7"), view(Health.UP, None), view(Health.DOWN, None)])
    assert (samples(metrics)["easel_webuis_up"], samples(metrics)["easel_webuis_busy"]) == (2, 1)
    metrics.observe_backends(iter([view(Health.NO_API, None)]))
    assert (samples(metrics)["easel_webuis_up"], samples(metrics)["easel_webuis_busy"]) == (0, 0)


def test_seconds_are_sorted_into_buckets() -> None:
    metrics = Metrics()
    metrics.render_seconds.observe(3)
    metrics.delivery_seconds.observe(0.2)
    found = samples(metrics)
    assert found["easel_render_seconds_bucket[2.0]"] == 0
    assert found["easel_render_seconds_bucket[5.0]"] == 1
    assert found["easel_delivery_seconds_count"] == 1


def test_how_far_off_an_estimate_was_is_counted_either_way_and_lateness_apart() -> None:
    metrics = Metrics()
    metrics.observe_estimate(100.0, 103.0)
    metrics.observe_estimate(100.0, 97.0)
    metrics.observe_estimate(100.0, 100.0)
    found = samples(metrics)
    assert (found["easel_estimate_error_seconds_sum"], found["easel_estimate_error_seconds_count"]) == (6, 3)
    assert found["easel_estimate_error_seconds_bucket[2.0]"] == 1
    assert found["easel_estimate_late_jobs_total"] == 1


def test_two_bots_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.submitted.inc()
    assert samples(other)["easel_jobs_submitted_total"] == 0
