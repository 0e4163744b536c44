"""What a job is: its states, its facts and the results of its steps. Data only; frozen, JSON in and out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.images.store import Kept
from core.request import GenerationRequest


class JobState(StrEnum):
    """queued → running → drawn → done; failed and cancelled are the other two ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DRAWN = "drawn"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a job's pictures are and what the webui really used; None where it did not say."""

    pictures: tuple[Kept, ...]
    seeds: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    seconds: float = 0.0
    """From the payload's sending to the end of the webui's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is known when somebody asks; `id` is Discord's interaction id, so asking twice is one job."""

    id: str
    owner_id: str
    guild_id: str | None
    request: GenerationRequest
    notes: tuple[str, ...]
    reply: str
    """Where the answer goes: JSON that core keeps and never reads."""
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row. Times are unix seconds; `attempt` counts from 1 once a backend was given the job."""

    id: str
    state: JobState
    owner_id: str
    guild_id: str | None
    request: GenerationRequest
    notes: tuple[str, ...]
    reply: str
    attempt: int
    breaks: int
    backend: str | None
    task_id: str | None
    drawing: Drawing | None
    sentence: str | None
    message_id: str | None
    created_at: float
    started_at: float | None


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How far a running job is: `fraction` 0..1 of it all, `step` of `steps` of picture `picture` of `pictures`.

    A `fraction` of None: the webui is at work and can't say how far it is.
    """

    fraction: float | None
    step: int | None = None
    steps: int | None = None
    picture: int | None = None
    pictures: int | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where an answer ended up: `where` is reply, channel, dm or kept; the first message's id, if there is one."""

    where: str
    message_id: str | None


class Delivery(Protocol):
    """What core needs from the outside to show a job to its owner. Every method may be called twice."""

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        """Say how far the job is. Best effort: never raises for what Discord answers."""

    async def show_waiting(self, job: Job, sentence: str) -> None:
        """Say that the job is back in the queue, and why. Best effort."""

    async def deliver(self, job: Job, drawing: Drawing, *, perhaps_done: bool) -> Delivered:
        """Show the pictures, exactly once. `perhaps_done`: an earlier process may have done it; look first."""

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Tell the owner why there is no picture."""
