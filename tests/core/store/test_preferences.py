"""Wishes in a real database of either kind, and what holds where several speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import UserError
from core.preferences import NO_SHEET, Preferences, Wishes, parse_span, resolve
from core.store.database import database_url, open_database
from core.store.preferences import CHANNEL, PERSON, SERVER, PreferenceRows


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


async def test_a_wish_is_kept_changed_and_forgotten(engine: AsyncEngine) -> None:
    wishes = Preferences(PreferenceRows(engine))
    assert await wishes.of("42", ("7",), "900") == Wishes()
    await wishes.put(PERSON, "42", {"metadata": "off", "ping_after": "30"})
    await wishes.put(SERVER, "900", {"press": "owner"})
    assert await wishes.of("42", ("7",), "900") == Wishes(metadata=False, ping_after=30.0, press="owner")
    assert await wishes.of("43", ("7",), "900") == Wishes(press="owner")
    assert await wishes.of("42", (), None) == Wishes(metadata=False, ping_after=30.0)
    await wishes.put(PERSON, "42", {"metadata": None, "ping_after": "60"})
    assert await wishes.of("42", ("7",), None) == Wishes(ping_after=60.0)


async def test_a_thread_is_heard_before_its_channel_and_that_before_the_server(engine: AsyncEngine) -> None:
    wishes = Preferences(PreferenceRows(engine))
    await wishes.put(SERVER, "900", {"preview": "off"})
    await wishes.put(CHANNEL, "1", {"preview": "on"})
    assert (await wishes.of("", ("7", "1"), "900")).preview
    await wishes.put(CHANNEL, "7", {"preview": "off"})
    assert not (await wishes.of("", ("7", "1"), "900")).preview
    assert (await wishes.of("", ("1",), "900")).preview


async def test_who_may_not_wish_something_is_not_heard(engine: AsyncEngine) -> None:
    wishes = Preferences(PreferenceRows(engine))
    with pytest.raises(ValueError, match="press is no wish of a person"):
        await wishes.put(PERSON, "42", {"press": "owner"})
    await PreferenceRows(engine).put(PERSON, "42", {"press": "owner", "require_metadata": "on"})
    assert await wishes.of("42", ("7",), "900") == Wishes()


def test_a_server_may_require_metadata_and_the_narrower_scope_is_heard_first() -> None:
    said = {(PERSON, "42"): {"metadata": "off"}, (SERVER, "900"): {"require_metadata": "on", "preview": "on"}}
    assert resolve(said) == Wishes(metadata=True, require_metadata=True, preview=True)
    assert not resolve({**said, (CHANNEL, "7"): {"preview": "off"}}).preview
    assert not resolve({(PERSON, "42"): {"metadata": "off"}, (SERVER, "900"): {"require_metadata": "off"}}).metadata


def test_what_can_not_be_read_was_not_said() -> None:
    assert resolve({(PERSON, "42"): {"ping_after": "soon", "sheet": "", "metadata": "perhaps"}}) == Wishes()
    assert resolve({(PERSON, "42"): {"ping_after": "nan", "sheet": "inf"}}) == Wishes()


@pytest.mark.parametrize(("said", "sheet"), [("0", NO_SHEET), ("1", 1), ("3", 3)])
def test_a_contact_sheet_comes_with_so_many_pictures_or_never(said: str, sheet: int) -> None:
    assert resolve({(PERSON, "42"): {"sheet": said}, (SERVER, "900"): {"sheet": "8"}}).sheet == sheet
    assert resolve({(PERSON, "42"): {}, (SERVER, "900"): {"sheet": said}}).sheet == sheet


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90", 90.0),
        ("30s", 30.0),
        (" 2 min ", 120.0),
        ("1.5M", 90.0),
        ("1 hour", 3600.0),
        ("24h", 86_400.0),
        ("off", None),
        ("Never", None),
    ],
)
def test_a_span_is_read_as_people_write_it(typed: str, seconds: float | None) -> None:
    assert parse_span(typed) == seconds


@pytest.mark.parametrize("typed", ["", "soon", "-5", "4s", "25h", "1e9", "2 d", "0", "5;", "2 months", "9999999"])
def test_a_span_that_can_not_be_has_a_sentence(typed: str) -> None:
    with pytest.raises(UserError, match="30s, 2m, 1h"):
        parse_span(typed)


async def test_who_can_wait_gets_the_same_answer(engine: AsyncEngine) -> None:
    wishes = Preferences(PreferenceRows(engine))
    await wishes.put(PERSON, "42", {"metadata": "off"})
    assert await wishes.whenever("42", (), "900") == await wishes.of("42", (), "900") == Wishes(metadata=False)


def test_a_ping_is_wanted_for_what_took_longer() -> None:
    assert not Wishes().wants_ping(1e9)
    assert not Wishes(ping_after=30.0).wants_ping(30.0)
    assert Wishes(ping_after=30.0).wants_ping(30.1)
