"""What a job is: its states, its facts and the results of its steps. Data only; frozen, JSON in and out."""

from __future__ import annotations

from collections.abc import Collection
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
    """What a job's pictures are and what the webui really used; None where it did not say.

    `numbers` says which of the job's pictures these are, from 0; where it is empty they are the first ones, in order.
    """

    pictures: tuple[Kept, ...]
    seeds: tuple[int, ...]
    numbers: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    seconds: float = 0.0
    """From the payload's sending to the end of the webui's answer."""

    def numbered(self) -> list[tuple[int, Kept]]:
        """The pictures with their numbers, in the order of those."""
        numbers = self.numbers or range(len(self.pictures))
        return sorted(zip(numbers, self.pictures, strict=True), key=lambda pair: pair[0])

    def ordered_seeds(self) -> list[int]:
        """The seeds that are known, in the order of their pictures' numbers."""
        numbers = self.numbers or range(len(self.seeds))
        return [seed for _, seed in sorted(zip(numbers, self.seeds, strict=False), key=lambda pair: pair[0])]


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
    delivered_to: str | None = None
    """Where its pictures are shown so far: reply, channel or dm, and `message_id` is that message; at the end also
    kept. None while they are shown nowhere."""


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
    """Where an answer ended up: `where` is reply, channel, dm or kept; the message's id, if there is one."""

    where: str
    message_id: str | None


class Delivery(Protocol):
    """What core needs from the outside to show a job to its owner. Every method may be called twice."""

    async def show_queued(self, job: Job, place: int, starts_at: float | None, obstacle: str | None) -> bool:
        """Say where a waiting job stands and when it may begin (unix seconds), or what is in its way.

        Best effort, never raises for what Discord answers; whether Discord took it.
        """

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        """Say how far the job is. Best effort: never raises for what Discord answers; shown pictures stay."""

    async def show_waiting(self, job: Job, sentence: str) -> None:
        """Say that the job is back in the queue, and why. Best effort; shown pictures stay."""

    async def deliver(
        self, job: Job, drawing: Drawing, *, fresh: Collection[int], final: bool, perhaps_done: bool
    ) -> Delivered:
        """Show pictures, each exactly once, beside those that are shown already.

        `drawing` is all that is drawn so far; `fresh` are the numbers of those whose files are on this machine and
        that nobody is known to have shown. `final`: no more will come. `perhaps_done`: an earlier process may have
        sent some of them; look first.
        """

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Tell the owner why there is no picture, or no further one: those that are shown stay."""
