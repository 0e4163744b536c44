"""Where the bot is no member and somebody brought it along: the token alone works, and nobody is told a wrong thing."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import Channel, File, Interaction, Member, Message
from tests.buttons import button_id
from tests.e2e.harness import Stage, until
from tests.e2e.test_acts import SMALL
from tests.e2e.test_menus import FROM, INFO, UPSCALE, menu, question, see, submitted, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def elsewhere(stage: Stage) -> Channel:
    return stage.discord.add_foreign_guild("Elsewhere")


async def drawn(stage: Stage, channel: Channel, **options: Any) -> Interaction:
    return await stage.draw(**{"prompt": "a red fox", **SMALL, **options}, channel=channel)


def asked_with_bot_token(stage: Stage, channel: Channel) -> list[str]:
    return [str(one) for one in stage.discord.requests if one.path.startswith(f"/channels/{channel.id}")]


async def done(stage: Stage, interaction: Interaction, **options: Any) -> Message:
    message = await stage.delivered(interaction, **options)
    await stage.reaches(interaction, "done")
    return message


async def test_a_picture_comes_to_its_owner_alone_and_its_buttons_work(stage: Stage, elsewhere: Channel) -> None:
    interaction = await drawn(stage, elsewhere, count=2)
    message = await done(stage, interaction, pictures=2)
    assert message.ephemeral
    assert "15 minutes" not in "".join(edit.content for edit in message.edits)
    assert stage.row(interaction)["guild_id"] == str(elsewhere.guild and elsewhere.guild.id)
    await stage.restart()
    again = await stage.discord.press(stage.ada, message, button_id(message, "again"))
    following = await done(stage, again, pictures=2)
    assert following.ephemeral
    assert "The same again as another picture" in following.content
    details = await stage.discord.press(stage.ada, message, button_id(message, "details"))
    asked = await stage.answered(details)
    (select,) = [part for part in asked.parts() if part.get("custom_id")]
    chosen = await stage.discord.select(stage.ada, asked, select["custom_id"], ["1"])
    assert "/draw prompt:a red fox" in await told(stage, chosen)
    await stage.discord.press(stage.ada, message, button_id(message, "delete"))
    select = await stage.discord.until(lambda: next((part for part in message.parts() if part.get("options")), None))
    await stage.discord.select(stage.ada, message, select["custom_id"], ["all"])
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    assert asked_with_bot_token(stage, elsewhere) == []


@pytest.mark.parametrize(("dms_open", "where"), [(True, "dm"), (False, "kept")])
async def test_after_the_token_s_life_a_direct_message_is_tried_and_the_channel_never(
    stage: Stage, elsewhere: Channel, dms_open: bool, where: str
) -> None:
    eve = stage.discord.member(f"eve-{where}", dms_open=dms_open)
    stage.webui.hold()
    interaction = await drawn(stage, elsewhere, member=eve)
    reply = await stage.answered(interaction)
    interaction.expire()
    stage.webui.release()
    row = await stage.reaches(interaction, "done")
    assert row["delivered_to"] == where
    assert reply.attachments == []
    shown = [message for message in stage.discord.messages(eve.dm) if message.attachments]
    assert len(shown) == (1 if where == "dm" else 0)
    assert asked_with_bot_token(stage, elsewhere) == []


async def test_as_many_permutations_as_there_may_be_need_no_sixth_message(stage: Stage, elsewhere: Channel) -> None:
    words = "|".join(f"w{number}" for number in range(50))
    asked = await stage.says(
        await drawn(stage, elsewhere, prompt=f"a {{{words}}} fox", extra="permutations:yes"), "50 pictures"
    )
    (button,) = asked.buttons()
    press = await stage.discord.press(stage.ada, asked, button["custom_id"])
    await stage.discord.until(lambda: not asked.buttons(), 30, "all to be asked for")
    assert "The others are not" not in asked.content
    assert all(message.ephemeral for message in press.messages)

    def shown() -> bool:
        return sum(len(message.attachments) for message in press.messages) == 50

    await stage.discord.until(shown, 60, "50 pictures")
    await until(lambda: all(row["state"] == "done" for row in stage.rows()), 20, "all jobs to be done")


async def test_menus_work_with_what_they_bring_along(stage: Stage, elsewhere: Channel) -> None:
    grace = stage.discord.member("grace")
    files = [File(filename=f"{number}.png", data=see(32 + 8 * number, 32)) for number in range(2)]
    message = stage.discord.post(grace, files=files[:1], channel=elsewhere)
    assert "a lighthouse at dusk" in await told(stage, await menu(stage, INFO, message))
    assert (await stage.delivered(await submitted(stage, await menu(stage, FROM, message), prompt="x"))).ephemeral
    both = stage.discord.post(grace, files=files, channel=elsewhere)
    asked, select = await question(stage, UPSCALE, both)
    value = select["options"][1]["value"]
    await stage.delivered(await stage.discord.select(stage.ada, asked, select["custom_id"], [value]))
    await stage.restart()
    late = await stage.discord.select(stage.ada, asked, select["custom_id"], [value])
    await stage.delivered(late)


async def test_an_admin_of_a_server_without_the_bot_is_none_of_its_admins(stage: Stage, elsewhere: Channel) -> None:
    root = stage.discord.member("root", administrator=True)
    refusal = await stage.discord.slash(root, "status", action="pause", channel=elsewhere)
    assert "I am no member of this server" in await said(stage, refusal)
    answer = await stage.answered(await stage.discord.slash(root, "help", channel=elsewhere))
    assert "/status" in answer.text()
    assert "/checkpoint" not in answer.text()


async def said(stage: Stage, interaction: Interaction) -> str:
    return (await stage.answered(interaction)).content


async def test_among_people_without_the_bot_everybody_sees_the_answer(stage: Stage) -> None:
    grace: Member = stage.discord.member("grace")
    group = stage.discord.add_group("ada and grace", stage.ada, grace)
    interaction = await drawn(stage, group)
    message = await done(stage, interaction)
    assert not message.ephemeral
    assert message.visible_to(grace)
    stage.webui.hold()
    late = await drawn(stage, group)
    await stage.answered(late)
    late.expire()
    stage.webui.release()
    row = await stage.reaches(late, "done")
    assert row["delivered_to"] == "dm"
    assert asked_with_bot_token(stage, group) == []
