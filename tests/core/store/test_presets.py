"""Presets in a real database of either kind: whose they are, how many there may be, and who may take them away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import UserError
from core.preset_desk import PresetDesk
from core.presets import MOST
from core.request import GenerationRequest, LoraUse
from core.store.database import database_url, open_database
from core.store.preferences import PERSON, SERVER
from core.store.presets import PresetRows

INK = GenerationRequest(prompt="{prompt}, in ink", steps=20, loras=(LoraUse("ink", 0.8),))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


@pytest.fixture
def desk(engine: AsyncEngine) -> PresetDesk:
    return PresetDesk(PresetRows(engine), lambda: 7.0)


async def test_what_is_kept_is_found_by_its_owner_alone(desk: PresetDesk) -> None:
    preset, was_there = await desk.save(" Ink ", INK, "42")
    assert (preset.name, preset.made_at, was_there) == ("Ink", 7.0, False)
    assert await desk.find("INK", "42", "900") == preset
    assert preset.request == INK
    for person, guild in (("43", "900"), ("900", "42")):
        with pytest.raises(UserError, match="no preset called"):
            await desk.find("ink", person, guild)


async def test_one_of_the_same_name_is_replaced_and_that_is_said(desk: PresetDesk) -> None:
    await desk.save("ink", INK, "42")
    changed, was_there = await desk.save("INK", GenerationRequest(prompt="", steps=4), "42")
    assert was_there
    assert (await desk.shelf("42", None)).all == (changed,)


async def test_a_shared_copy_is_everybody_s_there_and_lives_on_its_own(desk: PresetDesk) -> None:
    mine, _ = await desk.save("ink", INK, "42")
    copy, was_there = await desk.share("INK", "42", "900")
    assert (copy.request, copy.maker_id, was_there) == (INK, "42", False)
    assert await desk.find("ink", "43", "900") == copy
    assert (await desk.shelf("43", "901")).all == (await desk.shelf("43", None)).all == ()
    assert (await desk.shelf("42", "900")).all == (mine, copy)
    await desk.delete(mine, "42", is_admin=False)
    assert (await desk.shelf("42", "900")).all == (copy,)
    with pytest.raises(UserError, match="no preset called"):
        await desk.share("ink", "42", "900")  # it is one's own that are shared


async def test_sharing_again_replaces_one_s_own_copy_and_nobody_else_s(desk: PresetDesk) -> None:
    await desk.save("ink", INK, "42")
    await desk.share("ink", "42", "900")
    await desk.save("ink", GenerationRequest(prompt="", steps=4), "42")
    assert (await desk.share("ink", "42", "900"))[1]
    assert (await desk.find("ink", "43", "900")).request.steps == 4
    await desk.save("Ink", INK, "43")
    with pytest.raises(UserError, match="shared by somebody else"):
        await desk.share("ink", "43", "900")


async def test_who_shared_it_and_admins_take_it_away(desk: PresetDesk) -> None:
    await desk.save("ink", INK, "42")
    for person, is_admin in (("42", False), ("44", True)):
        copy, _ = await desk.share("ink", "42", "900")
        with pytest.raises(UserError, match="Only the person who shared this preset"):
            await desk.delete(copy, "43", is_admin=False)
        await desk.delete(copy, person, is_admin=is_admin)
        assert (await desk.shelf("43", "900")).all == ()


async def test_a_full_shelf_takes_no_more_but_lets_one_be_changed(desk: PresetDesk, engine: AsyncEngine) -> None:
    for number in range(MOST[PERSON]):
        await desk.save(f"ink {number}", INK, "42")
    with pytest.raises(UserError, match="You have 50 presets"):
        await desk.save("one more", INK, "42")
    assert (await desk.save("INK 7", INK, "42"))[1]
    mine, was_there = await desk.save("ink", INK, "43")
    assert not was_there
    for number in range(MOST[SERVER]):
        copy = replace(mine, scope=SERVER, scope_id="900", name=f"ink {number}")
        await PresetRows(engine).put(copy, MOST[SERVER])
    with pytest.raises(UserError, match="This server has 100 presets"):
        await desk.share("ink", "43", "900")
    assert not (await desk.share("ink", "43", "901"))[1]
