"""Which pictures go from a disk, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.images.trimming import YOUNG_SECONDS, DiskLimits, OnDisk, plan_trim

NOW = 1_000_000.0
HOUR = 3600.0
FILES = [
    OnDisk("oldest", 100, NOW - 50 * HOUR),
    OnDisk("old", 100, NOW - 30 * HOUR),
    OnDisk("dear", 100, NOW - 40 * HOUR),
    OnDisk("recent", 100, NOW - 2 * HOUR),
    OnDisk("young", 100, NOW - 60),
]


def test_without_limits_everything_stays() -> None:
    assert plan_trim(FILES, (), DiskLimits(), NOW) == []


def test_what_is_too_old_goes_and_favourites_stay() -> None:
    assert plan_trim(FILES, {"dear"}, DiskLimits(age=24 * HOUR), NOW) == ["oldest", "old"]


def test_for_want_of_room_the_oldest_go_and_favourites_last() -> None:
    assert plan_trim(FILES, {"dear"}, DiskLimits(size=350), NOW) == ["oldest", "old"]
    assert plan_trim(FILES, {"dear"}, DiskLimits(size=200), NOW) == ["oldest", "old", "recent"]
    assert plan_trim(FILES, {"dear"}, DiskLimits(size=0), NOW) == ["oldest", "old", "recent", "dear"]


def test_what_nobody_was_shown_stays_however_old_it_is_and_however_full_the_disk() -> None:
    limits = DiskLimits(age=24 * HOUR, size=0)
    assert plan_trim(FILES, {"dear"}, limits, NOW, undelivered={"oldest"}) == ["old", "recent", "dear"]


def test_both_limits_hold_together() -> None:
    assert plan_trim(FILES, {"dear"}, DiskLimits(age=45 * HOUR, size=300), NOW) == ["oldest", "old"]


files = st.builds(OnDisk, st.text("abcdef", min_size=1), st.integers(0, 1000), st.floats(0, NOW))


@given(
    st.lists(files, unique_by=lambda file: file.name, max_size=30),
    st.sets(st.text("abcdef", min_size=1)),
    st.integers(0, 20_000) | st.none(),
    st.floats(HOUR, NOW) | st.none(),
)
def test_what_goes_is_no_more_than_it_takes(
    every: list[OnDisk], dear: set[str], size: int | None, age: float | None
) -> None:
    names = plan_trim(every, dear, DiskLimits(age=age, size=size), NOW)
    assert len(set(names)) == len(names)
    gone = [file for name in names for file in every if file.name == name]
    assert all(file.made_at < NOW - YOUNG_SECONDS for file in gone)
    left = [file for file in every if file.name not in names]
    if age is not None:
        assert not any(file.made_at < NOW - max(age, YOUNG_SECONDS) and file.name not in dear for file in left)
    if size is not None and sum(file.size for file in left) > size:
        assert all(file.made_at >= NOW - YOUNG_SECONDS for file in left)
