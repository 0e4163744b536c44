"""Contact sheets and comparisons: shown once, beside the pictures or below them, whatever happens to the bot."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from playground.discord import ORDINARY, Interaction, Message, Permission
from tests.buttons import button_id
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 3}
EDIT = r"^/webhooks/\d+/[^/]+/messages/@original$"
POST = r"^/channels/\d+/messages$"
TOO_LONG = 120.0
"""Seconds that Discord keeps its answer back: longer than any test lives."""


async def done(stage: Stage, **options: Any) -> Interaction:
    interaction = await stage.draw(**(SMALL | options))
    await stage.reaches(interaction, "done")
    return interaction


def sheets(stage: Stage, interaction: Interaction) -> list[tuple[Message, str]]:
    """Every sheet that is shown of the job, with its message."""
    shown = [(message, one.filename) for message in stage.carriers(interaction) for one in message.attachments]
    return [(message, name) for message, name in shown if "-sheet." in name]


def picture(stage: Stage, interaction: Interaction) -> Image.Image:
    (data,) = [one.data for one in stage.uploads(interaction) if "-sheet." in one.filename]
    return Image.open(io.BytesIO(data))


async def test_more_than_four_pictures_have_a_sheet_beside_them(stage: Stage) -> None:
    interaction = await done(stage, count=6)
    (message,) = stage.carriers(interaction)
    names = [f"easel-{interaction.id}-{number}.png" for number in range(1, 7)]
    assert [one.filename for one in message.attachments] == [*names, f"easel-{interaction.id}-sheet.jpg"]
    stage.arrived_once(interaction, 6)
    sheet = picture(stage, interaction)
    assert sheet.format == "JPEG"
    assert sheet.width > 3 * 64


async def test_four_have_none_unless_it_is_asked_for(stage: Stage) -> None:
    stage.arrived_once(await done(stage, count=4), 4, sheet=False)
    stage.arrived_once(await done(stage, count=2, extra="sheet:yes", spoiler=True), 2, sheet=True)
    stage.arrived_once(await done(stage, count=6, extra="sheet:no"), 6, sheet=False)
    stage.arrived_once(await done(stage, count=1, extra="sheet:yes"), 1, sheet=False)


async def test_a_person_says_from_how_many_pictures_on(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        bea = stage.discord.member("bea")
        wish = ("person", str(bea.id), "sheet", "2")
        connection.execute("INSERT INTO preferences (scope, scope_id, name, value) VALUES (?, ?, ?, ?)", wish)
        connection.commit()
    stage.arrived_once(await done(stage, count=2, member=bea), 2, sheet=True)
    stage.arrived_once(await done(stage, count=2), 2, sheet=False)


async def test_a_sheet_hides_behind_a_spoiler_like_its_pictures(stage: Stage) -> None:
    interaction = await done(stage, count=2, extra="sheet:yes", spoiler=True)
    ((_, name),) = sheets(stage, interaction)
    assert name == f"SPOILER_easel-{interaction.id}-sheet.jpg"


@pytest.mark.parametrize("after", [False, True])
async def test_a_sheet_is_there_once_after_a_crash_at_the_end(stage: Stage, after: bool) -> None:
    interaction = await stage.draw(**(SMALL | {"steps": 150}), count=6)  # the last one takes longer than an edit
    await stage.delivered(interaction, 5)
    stage.discord.fail("PATCH", EDIT, delay=TOO_LONG, after=after)
    await stage.reaches(interaction, "drawn")
    await stage.discord.until(lambda: stage.discord.requests[-1].status is None, what="an edit without an answer")
    if after:
        await stage.delivered(interaction, 7)
    await stage.kill()
    stage.discord.heal()
    await stage.start()
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 6)


async def test_ten_pictures_have_their_sheet_in_a_message_below_with_a_link(stage: Stage) -> None:
    stage.webui.hold()
    interaction = await stage.draw(**SMALL, count=10)
    await stage.answered(interaction)
    for number in range(60):  # what is said while they are drawn stands between the pictures and their sheet
        stage.discord.say(stage.ada, f"are we there yet? {number}")
    stage.webui.release()
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 10)
    ((below, _),) = sheets(stage, interaction)
    message = interaction.response
    assert message is not None
    assert below is not message
    assert below.channel is message.channel
    assert f"/{message.channel.id}/{message.id}>) on one sheet" in below.content
    question = await stage.answered(await stage.discord.press(stage.ada, message, button_id(message, "delete")))
    (menu,) = [part for part in question.parts() if part.get("options")]
    await stage.discord.select(stage.ada, question, menu["custom_id"], ["9"])
    await stage.discord.until(lambda: below.deleted and len(message.attachments) == 9, what="what shows it to be gone")
    question = await stage.answered(await stage.discord.press(stage.ada, message, button_id(message, "delete")))
    await stage.discord.select(stage.ada, question, menu["custom_id"], ["all"])
    await stage.discord.until(lambda: not stage.carriers(interaction), what="the pictures and their sheet to be gone")


@pytest.mark.parametrize("private", [False, True])
async def test_what_is_deleted_in_a_history_takes_its_sheet_along(stage: Stage, private: bool) -> None:
    member = stage.discord.member("private sheets" if private else "sheets")
    interaction = await done(stage, count=10, private=private, member=member)
    ((sheet, _),) = sheets(stage, interaction)
    page = await shown_by(stage, await stage.discord.slash(member, "history"))
    (menu,) = [part for part in page.parts() if part.get("options")]
    chosen = await stage.discord.select(member, page, menu["custom_id"], [menu["options"][0]["value"]])
    card = await shown_by(stage, chosen)
    await stage.discord.press(member, card, button_id(card, "delete"))
    await stage.discord.until(lambda: sheet.deleted, what="the sheet to be gone")


async def shown_by(stage: Stage, interaction: Interaction) -> Message:
    """The private message with menus or buttons that answers it."""

    def answer() -> Message | None:
        said = [*interaction.follow_ups, interaction.original]
        return next((one for one in said if one is not None and one.components), None)

    return await stage.discord.until(answer, what=f"an answer to {interaction.id}")


@pytest.mark.parametrize("after", [False, True])
async def test_a_sheet_of_its_own_is_there_once_after_a_crash(stage: Stage, after: bool) -> None:
    stage.discord.fail("POST", POST, delay=TOO_LONG, after=after)
    interaction = await stage.draw(**SMALL, count=10)
    await stage.delivered(interaction, 10 + after)
    await stage.discord.until(
        lambda: any(one.method == "POST" and one.status is None for one in stage.discord.requests[-3:]),
        what="a message without an answer",
    )
    await stage.kill()
    stage.discord.heal()
    await stage.start()
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 10)


async def test_a_private_job_s_sheet_without_room_goes_to_its_owner_alone(stage: Stage) -> None:
    interaction = await done(stage, count=10, private=True)
    stage.arrived_once(interaction, 10)
    ((below, _),) = sheets(stage, interaction)
    assert below.channel is interaction.member.dm


async def test_a_sheet_that_the_channel_does_not_take_goes_to_its_owner(stage: Stage) -> None:
    stage.discord.set_permissions(stage.discord.channel, ORDINARY & ~Permission.SEND_MESSAGES)
    try:
        interaction = await done(stage, count=10)
    finally:
        stage.discord.set_permissions(stage.discord.channel, ORDINARY)
    stage.arrived_once(interaction, 10)
    ((below, _),) = sheets(stage, interaction)
    assert below.channel is interaction.member.dm


async def compare(stage: Stage, what: str, pictures: int, **options: Any) -> Interaction:
    """Ask, and confirm: the press is what is answered."""
    asked = await stage.draw(size="64x64", seed=3, **options, extra=f'compare:"{what}"')
    question = await stage.says(asked, f"Draw {pictures} pictures")
    assert question.ephemeral
    (button,) = question.buttons()
    return await stage.discord.press(stage.ada, question, button["custom_id"])


async def test_a_comparison_is_one_job_with_a_picture_for_each_combination_and_a_table(stage: Stage) -> None:
    renders = len(stage.webui.renders)
    press = await compare(stage, "cfg=5,7 steps=2,3", 4)
    await stage.reaches(press, "done")
    stage.arrived_once(press, 4, sheet=True)
    drawn = [render.payload for render in stage.webui.renders[renders:]]
    assert sorted((one["steps"], one["cfg_scale"]) for one in drawn) == [(2, 5), (2, 7), (3, 5), (3, 7)]
    assert {one["seed"] for one in drawn} == {3}
    (message,) = stage.carriers(press)
    assert "cfg scale `5 / 7`" in message.content
    assert "steps `2 / 3`" in message.content
    table = picture(stage, press)
    assert table.width > 2 * 200  # the rows' headings stand at the side


async def test_checkpoints_are_compared_and_each_is_loaded_once(stage: Stage) -> None:
    names = ["dreamLandscapes_v4", "paperCutout_v12"]
    renders = len(stage.webui.renders)
    press = await compare(stage, f"checkpoint={','.join(names)} cfg=5,7", 4, steps=2)
    await stage.reaches(press, "done")
    stage.arrived_once(press, 4, sheet=True)
    drawn = [render.payload for render in stage.webui.renders[renders:]]
    used = [one["override_settings"]["sd_model_checkpoint"] for one in drawn]
    assert used[0] == used[1] != used[2] == used[3]


async def test_again_compares_again_with_another_seed_and_one_picture_of_it_can_be_varied(stage: Stage) -> None:
    press = await compare(stage, "cfg=5,7 steps=2,3", 4)
    await stage.reaches(press, "done")
    (message,) = stage.carriers(press)
    await stage.restart()
    renders = len(stage.webui.renders)
    again = await stage.discord.press(stage.ada, message, button_id(message, "again"))
    await stage.reaches(again, "done")
    stage.arrived_once(again, 4, sheet=True)
    drawn = [render.payload for render in stage.webui.renders[renders:]]
    assert sorted((one["steps"], one["cfg_scale"]) for one in drawn) == [(2, 5), (2, 7), (3, 5), (3, 7)]
    (seed,) = {one["seed"] for one in drawn}
    assert seed != 3
    question = await stage.answered(await stage.discord.press(stage.ada, message, button_id(message, "vary")))
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    varied = await stage.discord.select(stage.ada, question, menu["custom_id"], ["3"])
    await stage.reaches(varied, "done")
    last = stage.webui.renders[-1].payload
    assert (last["steps"], last["cfg_scale"], last["seed"]) == (3, 7, 3)


async def test_what_can_not_be_compared_is_refused_before_the_question(stage: Stage) -> None:
    jobs = len(stage.rows())

    async def said(what: str, more: str = "", **options: Any) -> str:
        return await stage.refused(**(SMALL | options), extra=f'compare:"{what}" {more}')

    assert "12 pictures; at most 10" in await said("cfg=1,2,3,4 clip_skip=1,2,3")
    assert "leave its option out" in await said("steps=2,3")
    words = await said("cfg=5,x colour=red,blue sampler=Euler")
    assert all(word in words for word in ("a number", "colour", "needs two values"))
    assert "no sampler called" in await said("sampler=Euler,nonsense")
    assert "leave the count out" in await said("cfg=5,7", count=3)
    assert "can't be asked for at once" in await said("cfg=5,7", "permutations:yes")
    assert "would be the same" in await said("denoising_strength=0.2,0.5")
    assert len(stage.rows()) == jobs


async def test_permutations_of_two_choices_are_a_table_with_a_legend_of_what_its_font_lacks(stage: Stage) -> None:
    options = {**SMALL, "extra": "permutations:yes sheet:yes"}
    question = await stage.says(await stage.draw("a {red|蓝*色*} {fox|owl}", **options), "Draw 4 pictures")
    (button,) = question.buttons()
    press = await stage.discord.press(stage.ada, question, button["custom_id"])
    await stage.reaches(press, "done")
    stage.arrived_once(press, 4, sheet=True)
    (message,) = stage.carriers(press)
    assert "On the sheet: (A) 蓝\\*色\\*" in message.content
