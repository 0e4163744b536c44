"""`/history`, `/show` and ⭐: pages that survive a restart, for the right person only, whatever is typed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from playground.discord import Interaction, Member, Message
from tests.buttons import button_id
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 40}


async def drawn(stage: Stage, prompt: str, *, member: Member | None = None, **options: Any) -> Interaction:
    interaction = await stage.draw(prompt, member=member, **{**SMALL, **options})
    await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return interaction


async def history(stage: Stage, member: Member | None = None, **wanted: Any) -> Message:
    """The page, or the sentence in its place."""
    interaction = await stage.discord.slash(member or stage.ada, "history", **wanted)
    return await settled(stage, interaction)


async def settled(stage: Stage, interaction: Interaction) -> Message:
    """The answer, once it is more than a promise."""

    def answer() -> Message | None:
        said = [*interaction.follow_ups, interaction.original]
        return next((one for one in said if one is not None and not one.thinking and not one.deleted), None)

    return await stage.discord.until(answer, what=f"an answer to {interaction.id}")


def text_of(message: Message) -> str:
    return "\n".join([message.content, *(part["content"] for part in message.parts() if part["type"] == 10)])


def shown(message: Message) -> list[str]:
    """The pictures of a page, as its menu names them."""
    return [option["label"] for part in message.parts() for option in part.get("options", ())]


def labels(message: Message) -> list[str]:
    return [button["label"] for button in message.buttons()]


async def card(stage: Stage, page: Message, label: str, member: Member | None = None) -> Message:
    """The card of the picture whose label ends so."""
    (menu,) = [part for part in page.parts() if part.get("options")]
    (value,) = [option["value"] for option in menu["options"] if option["label"].endswith(label)]
    return await settled(stage, await stage.discord.select(member or stage.ada, page, menu["custom_id"], [value]))


def change(stage: Stage, statement: str, *values: str) -> None:
    """As time, or another process, would have changed a row."""
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        connection.execute(statement, values)
        connection.commit()


async def test_pages_have_thumbnails_and_lead_on_after_a_restart(stage: Stage) -> None:
    member = stage.discord.member("grace")
    for number in range(6):
        await drawn(stage, f"owl {number}", member=member)
    page = await history(stage, member, words="ow")
    assert page.ephemeral
    assert shown(page) == [f"{number + 1} · owl {5 - number}" for number in range(5)]
    assert [one.filename.rpartition(".")[2] for one in page.attachments] == ["jpg"] * 5
    assert len([part for part in page.parts() if part["type"] == 11]) == 5
    assert labels(page) == ["Older"]
    assert "page 1" in text_of(page)
    assert "words `ow`" in text_of(page)
    await stage.restart()
    await stage.discord.press(member, page, button_id(page, "page"))
    await stage.discord.until(lambda: "page 2" in text_of(page), what="the second page")
    assert shown(page) == ["6 · owl 0"]
    assert len(page.attachments) == 1
    assert labels(page) == ["Newer"]
    change(stage, "DELETE FROM searches")
    gone = await settled(stage, await stage.discord.press(member, page, button_id(page, "page")))
    assert "I don't keep this search any more" in gone.content


async def test_a_page_that_is_gone_gives_the_newest(stage: Stage) -> None:
    member = stage.discord.member("joan")
    for number in range(6):
        await drawn(stage, f"fish {number}", member=member)
    page = await history(stage, member)
    last = page.buttons()[0]["custom_id"]
    change(stage, "DELETE FROM gallery WHERE owner_id = ? AND words != 'fish 5'", str(member.id))
    await stage.discord.press(member, page, last)
    await stage.discord.until(lambda: "That page is gone" in text_of(page), what="the sentence")
    assert shown(page) == ["1 · fish 5"]


async def test_filters_find_and_what_finds_nothing_says_so(stage: Stage) -> None:
    member = stage.discord.member("edith")
    assert "You have no pictures yet" in text_of(await history(stage, member))
    assert "You have no favourites yet" in text_of(await history(stage, member, favourites=True))
    await drawn(stage, "a red tower", member=member)
    await drawn(stage, "# @everyone <@1> `tower` https://evil.example/", member=member, negative_prompt="fog")
    assert len(shown(await history(stage, member, words="tow"))) == 2
    assert len(shown(await history(stage, member, words="fog"))) == 1
    assert len(shown(await history(stage, member, checkpoint="DREAM", since="today", until="today"))) == 2
    (offer,) = await stage.discord.autocomplete(member, "history", "checkpoint", "SCAPES")
    assert len(shown(await history(stage, member, checkpoint=offer.value))) == 2
    stranger = stage.discord.member("nobody")
    for option in ("checkpoint", "lora"):
        assert await stage.discord.autocomplete(stranger, "history", option, "") == []
    nothing = text_of(await history(stage, member, words="zebra", lora="@everyone `x`"))
    assert "None of your pictures fits: words `zebra` · LoRA" in nothing
    page = await history(stage, member)
    assert not page.pinged_everyone
    assert "https://" not in text_of(page)


async def test_what_can_t_be_understood_is_said_all_at_once(stage: Stage) -> None:
    answer = await history(stage, words="a " * 3000, checkpoint="x" * 6000, lora="y" * 6000, since="soon", until="-1")
    assert answer.ephemeral
    for words in ("since is no date", "until is no date", "at most 20 words", "checkpoint's name", "lora's name"):
        assert words in answer.content


async def test_a_chosen_picture_is_kept_shown_and_deleted(stage: Stage) -> None:
    member = stage.discord.member("mary")
    job = await drawn(stage, "a green kettle", member=member)
    page = await history(stage, member)
    await stage.restart()
    chosen = await card(stage, page, "a green kettle", member)
    assert chosen.ephemeral
    assert labels(chosen) == ["Again", "Show here", "Favourite", "Details", "Delete"]
    await stage.discord.press(member, chosen, button_id(chosen, "keep"))
    await stage.discord.until(lambda: "No favourite" in labels(chosen), what="the star")
    assert len(chosen.attachments) == 1
    assert shown(await history(stage, member, favourites=True)) == ["1 · a green kettle"]
    await stage.discord.press(member, chosen, button_id(chosen, "keep"))
    await stage.discord.until(lambda: "Favourite" in labels(chosen), what="no star")
    copy = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    assert not copy.ephemeral
    assert [one.filename for one in copy.attachments] == [f"easel-{job.id}-1.png"]
    assert "a green kettle" in copy.content
    details = await stage.answered(await stage.discord.press(member, copy, button_id(copy, "details")))
    assert "Steps `2`" in details.content
    (original,) = [one for one in stage.carriers(job) if one is not copy]
    await stage.discord.press(member, chosen, button_id(chosen, "delete"))
    await stage.discord.until(lambda: chosen.deleted and original.deleted, what="both to be gone")
    await until(lambda: not stage.row(job), what="the row to be gone")
    again = await card(stage, page, "a green kettle", member)
    assert "I don't know this picture any more" in again.content


async def test_one_of_several_is_shown_alone_with_its_own_buttons(stage: Stage) -> None:
    member = stage.discord.member("hedy")
    job = await drawn(stage, "{a|b} bell", member=member, count=2)
    page = await history(stage, member, words="bell")
    (menu,) = [part for part in page.parts() if part.get("options")]
    second = next(option["value"] for option in menu["options"] if option["value"].endswith(":1"))
    chosen = await settled(stage, await stage.discord.select(member, page, menu["custom_id"], [second]))
    assert labels(chosen)[-1] == "Delete"
    copy = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    assert [one.filename for one in copy.attachments] == [f"easel-{job.id}-2.png"]
    renders = len(stage.webui.renders)
    await stage.delivered(await stage.discord.press(member, copy, button_id(copy, "vary")))
    assert stage.webui.renders[renders].payload["seed"] == 41
    (original,) = [one for one in stage.carriers(job) if one is not copy]
    moderator = stage.discord.member("a moderator elsewhere", administrator=True)
    other = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    await stage.discord.press(moderator, other, button_id(other, "delete"))
    await stage.discord.until(lambda: other.deleted, what="the copy to be gone")
    assert len(original.attachments) == 2
    assert stage.row(job)
    await stage.discord.press(member, copy, button_id(copy, "delete"))
    await stage.discord.until(lambda: copy.deleted and len(original.attachments) == 1, what="that one to be gone")
    assert [one.filename for one in original.attachments] == [f"easel-{job.id}-1.png"]
    sentence = await stage.answered(await stage.discord.press(member, chosen, button_id(chosen, "delete")))
    assert "no picture of this job" in sentence.content
    assert len(original.attachments) == 1


async def test_the_card_of_one_of_several_deletes_that_one(stage: Stage) -> None:
    member = stage.discord.member("grete")
    job = await drawn(stage, "a pewter jug", member=member, count=2)
    (message,) = stage.carriers(job)
    page = await history(stage, member, words="pewter")
    (menu,) = [part for part in page.parts() if part.get("options")]
    chosen = await settled(stage, await stage.discord.select(member, page, menu["custom_id"], [f"{job.id}:0"]))
    await stage.discord.press(member, chosen, button_id(chosen, "delete"))
    await stage.discord.until(lambda: chosen.deleted and len(message.attachments) == 1, what="that one to be gone")
    assert [one.filename for one in message.attachments] == [f"easel-{job.id}-2.png"]
    assert len(shown(await history(stage, member, words="pewter"))) == 1


async def test_what_was_not_delivered_is_marked_and_offered(stage: Stage) -> None:
    member = stage.discord.member("ida")
    job = await drawn(stage, "a lost glove", member=member, count=2)
    for message in stage.carriers(job):
        stage.discord.delete_message(message)
    change(stage, "UPDATE jobs SET delivered_to = 'kept', message_id = NULL WHERE id = ?", str(job.id))
    page = await history(stage, member)
    assert text_of(page).count("**not delivered**") == 2
    assert "could not be delivered" in text_of(page)
    (menu,) = [part for part in page.parts() if part.get("options")]
    value = menu["options"][0]["value"]
    chosen = await settled(stage, await stage.discord.select(member, page, menu["custom_id"], [value]))
    assert "Show all 2 here" in labels(chosen)
    copy = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    assert len(copy.attachments) == 2
    await until(lambda: stage.row(job)["message_id"] == str(copy.id), what="the row to know the message")
    assert "not delivered" not in text_of(await history(stage, member))


async def test_a_file_that_is_gone_is_fetched_from_discord_until_it_is_gone_there(stage: Stage) -> None:
    member = stage.discord.member("ruth")
    job = await drawn(stage, "a paper boat", member=member, seed=4711)
    (part,) = stage.parts(job)
    for path in (stage.bot.data_dir / "pictures").rglob("*.png"):
        if path.name in part["result"]:
            path.unlink()
    page = await history(stage, member)
    assert [one.data[:3] for one in page.attachments] == [b"\xff\xd8\xff"]
    assert "no file here" not in text_of(page)
    chosen = await card(stage, page, "a paper boat", member)
    copy = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    original = job.response
    assert original is not None
    assert [one.data for one in copy.attachments] == [one.data for one in original.attachments]
    stage.discord.delete_message(original)
    refusal = await settled(stage, await stage.discord.press(member, chosen, button_id(chosen, "show")))
    assert refusal.ephemeral
    assert "neither on the bot's disk any more, nor in its message" in refusal.content
    page = await history(stage, member)
    assert page.attachments == []
    assert "no file here" in text_of(page)


async def test_show_posts_by_id_what_somebody_may_see(stage: Stage) -> None:
    mine = await drawn(stage, "a quiet pond", spoiler=True)
    hidden = await drawn(stage, "a secret pond", private=True)
    mallory = stage.discord.member("mallory")

    async def show(wanted: str, member: Member = stage.ada) -> Message:
        return await settled(stage, await stage.discord.slash(member, "show", id=wanted))

    choices = await stage.discord.autocomplete(stage.ada, "show", "id", "pond")
    assert [choice.value for choice in choices] == [f"{hidden.id}-1", f"{mine.id}-1"]
    assert [choice.value for choice in await stage.discord.autocomplete(mallory, "show", "id", "pond")] == []
    await stage.restart()
    copy = await show(f"{mine.id}-1")
    assert (copy.ephemeral, [one.filename for one in copy.attachments]) == (False, [f"SPOILER_easel-{mine.id}-1.png"])
    private = await show(f"{hidden.id}")
    assert private.ephemeral
    assert len(private.attachments) == 1
    assert len((await show(str(mine.id), mallory)).attachments) == 1
    for wanted, member in (
        (str(hidden.id), mallory),
        ("12345", stage.ada),
        ("x" * 6000, stage.ada),
        ("@everyone", mallory),
    ):
        refusal = await show(wanted, member)
        assert refusal.ephemeral
        assert "There is no picture of yours" in refusal.content
    hall = stage.discord.add_channel("hall")
    elsewhere = await stage.discord.slash(stage.ada, "draw", channel=hall, prompt="a hidden pond", **SMALL)
    await stage.delivered(elsewhere)
    await stage.reaches(elsewhere, "done")
    stage.discord.delete_channel(hall)
    assert "There is no picture of yours" in (await show(str(elsewhere.id), mallory)).content
    assert len((await show(str(elsewhere.id))).attachments) == 1
    assert "no such picture" in (await show(f"{mine.id}-9")).content


async def test_a_star_under_a_result_keeps_it_for_whoever_pressed(stage: Stage) -> None:
    job = await drawn(stage, "a blue door", count=2)
    (message,) = stage.carriers(job)
    fan = stage.discord.member("fan")
    question = await settled(stage, await stage.discord.press(fan, message, button_id(message, "star")))
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    said = await settled(stage, await stage.discord.select(fan, question, menu["custom_id"], ["1"]))
    assert "Kept" in said.content
    page = await history(stage, fan, favourites=True, words="blue")
    assert shown(page) == ["1 · a blue door"]
    chosen = await card(stage, page, "a blue door", fan)
    assert "Delete" not in " ".join(labels(chosen))
    said = await settled(stage, await stage.discord.select(fan, question, menu["custom_id"], ["1"]))
    assert "no favourite" in said.content
    assert "You have no favourites yet" in text_of(await history(stage, fan, favourites=True))


async def test_what_discord_refuses_of_a_shown_picture_is_left_out_or_said(stage: Stage) -> None:
    member = stage.discord.member("rosa")
    job = await drawn(stage, "a forbidden word", member=member)
    stage.discord.fail("POST", r"^/webhooks/\d+/[^/]+$", status=400, code=200000)
    copy = await settled(stage, await stage.discord.slash(member, "show", id=str(job.id)))
    assert len(copy.attachments) == 1
    assert "forbidden" not in copy.content
    stage.discord.fail("POST", r"^/webhooks/\d+/[^/]+$", status=413, code=40005)
    refusal = await settled(stage, await stage.discord.slash(member, "show", id=str(job.id)))
    assert refusal.ephemeral
    assert "too large" in refusal.content
