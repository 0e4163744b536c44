"""What the scheduler is told and what it answers: people's lanes and accounts, backends, turns. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.webui.catalog import Catalog
from core.webui.needs import Need


class Reason(StrEnum):
    """Why it was this picture's turn."""

    FAIR = "fair"
    """Nobody who could have used this webui had been given less."""
    LOADED = "loaded"
    """Its checkpoint is the one that this webui has loaded, and its owner is within their share."""
    WANTED = "wanted"
    """Another checkpoint had to be loaded, and this is the one that serves longest."""
    PATIENCE = "patience"
    """It had been passed over for long enough."""
    ALONE = "alone"
    """Nobody else waits for anything that this webui can draw."""


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job of which pictures wait; kept in memory, so it is small. None: nobody chose one.

    `rank` is its owner's own order (seconds, `cost.rank_of`), `work` that of one picture (megapixel-steps,
    `cost.work`), `pictures` how many of them still wait. `needs` is what else a webui has to have or be able to do.
    `avoid` are keys of backends that failed at it: it is
    given there only where no other takes it.
    """

    job_id: str
    owner_id: str
    guild_id: str | None
    created_at: float
    rank: float
    work: float
    pictures: int
    weight: float = 1.0
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    needs: tuple[Need, ...] = ()
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """What one person was given, and which of their jobs was passed over since when. It outlives their jobs.

    `given` is in virtual seconds: a picture's estimated seconds divided by its weight.
    """

    given: float = 0.0
    head: str | None = None
    passed_since: float | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """One person's waiting jobs, in the order of (rank, job_id)."""

    owner_id: str
    jobs: Sequence[WaitingJob]
    account: Account = Account()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Everybody who waits. `clock` is what the last decision said: whoever comes or comes back starts from there."""

    lanes: Sequence[Lane]
    clock: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendFacts:
    """What the scheduler has to know of a backend. `catalog` is what it offered when it last answered, if ever.

    `accepts` is false for one that is paused, drained, or left alone after failures. `speed` is in seconds for a
    megapixel-step and `load_seconds` in seconds, both as learned; `default_checkpoint` is what a job that names none
    is drawn with.
    """

    key: str
    up: bool
    idle: bool
    catalog: Catalog | None
    accepts: bool = True
    speed: float | None = None
    load_seconds: float | None = None
    default_checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One picture of this job goes to that backend; `charged` are the virtual seconds on its owner's account."""

    job_id: str
    owner_id: str
    backend: str
    reason: Reason
    charged: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What goes where, the accounts that changed by it, and the clock to ask with next time."""

    assignments: tuple[Assignment, ...]
    accounts: Mapping[str, Account]
    clock: float
