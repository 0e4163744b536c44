"""One gateway and two workers on one PostgreSQL: together they are the one bot that everything on one machine is."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from playground.discord import Interaction
from tests.buttons import cancels
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import until
from tests.e2e.machine import Machine
from tests.e2e.scale import Cluster, open_cluster
from tests.postgres import LocalPostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
ANY_EDIT = r"^/webhooks/|^/channels/\d+/messages/\d+$"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> AsyncIterator[Cluster]:
    """A gateway and two workers with a webui each; the second's has a checkpoint more."""
    other = cheap_webui(name="two", checkpoints=("dreamLandscapes_v4.safetensors", "onlyHere_v1.safetensors"))
    workers = {"one": [cheap_webui(name="one")], "two": [other]}
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


def hold(stage: Cluster, at_step: int = 2) -> None:
    for webui in stage.webuis:
        webui.hold(at_step)


def release(stage: Cluster) -> None:
    for webui in stage.webuis:
        webui.release()


def others(stage: Cluster, machine: Machine) -> list[Machine]:
    return [worker for worker in stage.workers if worker is not machine]


async def ends_once(stage: Cluster, interaction: Interaction, pictures: int = 1) -> None:
    await stage.delivered(interaction, pictures)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, pictures)


async def test_a_picture_comes_through_gateway_and_worker(stage: Cluster) -> None:
    interaction = await stage.draw(**OPTIONS)
    await ends_once(stage, interaction)
    message = stage.carriers(interaction)[0]
    assert message is interaction.response
    assert not cancels(message)
    (part,) = stage.parts(interaction)
    assert part["worker"] in {worker.worker_id for worker in stage.workers}


async def test_a_job_is_split_over_two_workers_into_one_message_with_a_sheet(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(count=4, seed=7, extra="sheet:yes", **OPTIONS)
    for webui in stage.webuis:
        await webui.until(lambda webui=webui: webui.running is not None)  # type: ignore[misc]  # bound now
    release(stage)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 4, sheet=True)
    (message,) = stage.carriers(interaction)
    assert message is interaction.response
    files = [*(f"{number}.png" for number in (1, 2, 3, 4)), "sheet.jpg"]
    assert [one.filename for one in message.attachments] == [f"easel-{interaction.id}-{file}" for file in files]
    assert "seed 7–10" in message.content
    assert {part["worker"] for part in stage.parts(interaction)} == {worker.worker_id for worker in stage.workers}
    looked = await stage.discord.slash(stage.ada, "history")
    page = await stage.answered(looked)
    await stage.discord.until(lambda: page.attachments, what="a page with thumbnails")
    assert sum(str(interaction.id) in one.filename for one in page.attachments) == 4


async def test_cancel_at_the_gateway_interrupts_the_webui_of_the_worker(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(**OPTIONS)
    drawer = await stage.drawer_of(interaction)
    interrupts = len(drawer.webuis[0].interrupts)
    await stage.presses_cancel(await stage.answered(interaction))
    await drawer.webuis[0].until(lambda: drawer.webuis[0].running is None)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    assert len(drawer.webuis[0].interrupts) == interrupts + 1
    assert stage.uploads(interaction) == []
    release(stage)
    await stage.drawn(**OPTIONS)


async def test_webuis_are_paused_and_resumed_from_the_gateway(stage: Cluster) -> None:
    admin = stage.discord.member("grace", administrator=True)
    names = [choice.name for choice in await stage.discord.autocomplete(admin, "status", "webui", "")]
    assert names == ["one · webui 1", "two · webui 1"]
    for name in names:
        said = await stage.discord.slash(admin, "status", webui=name, action="pause")
        assert "is paused" in (await stage.answered(said)).content
    await until(lambda: stage.modes() == {"paused"}, what="both workers to know")
    renders = [len(webui.renders) for webui in stage.webuis]
    interaction = await stage.draw(**OPTIONS)
    await stage.says(interaction, "paused by an admin")
    said = await stage.discord.slash(admin, "status")
    assert (await stage.answered(said)).content.count("paused") >= 2
    assert [len(webui.renders) for webui in stage.webuis] == renders
    await stage.discord.slash(admin, "status", webui=names[1], action="resume")
    await ends_once(stage, interaction)
    assert [len(webui.renders) for webui in stage.webuis] == [renders[0], renders[1] + 1]
    await stage.discord.slash(admin, "status", webui=names[0], action="resume")
    await until(lambda: stage.modes() == {"open"}, what="both webuis to be open")


async def test_the_gateway_knows_what_the_workers_webuis_have(stage: Cluster) -> None:
    found = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "onlyHere")
    assert [choice.name for choice in found] == ["onlyHere_v1.safetensors"]
    interaction = await stage.draw(checkpoint="onlyHere_v1", **OPTIONS)
    await ends_once(stage, interaction)
    assert stage.parts(interaction)[0]["worker"] == stage.workers[1].worker_id


async def test_the_queue_at_the_gateway_is_that_of_all_workers(stage: Cluster) -> None:
    hold(stage)
    drawing = [await stage.draw(f"picture {number}", **OPTIONS) for number in (1, 2)]
    for interaction in drawing:
        await stage.drawer_of(interaction)
    waiting = await stage.draw("a patient picture", **OPTIONS)
    await stage.answered(waiting)

    async def page() -> str:
        return (await stage.answered(await stage.discord.slash(stage.ada, "queue"))).content

    said = await page()
    assert said.count("being drawn") == 2
    assert "1. **you**" in said
    assert "a patient picture" in said
    release(stage)
    for interaction in (*drawing, waiting):
        await ends_once(stage, interaction)
    assert "Nobody is waiting" in await page()


async def test_nobodys_job_notices_that_the_gateway_dies_and_comes_back(stage: Cluster) -> None:
    hold(stage)
    interactions = [await stage.draw(**OPTIONS) for _ in range(3)]
    for interaction in interactions:
        await stage.answered(interaction)
    await stage.kill()
    release(stage)
    for interaction in interactions:
        await ends_once(stage, interaction)
        assert stage.carriers(interaction)[0] is interaction.response
    await stage.start()
    await stage.drawn(**OPTIONS)


async def test_a_worker_that_stands_still_while_drawing_keeps_its_picture(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(**OPTIONS)
    drawer = await stage.drawer_of(interaction)
    renders = sum(len(webui.renders) for webui in stage.webuis)
    drawer.send(signal.SIGSTOP)
    release(stage)
    await asyncio.sleep(3)  # long enough for the others to take it for dead, which they must not
    drawer.send(signal.SIGCONT)
    await ends_once(stage, interaction)
    assert sum(len(webui.renders) for webui in stage.webuis) == renders
    assert stage.parts(interaction)[0]["attempt"] == 1


async def test_a_worker_that_stands_still_while_delivering_delivers_once(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(**OPTIONS)
    drawer = await stage.drawer_of(interaction)
    stage.discord.fail("PATCH", ANY_EDIT, delay=2.0, after=True)  # Discord has it, and the worker does not know yet
    release(stage)
    await stage.discord.until(lambda: stage.uploads(interaction))
    drawer.send(signal.SIGSTOP)
    assert stage.row(interaction)["state"] == "drawn"
    await asyncio.sleep(3)
    drawer.send(signal.SIGCONT)
    await ends_once(stage, interaction)


async def test_a_worker_that_is_told_to_stop_hands_back_in_time(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(**OPTIONS)
    drawer = await stage.drawer_of(interaction)
    (other,) = others(stage, drawer)
    loop = asyncio.get_running_loop()
    began = loop.time()
    status = await drawer.terminate()
    assert status == 0
    assert loop.time() - began < int(drawer.settings["DRAIN_SECONDS"]) + 3
    await other.webuis[0].until(lambda: other.webuis[0].running is not None)
    assert drawer.webuis[0].running is None, "nobody interrupted what was handed back"
    release(stage)
    await ends_once(stage, interaction)


async def test_a_worker_that_is_told_to_stop_finishes_what_is_short(stage: Cluster) -> None:
    hold(stage)
    interaction = await stage.draw(**OPTIONS)
    drawer = await stage.drawer_of(interaction)
    drawer.send(signal.SIGTERM)
    await until(lambda: "are being finished" in drawer.log(), what="the worker to stop")
    release(stage)
    assert await drawer.ended() == 0
    await ends_once(stage, interaction)
    assert stage.parts(interaction)[0]["attempt"] == 1


async def test_workers_hear_what_people_wish_and_the_gateway_of_their_reactions(stage: Cluster) -> None:
    await stage.answered(await stage.discord.slash(stage.ada, "my", metadata="off"))
    interaction = await stage.draw("a secret fox", count=2, **OPTIONS)
    await ends_once(stage, interaction, 2)
    (message,) = stage.carriers(interaction)
    assert not [one.filename for one in message.attachments if b"secret" in one.data]
    bob = stage.discord.member("bob")
    stage.discord.react(bob, message, "✉️")
    (letter,) = await stage.discord.until(lambda: stage.discord.messages(bob.dm), what="a letter")
    assert [one.data for one in letter.attachments] == [one.data for one in message.attachments]
    kept = [path for worker in stage.workers for path in (worker.data_dir / "pictures").rglob("*.png")]
    kept = [path for path in kept if b"secret" in path.read_bytes()]
    assert len(kept) == 2
    stage.discord.react(stage.ada, message, "❌")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    await until(lambda: not any(path.exists() for path in kept), what="the workers' files to be gone")
    await stage.answered(await stage.discord.slash(stage.ada, "my", metadata="on"))
