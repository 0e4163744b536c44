"""Which pictures have to go from a disk: too old, or too many bytes together. Pure; it deletes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

YOUNG_SECONDS = 3600.0
"""What was made in the last hour may be on its way to somebody."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file of the store: its name, its bytes, and when it was made, in unix seconds."""

    name: str
    size: int
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLimits:
    """How old a picture may get, in seconds, and how many bytes all may have together; None: no limit."""

    age: float | None = None
    size: int | None = None


def plan_trim(
    files: Iterable[OnDisk],
    dear: Collection[str],
    limits: DiskLimits,
    now: float,
    *,
    undelivered: Collection[str] = (),
) -> list[str]:
    """The names to delete, in this order: what is too old, then the oldest until the rest fits.

    `dear` are favourites: no age is too old for them, and they go last for want of room. What is `undelivered` is
    nowhere else, and stays.
    """
    oldest_first = sorted(files, key=lambda file: (file.made_at, file.name))
    old_enough = [file for file in oldest_first if file.made_at < now - YOUNG_SECONDS and file.name not in undelivered]
    gone = [
        file
        for file in old_enough
        if limits.age is not None and file.made_at < now - limits.age and file.name not in dear
    ]
    if limits.size is None:
        return [file.name for file in gone]
    excess = sum(file.size for file in oldest_first) - sum(file.size for file in gone) - limits.size
    names = {file.name for file in gone}
    left = [file for file in old_enough if file.name not in names]
    for file in sorted(left, key=lambda file: file.name in dear):
        if excess <= 0:
            break
        gone.append(file)
        excess -= file.size
    return [file.name for file in gone]
