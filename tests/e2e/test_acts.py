"""The buttons under a result: after a restart, without its row, for the right person only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from playground.discord import Interaction, Member, Message
from tests.buttons import button_id
from tests.core.images.pictures import as_png, noise
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "cfg_scale": 6.5, "seed": 40}
MESSAGES = r"/messages/"


async def press(stage: Stage, message: Message, verb: str, member: Member | None = None) -> Interaction:
    return await stage.discord.press(member or stage.ada, message, button_id(message, verb))


def options(message: Message) -> list[str]:
    """What a choice offers."""
    return [option["label"] for part in message.parts() for option in part.get("options", ())]


async def choose(stage: Stage, message: Message, value: str) -> Interaction:
    (menu,) = [part for part in message.parts() if part.get("options")]
    return await stage.discord.select(stage.ada, message, menu["custom_id"], [value])


def forget(stage: Stage, *tables: str) -> None:
    """As after the loss of the database: the bot is away meanwhile."""
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        for table in tables:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # ours
        connection.commit()


async def result(stage: Stage, prompt: str = "a red fox", **options: Any) -> Message:
    interaction = await stage.draw(prompt, **{**SMALL, **options})
    message = await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return message


async def test_every_button_is_there_and_none_is_an_orphan(stage: Stage) -> None:
    message = await result(stage)
    labels = [button["label"] for button in message.buttons()]
    assert labels == [
        "Again", "Vary", "Vary strongly", "Edit", "Favourite",
        "Hires", "Upscale", "Use as image", "Details", "Delete",
    ]  # fmt: skip


async def test_again_draws_the_whole_job_with_another_seed_and_says_what_it_follows(stage: Stage) -> None:
    message = await result(stage, count=2)
    await stage.restart()
    renders = len(stage.webui.renders)
    again = await press(stage, message, "again")
    shown = await stage.delivered(again, 2)
    drawn = [render.payload for render in stage.webui.renders[renders:]]
    assert {one["prompt"] for one in drawn} == {"a red fox"}
    assert {one["cfg_scale"] for one in drawn} == {6.5}
    seeds = sorted(one["seed"] for one in drawn)
    assert seeds[1] == seeds[0] + 1
    assert 40 not in seeds
    guild = message.channel.guild
    assert guild is not None
    link = f"https://discord.com/channels/{guild.id}/{message.channel.id}/{message.id}"
    assert f"The same again as [another picture](<{link}>)" in shown.content


@pytest.mark.parametrize(("verb", "strength"), [("vary", 0.1), ("strong", 0.35)])
async def test_a_variation_has_the_picture_s_seed_and_some_of_another(stage: Stage, verb: str, strength: float) -> None:
    message = await result(stage)
    renders = len(stage.webui.renders)
    await stage.delivered(await press(stage, message, verb))
    (render,) = stage.webui.renders[renders:]
    assert (render.payload["seed"], render.payload["subseed_strength"]) == (40, strength)
    assert render.payload["subseed"] not in (-1, 40)


async def test_of_several_pictures_one_is_chosen_first(stage: Stage) -> None:
    message = await result(stage, "a {red|blue} fox", count=3)
    drawn = {render.payload["seed"]: render.payload["prompt"] for render in stage.webui.renders[-3:]}
    question = await stage.answered(await press(stage, message, "vary"))
    assert question.ephemeral
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    assert [option["label"] for option in menu["options"]] == ["Picture 1", "Picture 2", "Picture 3"]
    chosen = await stage.discord.select(stage.ada, question, menu["custom_id"], ["2"])
    await stage.delivered(chosen)
    payload = stage.webui.renders[-1].payload
    assert (payload["seed"], payload["prompt"]) == (42, drawn[42])


async def test_hires_is_the_same_picture_with_a_second_pass_and_not_twice(stage: Stage) -> None:
    message = await result(stage)
    shown = await stage.delivered(await press(stage, message, "hires"))
    payload = stage.webui.renders[-1].payload
    assert (payload["seed"], payload["enable_hr"], payload["hr_scale"]) == (40, True, 2.0)
    assert "A second pass over" in shown.content
    refusal = await stage.answered(await press(stage, shown, "hires"))
    assert refusal.ephemeral
    assert "second pass already" in refusal.content


async def test_a_lost_row_is_made_up_for_by_the_picture_itself(stage: Stage) -> None:
    message = await result(stage, negative_prompt="fog", private=False)
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    await stage.delivered(await press(stage, message, "vary"))
    payload = stage.webui.renders[-1].payload
    assert (payload["prompt"], payload["negative_prompt"], payload["seed"]) == ("a red fox", "fog", 40)
    assert (payload["cfg_scale"], payload["steps"], payload["width"]) == (6.5, 2, 64)
    details = await stage.answered(await press(stage, message, "details"))
    await stage.discord.until(lambda: "Steps `2`" in details.content, what="the details")
    assert details.ephemeral
    message.attachments.clear()
    sentence = await stage.answered(await press(stage, message, "again"))
    assert "I don't know this picture any more" in sentence.content
    assert sentence.ephemeral


async def test_anybody_may_draw_a_copy_of_their_own(stage: Stage) -> None:
    message = await result(stage)
    mallory = stage.discord.member("mallory")
    again = await press(stage, message, "again", mallory)
    await stage.delivered(again)
    assert stage.row(again)["owner_id"] == str(mallory.id)


async def test_details_tell_everything_to_who_asks_with_the_command_to_copy(stage: Stage) -> None:
    message = await result(stage, "a <@1> fox, `ticks`", negative_prompt="fog")
    child = await stage.delivered(await press(stage, message, "vary"))
    details = await stage.answered(await press(stage, child, "details"))
    assert details.ephemeral
    assert "Steps `2`" in details.content
    assert "a variation of [" in details.content
    assert "/draw prompt:a <@" in details.content
    assert "negative_prompt:fog size:64x64" in details.content


async def test_delete_takes_everything_away_and_only_for_its_owner_or_a_moderator(stage: Stage) -> None:
    message = await result(stage, "nothing that is drawn elsewhere")
    job = stage.rows()[-1]["id"]
    refusal = await stage.answered(await press(stage, message, "delete", stage.discord.member("mallory")))
    assert "Only the person who asked" in refusal.content
    files = {path.name for path in (stage.bot.data_dir / "pictures").rglob("*.png")}
    await press(stage, message, "delete")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    await until(lambda: not stage.rows(f"id = '{job}'"), what="the row to be gone")
    await until(lambda: {path.name for path in (stage.bot.data_dir / "pictures").rglob("*.png")} < files)


async def test_a_moderator_of_another_server_deletes_what_is_shown_there_alone(stage: Stage) -> None:
    message = await result(stage)
    there = stage.discord.add_channel("there", guild=stage.discord.add_guild("another"))
    show = await stage.discord.slash(stage.ada, "show", channel=there, id=message.attachments[0].filename)
    copy = await stage.answered(show)
    await stage.discord.until(lambda: copy.attachments, what="a picture")
    await press(stage, copy, "delete", stage.discord.member("root", administrator=True))
    await stage.discord.until(lambda: copy.deleted, what="the copy to be gone")
    await stage.answered(await press(stage, message, "details"))
    assert not message.deleted
    assert stage.rows(f"message_id = '{message.id}'")


async def test_one_of_several_is_deleted_alone_and_the_others_keep_their_numbers(stage: Stage) -> None:
    message = await result(stage, "nothing that is the same", count=3)
    job = stage.rows()[-1]["id"]
    refusal = await stage.answered(await press(stage, message, "delete", stage.discord.member("mallory")))
    assert "Only the person who asked" in refusal.content
    files = {path.name for path in (stage.bot.data_dir / "pictures").rglob("*.png")}
    question, other = [await stage.answered(await press(stage, message, "delete")) for _ in range(2)]
    assert question.ephemeral
    assert options(question) == ["Picture 1", "Picture 2", "Picture 3", "All 3 pictures"]
    await choose(stage, question, "1")
    await stage.discord.until(lambda: question.deleted and len(message.attachments) == 2, what="one to be gone")
    assert [one.filename for one in message.attachments] == [f"easel-{job}-1.png", f"easel-{job}-3.png"]
    assert "no picture of this job" in (await stage.answered(await choose(stage, other, "1"))).content
    assert message.content.count("picture 2 was deleted") == 1
    left = {path.name for path in (stage.bot.data_dir / "pictures").rglob("*.png")}
    assert len(files - left) == 1
    question = await stage.answered(await press(stage, message, "vary"))
    assert options(question) == ["Picture 1", "Picture 3"]
    await stage.delivered(await choose(stage, question, "2"))
    assert stage.webui.renders[-1].payload["seed"] == 42
    question = await stage.answered(await press(stage, message, "delete"))
    await choose(stage, question, "all")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    await until(lambda: not stage.rows(f"id = '{job}'"), what="the row to be gone")


async def test_of_a_private_answer_one_is_chosen_below_it_and_the_last_one_takes_it_away(stage: Stage) -> None:
    message = await result(stage, "nothing that others see", count=2, private=True)
    await stage.restart()
    await press(stage, message, "delete")
    await stage.discord.until(lambda: options(message) != [], what="the question")
    await choose(stage, message, "0")
    await stage.discord.until(lambda: len(message.attachments) == 1, what="one to be gone")
    assert options(message) == []
    await press(stage, message, "delete")
    await stage.discord.until(lambda: message.deleted, what="the answer to be gone")


async def test_one_of_several_is_deleted_where_their_row_is_lost(stage: Stage) -> None:
    message = await result(stage, count=2)
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    question = await stage.answered(await press(stage, message, "delete"))
    await choose(stage, question, "0")
    await stage.discord.until(lambda: len(message.attachments) == 1, what="one to be gone")
    await press(stage, message, "delete")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")


async def test_a_message_that_may_not_be_changed_any_more_is_said_to_stay(stage: Stage) -> None:
    message = await result(stage, "nothing that stays", count=2)
    job = stage.rows()[-1]["id"]
    question = await stage.answered(await press(stage, message, "delete"))
    for method in ("PATCH", "DELETE"):
        stage.discord.fail(method, MESSAGES, status=403, times=20)
    for value, rows in (("0", 1), ("all", 0)):
        chosen = await choose(stage, question, value)
        await stage.discord.until(lambda chosen=chosen: chosen.follow_ups, what="a sentence")  # type: ignore[misc]  # bound now
        sentence = chosen.follow_ups[-1]
        assert sentence.ephemeral
        assert "I may not change the message that shows it" in sentence.content
        assert len(stage.rows(f"id = '{job}'")) == rows
    stage.discord.heal()
    assert len(message.attachments) == 2
    await choose(stage, await stage.answered(await press(stage, message, "delete")), "all")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")


async def test_two_who_delete_at_once_are_told_nothing_wrong(stage: Stage) -> None:
    message = await result(stage, "nothing that is there twice")
    jobs = len(stage.rows())
    presses = [await press(stage, message, "delete") for _ in range(2)]
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    await until(lambda: len(stage.rows()) == jobs - 1, what="the row to be gone")
    await stage.discord.until(lambda: all(one.acknowledged for one in presses), what="both to be answered")
    await stage.drawn(**SMALL)  # whatever was said to them is there by now
    said = [one.content for pressed in presses for one in pressed.messages if "forgotten" in one.content]
    assert said == []


async def test_a_second_press_while_the_first_is_at_work_is_another_job(stage: Stage) -> None:
    message = await result(stage)
    stage.webui.hold()
    try:
        first, second = await press(stage, message, "again"), await press(stage, message, "again")
        await stage.answered(first)
        await stage.answered(second)
    finally:
        stage.webui.release()
    await stage.delivered(first)
    await stage.delivered(second)
    assert stage.row(first)["id"] != stage.row(second)["id"]


async def test_what_was_drawn_over_an_image_that_is_no_longer_kept_is_not_drawn_again(stage: Stage) -> None:
    message = await result(stage, image=as_png(noise(64, 64)), denoising_strength=0.5)
    await stage.delivered(await press(stage, message, "again"))
    forget(stage, "inputs")
    jobs = len(stage.rows())
    sentence = await stage.answered(await press(stage, message, "vary"))
    assert sentence.ephemeral
    assert "no longer kept" in sentence.content
    assert len(stage.rows()) == jobs
