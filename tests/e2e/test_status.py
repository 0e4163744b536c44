"""/status: what the webuis are doing, for everybody; to pause, drain and resume them, for admins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from playground.discord import Channel, Member
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
REFUSAL = "Only members who may manage this server can pause, drain or resume a webui."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path_factory.mktemp("status"), cheap_webui(name="a"), cheap_webui(name="b")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def admin(stage: Stage) -> AsyncIterator[Member]:
    """Somebody who may; every webui is resumed afterwards."""
    member = stage.discord.member("admin", administrator=True)
    yield member
    for webui in stage.webuis:
        webui.release()
    for name in ("webui 1", "webui 2"):
        await status(stage, member, webui=name, action="resume")


async def status(stage: Stage, member: Member, channel: Channel | None = None, **options: Any) -> str:
    message = await stage.answered(await stage.discord.slash(member, "status", channel=channel, **options))
    assert message.ephemeral or channel is member.dm
    return message.content


async def test_everybody_sees_the_webuis_by_names_that_are_no_hosts(stage: Stage) -> None:
    for channel in (None, stage.ada.dm):
        assert (await status(stage, stage.ada, channel)).splitlines() == [
            "**Nobody is waiting**",
            "- **webui 1** · idle · `dreamLandscapes_v4`",
            "- **webui 2** · idle · `dreamLandscapes_v4`",
        ]


@pytest.mark.parametrize("action", ["pause", "drain", "resume", None])
async def test_others_are_refused_by_the_bot_itself_since_discord_lets_them(stage: Stage, action: str | None) -> None:
    assert await status(stage, stage.ada, webui="webui 1", action=action) == REFUSAL
    assert "paused" not in await status(stage, stage.ada)


async def test_nobody_is_an_admin_in_direct_messages(stage: Stage, admin: Member) -> None:
    assert await status(stage, admin, admin.dm, webui="webui 1", action="pause") == REFUSAL


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"webui": "webui 1"}, "Say what to do with it: pause, drain or resume."),
        ({"action": "pause"}, "Say which webui: webui 1, webui 2."),
        ({"webui": "webui 3", "action": "pause"}, "Say which webui: webui 1, webui 2."),
    ],
)
async def test_an_admin_who_says_too_little_is_asked(
    stage: Stage, admin: Member, options: dict[str, Any], words: str
) -> None:
    assert await status(stage, admin, **options) == words


async def test_the_webuis_are_offered_by_their_names(stage: Stage) -> None:
    offers = await stage.discord.autocomplete(stage.ada, "status", "webui", "")
    assert [(one.name, one.value) for one in offers] == [("webui 1", "webui 1"), ("webui 2", "webui 2")]
    (offer,) = await stage.discord.autocomplete(stage.ada, "status", "webui", "2")
    assert offer.name == "webui 2"


@pytest.mark.parametrize(
    ("action", "said", "meanwhile", "then"),
    [
        ("pause", "is paused", "paused, finishing its picture", "paused"),
        ("drain", "is drained", "draining, finishing its picture", "drained: it can be switched off"),
    ],
)
async def test_it_finishes_its_picture_and_gets_no_other_until_it_is_resumed(
    stage: Stage, admin: Member, action: str, said: str, meanwhile: str, then: str
) -> None:
    first, second = stage.webuis
    first.hold(1)
    held = await stage.draw(**OPTIONS)
    await first.until(lambda: first.step == 1)
    answer = await status(stage, admin, webui="webui 1", action=action)
    assert said in answer
    assert answer.endswith("The picture it draws now is finished.")
    assert f"- **webui 1** · {meanwhile} · " in await status(stage, stage.ada)
    first.release()
    await stage.delivered(held)
    assert f"- **webui 1** · {then} · " in await status(stage, stage.ada)
    drawn = len(first.renders), len(second.renders)
    jobs = [await stage.draw(count=2, **OPTIONS) for _ in range(2)]
    for job in jobs:
        await stage.delivered(job, 2)
        stage.arrived_once(job, 2)
    assert (len(first.renders), len(second.renders)) == (drawn[0], drawn[1] + 4)
    assert await status(stage, admin, webui="webui 1", action="resume") == "**webui 1** gets pictures again."
    second.hold()
    job = await stage.draw(count=2, **OPTIONS)
    await first.until(lambda: len(first.renders) > drawn[0])
    second.release()
    await stage.delivered(job, 2)


async def test_while_all_are_paused_people_are_told_so_until_one_is_resumed(stage: Stage, admin: Member) -> None:
    for name in ("webui 1", "webui 2"):
        await status(stage, admin, webui=name, action="pause")
    interaction = await stage.draw(**OPTIONS)
    reply = await stage.answered(interaction)
    sentence = "The webuis are paused by an admin; pictures wait until one is resumed."
    assert reply.content.startswith(f"**Waiting** · {sentence}")
    assert (await status(stage, stage.ada)).splitlines()[:2] == ["**1 job is waiting**", sentence]
    await status(stage, admin, webui="webui 2", action="resume")
    await stage.delivered(interaction)


async def test_a_pause_outlasts_the_bot(stage: Stage, admin: Member) -> None:
    await status(stage, admin, webui="webui 1", action="pause")
    await stage.restart()
    assert "- **webui 1** · paused" in await status(stage, stage.ada)
    drawn = len(stage.webuis[0].renders)
    interaction = await stage.draw(count=3, **OPTIONS)
    await stage.delivered(interaction, 3)
    assert len(stage.webuis[0].renders) == drawn


async def test_where_servers_are_named_no_other_server_s_admin_switches_anything(tmp_path: Path) -> None:
    async with open_stage(tmp_path, cheap_webui(), kindly=False, ADMIN_SERVERS="1") as stage:
        admin = stage.discord.member("an admin of this server", administrator=True)
        answer = await stage.answered(await stage.discord.slash(admin, "status", action="pause"))
        assert answer.ephemeral
        assert "from another server only" in answer.content
        await stage.drawn(**OPTIONS)
        stage.check()
