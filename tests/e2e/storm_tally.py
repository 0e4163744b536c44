"""What a storm is made of, and what came of it. Data only."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from core.jobs.points import POINTS

JOBS = 2000
KILLS = 200
DEATHS = 100
STOPS = 20
FREEZES = 20
MOST_EXPLAINED = 0.05
"""The share of jobs that may end with a sentence in place of pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many of everything: SIGKILLs of processes, deaths of webuis with what they draw, stops of the database,
    processes that stand still. `points`: a SIGKILL at every named point, too. `machines`: over several, on PostgreSQL.
    """

    seed: int
    machines: bool = False
    jobs: int = JOBS
    kills: int = KILLS
    deaths: int = DEATHS
    stops: int = STOPS
    freezes: int = FREEZES
    points: bool = True

    def troubles(self, rng: random.Random) -> list[str]:
        """What happens, in its order: "kill", "death", "stop", "freeze", or the name of a point."""
        every = ["kill"] * self.kills + ["death"] * self.deaths + ["stop"] * self.stops + ["freeze"] * self.freezes
        every += POINTS if self.points else ()
        rng.shuffle(every)
        return every

    def __str__(self) -> str:
        words = f"--jobs {self.jobs} --kills {self.kills} --deaths {self.deaths}"
        words += f" --stops {self.stops} --freezes {self.freezes}"
        where, points = "--machines " if self.machines else "", "" if self.points else " --no-points"
        return f"{where}{words}{points} --seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of it. `lost` and `repeated` name each picture that did not arrive exactly once; `explained` are jobs
    that ended with a sentence, `missed` points that nothing came to, `ended` statuses of processes that nobody had
    killed, `complaints` errors logged.
    """

    plan: Plan
    troubles: dict[str, int]
    asked: int
    answered: int
    jobs: int
    cancelled: int
    pictures: int
    renders: int
    explained: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """A webui that dies under the same job three times ends it: that must stay rare."""
        if len(self.explained) > self.jobs * MOST_EXPLAINED:
            return False
        return not (self.lost or self.repeated or self.missed or self.ended or self.complaints)

    def __str__(self) -> str:
        return (
            f"{self.plan}: {self.troubles}, {self.asked} commands sent, {self.answered} answered, {self.jobs} jobs, "
            f"{self.cancelled} cancelled, "
            f"{self.pictures} pictures, {self.renders} renders, {len(self.explained)} ended with a sentence "
            f"{self.explained}, {len(self.lost)} lost {self.lost}, {len(self.repeated)} repeated {self.repeated}, "
            f"never at {self.missed}, ended by themselves {self.ended}, complaints {self.complaints}"
        )
