"""/checkpoint with a gateway that has no webui and two workers that have: the wish reaches whoever can do it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from playground.webui import Checkpoint, LocalForge, LocalWebui
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import until
from tests.e2e.scale import Cluster, open_cluster
from tests.e2e.switching import FILES, admin_of, asked, command, ended, posted
from tests.postgres import LocalPostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
A1111, FORGE = "one · webui 1", "two · webui 1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> AsyncIterator[Cluster]:
    """A gateway and two workers: one with an A1111, one with a Forge."""
    files = [*FILES, Checkpoint("damaged_v1.safetensors", broken=True)]
    forge = LocalForge(name="two", seconds_per_step=0.002, cheap_pictures=True, checkpoints=FILES)
    workers: dict[str, list[LocalWebui]] = {"one": [cheap_webui(name="one", checkpoints=files)], "two": [forge]}
    async with open_cluster(tmp_path_factory.mktemp("scale"), postgres, workers) as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Cluster) -> AsyncIterator[Cluster]:
    """The module's machines, all at work."""
    await shared_stage.start()
    shared_stage.begin()
    yield shared_stage
    shared_stage.heal()
    shared_stage.check()


def states(stage: Cluster) -> list[str]:
    """Of the last wish, webui by webui."""
    query = "SELECT state FROM switches WHERE id = (SELECT id FROM switches ORDER BY created_at DESC LIMIT 1)"
    return [row["state"] for row in stage._query(f"{query} ORDER BY backend")]


async def test_all_workers_switch_and_each_says_what_it_did(stage: Cluster) -> None:
    said = await ended(stage, "use", checkpoint="paperCutout_v12")
    assert states(stage) == ["done", "done"]
    plain = said.replace("\\", "")
    assert f'- **{A1111}** · done: It has loaded "paperCutout_v12", and draws with it from now on.' in plain
    assert f'- **{FORGE}** · done: It draws with "paperCutout_v12" from now on, loaded with its next picture.' in plain
    assert [posted(webui)[-1].keys() for webui in stage.webuis] == [{"sd_model_checkpoint"}] * 2
    assert "**loaded** on " in (await command(stage, stage.ada, "list")).content


async def test_one_of_them_is_switched_and_the_other_is_left_alone(stage: Cluster) -> None:
    before = len(posted(stage.webuis[1]))
    said = await ended(stage, "use", checkpoint="dreamLandscapes_v4", webui=A1111)
    assert "done: It has loaded" in said
    assert FORGE not in said
    assert len(posted(stage.webuis[1])) == before
    said = (await ended(stage, "use", checkpoint="damaged_v1")).replace("\\", "")
    assert 'not done: It could not load "damaged_v1". It still has "dreamLandscapes_v4".' in said
    assert f"**{FORGE}** · left out: The webui has no checkpoint called" in said
    assert len(posted(stage.webuis[1])) == before


async def test_it_waits_for_the_picture_of_its_worker(stage: Cluster) -> None:
    webui = stage.webuis[0]
    await ended(stage, "use", checkpoint="dreamLandscapes_v4", webui=A1111)
    for each in stage.webuis:
        each.hold(1)
    interaction = await stage.draw(count=2, **OPTIONS)
    await webui.until(lambda: webui.step == 1)
    before = len(posted(webui))
    switching = await asked(stage, "use", checkpoint="paperCutout_v12", webui=A1111)
    await stage.says(switching, "waits until its picture is done")
    assert len(posted(webui)) == before
    for each in stage.webuis:
        each.release()
    await stage.says(switching, "done: It has loaded")
    await stage.delivered(interaction, 2)
    stage.arrived_once(interaction, 2)


async def test_a_worker_that_dies_takes_the_wish_up_again_and_the_gateway_says_so(stage: Cluster) -> None:
    worker = stage.workers[0]
    webui = worker.webuis[0]
    await ended(stage, "use", checkpoint="dreamLandscapes_v4", webui=A1111)
    webui.pace.load_seconds = 2.0
    switching = await asked(stage, "use", checkpoint="paperCutout_v12", webui=A1111)
    await stage.says(switching, "loading …")
    await worker.kill()
    webui.pace.load_seconds = 0.0
    await stage.start_all([worker])
    await stage.says(switching, "done: It has loaded", 40)
    assert webui.swaps[-1] == "paperCutout_v12"


async def test_a_gateway_s_refresh_reaches_the_folders_of_every_worker(stage: Cluster) -> None:
    for number, webui in enumerate(stage.webuis):
        webui.catalog.arrive("checkpoints", f"newcomer{number}_v1.safetensors")
    said = await ended(stage, "refresh")
    assert said.count("done: Its lists are read anew.") >= 1
    await until(lambda: states(stage) == ["done", "done"])
    async with asyncio.timeout(15):
        while len(await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "newcomer")) < 2:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.1)


async def test_names_are_known_to_the_gateway_and_others_are_refused(stage: Cluster) -> None:
    assert "can switch models" in (await command(stage, stage.ada, "use", checkpoint="paperCutout_v12")).content
    await command(stage, admin_of(stage), "name", checkpoint="paperCutout_v12", friendly="Cut-outs")
    (offer,) = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "cut-o")
    assert offer.name == "Cut-outs · paperCutout_v12"
    interaction = await stage.draw(checkpoint="cut-outs", **OPTIONS)
    await stage.delivered(interaction)
    assert "`paperCutout_v12`" in stage.carriers(interaction)[0].content
