"""What a job is: its states, its pictures, and the results of its steps. Data only; frozen, JSON in and out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
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
UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.DRAWN)
IN_THE_QUEUE = (JobState.QUEUED, JobState.RUNNING)
BEGUN = (JobState.RUNNING, JobState.DRAWN)


class PartState(StrEnum):
    """One picture of a job: waiting → running → drawn → shown; failed is the other end."""

    WAITING = "waiting"
    RUNNING = "running"
    DRAWN = "drawn"
    SHOWN = "shown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What pictures of a job are and what the webui really used; None where it did not say."""

    pictures: tuple[Kept, ...]
    seeds: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    upscaler: str | None = None
    caption: str | None = None
    """The words of a description, which has no picture."""
    seconds: float = 0.0
    """From the payload's sending to the end of the webui's answer; of several pictures, all of them added up."""
    numbers: tuple[int, ...] = ()
    """Which pictures of the job these are, from 0; empty: the first ones."""
    maps: tuple[Kept, ...] = ()
    """What preprocessors made of control images, where that was asked for; shown behind the pictures."""

    def numbered(self) -> list[tuple[int, Kept]]:
        """The pictures with their numbers, in the order of those."""
        numbers = self.numbers or range(len(self.pictures))
        return sorted(zip(numbers, self.pictures, strict=True), key=lambda pair: pair[0])

    def shown(self, asked: int) -> list[tuple[int, Kept]]:
        """All that people see of a job of `asked` pictures: these, and the maps with the numbers behind the last."""
        return [*self.numbered(), *enumerate(self.maps, asked)]

    def ordered_seeds(self) -> list[int]:
        """The seeds that are known, in the order of their pictures' numbers."""
        numbers = self.numbers or range(len(self.seeds))
        return [seed for _, seed in sorted(zip(numbers, self.seeds, strict=False), key=lambda pair: pair[0])]


def join(drawings: Iterable[Drawing]) -> Drawing | None:
    """Several pictures' drawings as one, in the order of their numbers; None where there are none.

    The facts are those of the first; what was said of several is said once.
    """
    every = sorted(drawings, key=lambda drawing: drawing.numbers)
    if not every:
        return None
    return replace(
        every[0],
        pictures=tuple(kept for drawing in every for kept in drawing.pictures),
        seeds=tuple(seed for drawing in every for seed in drawing.seeds),
        numbers=tuple(number for drawing in every for number, _ in drawing.numbered()),
        maps=tuple(kept for drawing in every for kept in drawing.maps),
        warnings=tuple(dict.fromkeys(warning for drawing in every for warning in drawing.warnings)),
        seconds=sum(drawing.seconds for drawing in every),
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """What a job was made from: a picture of another job (its number from 0; None: all of it), and by which verb."""

    job_id: str
    number: int | None
    verb: str


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
    weight: float = 1.0
    """The owner's share, where 1 is everybody's."""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row. Times are unix seconds; `expected_at` is when its owner was told that it would begin.

    `sentence` is there once the job gets no (further) picture: why, as its owner is told. `avoid` are keys of webuis
    that failed at it. `delivered_to` is where its pictures are shown so far, at the end also "kept".
    """

    id: str
    state: JobState
    owner_id: str
    guild_id: str | None
    request: GenerationRequest
    notes: tuple[str, ...]
    reply: str
    weight: float
    avoid: frozenset[str]
    sentence: str | None
    message_id: str | None
    delivered_to: str | None = None
    created_at: float
    expected_at: float | None
    started_at: float | None
    finished_at: float | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What somebody is told at once: what was understood, the place in the queue, what stands in the way.

    `starts_at` is when the job is expected to begin, unix seconds; None where nobody can say.
    """

    job_id: str
    request: GenerationRequest
    notes: tuple[str, ...]
    place: int
    obstacle: str | None
    starts_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One picture of a job that was given out at least once; `attempt` counts how often."""

    job_id: str
    number: int
    state: PartState
    worker: str
    backend: str
    attempt: int
    breaks: int
    task_id: str | None
    drawing: Drawing | None


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How far a running job is: `fraction` 0..1 of it all, `step` of `steps` of picture `picture` of `pictures`.

    A `fraction` of None: the webui is at work and can't say how far it is. `preview` is the half-done picture, a small
    JPEG, where there is a new one; without it a glimpse says the same.
    """

    fraction: float | None
    step: int | None = None
    steps: int | None = None
    picture: int | None = None
    pictures: int | None = None
    preview: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where an answer ended up: `where` is reply, channel, dm or kept; the message's id, if there is one."""

    where: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Showing:
    """What of a job is to be shown now.

    `drawing` is all that is drawn so far (None where nothing is); `fresh` are the numbers whose files are here and that
    nobody is known to have shown; `final`: no more will come. `retried`: one of them was given out before.
    """

    drawing: Drawing | None
    fresh: frozenset[int]
    final: bool
    retried: bool


def plan_showing(job: Job, parts: Sequence[Part], worker: str) -> Showing | None:
    """What `worker` has to show of this job now; None where there is nothing for it to do.

    A picture that another worker drew and has not shown is left to that one; so is the end, which comes after it.
    """
    if job.state in ENDED:
        return None
    drawn = [part for part in parts if part.drawing is not None]
    waiting = [part for part in drawn if part.state is PartState.DRAWN]
    mine = [part for part in waiting if part.worker == worker]
    final = is_settled(job, parts) and len(mine) == len(waiting)
    if not mine and not final:
        return None
    drawing = join(part.drawing for part in drawn if part.drawing is not None)
    if drawing is not None and job.sentence is not None:
        drawing = replace(drawing, warnings=tuple(dict.fromkeys((*drawing.warnings, job.sentence))))
    return Showing(
        drawing=drawing,
        fresh=frozenset(part.number for part in mine),
        final=final,
        retried=any(part.attempt > 1 for part in parts),
    )


def is_settled(job: Job, parts: Collection[Part]) -> bool:
    """Whether no (further) picture of this job will be drawn."""
    if any(part.state is PartState.RUNNING for part in parts):
        return False
    at_an_end = sum(part.state is not PartState.WAITING for part in parts)
    return job.sentence is not None or at_an_end >= job.request.pictures


class Delivery(Protocol):
    """What core needs from the outside to show a job to its owner. Every method may be called twice."""

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        """Say how far the job is. Best effort: never raises for what Discord answers."""

    async def show_waiting(self, job: Job, sentence: str) -> None:
        """Say that the job is back in the queue, and why. Best effort."""

    async def show_queued(self, job: Job, place: int, starts_at: float | None, obstacle: str | None) -> bool:
        """Say anew where a waiting job stands, or what is in its way. Best effort; whether it was taken."""

    async def show_cancelled(self, job: Job) -> None:
        """Say that its owner cancelled it; pictures that are shown stay. Best effort."""

    async def deliver(
        self, job: Job, drawing: Drawing, *, fresh: Collection[int], final: bool, perhaps_done: bool
    ) -> Delivered | None:
        """Show the pictures whose numbers are `fresh` beside those that are there already, each exactly once.

        `drawing` is all that is drawn so far. `perhaps_done`: an earlier process may have done it; look first. None,
        and nothing is shown, where the rows have changed meanwhile: the job has ended, or another worker has these.
        """

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Tell the owner why there is no picture."""
