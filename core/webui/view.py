"""How one webui is at one moment, as the rest of the bot sees it. Data only; frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from core.webui.breaker import Circuit
from core.webui.catalog import Catalog


class Health(Enum):
    """What the last contact with a webui said."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"
    UNAUTHORISED = "unauthorised"
    NO_API = "no api"


class Mode(StrEnum):
    """What an admin wants of a webui. The values are kept in the database.

    Paused and draining alike finish the present job and get no other; they differ in what the admin is about to do.
    """

    OPEN = "open"
    PAUSED = "paused"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class BackendView:
    """One webui at one moment. `catalog` is the last one that was read, also while the webui is down.

    `job_id` is whoever has it: an opaque name that reserve() was given; `since` (unix seconds) and `work`
    (megapixel-steps, 0 if not said) are of that holder. None in the others is what is not known (yet).
    """

    key: str
    name: str
    health: Health
    idle: bool
    catalog: Catalog | None
    job_id: str | None
    circuit: Circuit = Circuit.CLOSED
    mode: Mode = Mode.OPEN
    speed: float | None = None
    """Seconds for each megapixel-step, as its jobs have taught."""
    load_seconds: float | None = None
    """Seconds that a change of the checkpoint adds."""
    default_checkpoint: str | None = None
    """What its options name: drawn with where a request names none."""
    since: float | None = None
    work: float = 0.0
    closing: bool = False
    """Its process is about to end."""
    switching: bool = False
    """An admin changes its model: it gets no other job until that is done."""

    @property
    def accepts(self) -> bool:
        """Whether jobs may be given to it, once it is idle."""
        is_well = self.health is Health.UP and self.circuit is not Circuit.OPEN
        return is_well and self.mode is Mode.OPEN and not (self.closing or self.switching)
