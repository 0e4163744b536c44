"""Who is next, and what /queue says of it: fair turns, places, times, and the end of one's own jobs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from playground.discord import Channel, Interaction, Member, Message
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
SOON = r"starts <t:[0-9]{10}:R>"


async def busy(stage: Stage) -> Interaction:
    """A job of cleo's that keeps the webui until it is released."""
    stage.webui.hold()
    interaction = await stage.draw("cleo's", member=stage.discord.member("cleo"), **OPTIONS)
    await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.running is not None)
    return interaction


async def waits(stage: Stage, prompt: str, member: Member, **options: Any) -> Interaction:
    interaction = await stage.draw(prompt, member=member, **(OPTIONS | options))
    await stage.answered(interaction)
    return interaction


async def all_drawn(stage: Stage, *interactions: Interaction) -> None:
    stage.webui.release()
    for interaction in interactions:
        await stage.delivered(interaction)
        await stage.reaches(interaction, "done")


async def queue(stage: Stage, member: Member, channel: Channel | None = None, **options: Any) -> Message:
    """What /queue answers; with `cancel`, once the answer is there."""
    interaction = await stage.discord.slash(member, "queue", channel=channel, **options)
    message = await stage.answered(interaction)
    await stage.discord.until(lambda: message.content, what="words")
    assert message.ephemeral or channel is member.dm
    return message


async def test_somebody_who_asks_for_one_is_not_behind_all_of_somebody_who_asks_for_many(stage: Stage) -> None:
    first = await busy(stage)
    bea = stage.discord.member("bea")
    adas = [await waits(stage, f"ada's {number}", stage.ada) for number in range(8)]
    beas = await waits(stage, "bea's", bea)
    reply = await stage.answered(beas)
    assert re.match(rf"\*\*(Next in line|2nd in the queue)\*\* · {SOON}\n", reply.content)
    drawn = len(stage.webui.renders)
    await all_drawn(stage, first, *adas, beas)
    order = [render.payload["prompt"] for render in stage.webui.renders[drawn:]]
    assert "bea's" in order[:2]
    assert [prompt for prompt in order if prompt != "bea's"] == [f"ada's {number}" for number in range(8)]


async def test_pictures_of_one_job_do_not_hold_up_somebody_else_either(stage: Stage) -> None:
    first = await busy(stage)
    adas = await waits(stage, "ada's", stage.ada, count=8)
    beas = await waits(stage, "bea's", stage.discord.member("bea"))
    drawn = len(stage.webui.renders)
    await all_drawn(stage, first, beas)
    await stage.delivered(adas, 8)
    await stage.reaches(adas, "done")
    assert "bea's" in [render.payload["prompt"] for render in stage.webui.renders[drawn : drawn + 2]]
    stage.arrived_once(adas, 8)


async def test_the_queue_says_whose_turn_it_is_when_and_why(stage: Stage) -> None:
    first = await busy(stage)
    bea = stage.discord.member("bea")
    jobs = [await waits(stage, "a red fox", stage.ada), await waits(stage, "an owl", stage.ada)]
    jobs.append(await waits(stage, "bea's", bea))
    head, *lines = (await queue(stage, stage.ada)).content.splitlines()
    assert head == "**Next**"
    assert sorted(line[3:].partition(" ")[0] for line in lines[:3]) == ["**you**", "**you**", f"<@{bea.id}>"]
    for number, line in enumerate(lines[:3], 1):
        assert re.fullmatch(rf"{number}\. \S+ · {SOON} · [a-z ]+", line)
    assert lines[3] == "**Yours**"
    assert [line.rpartition(" · ")[2] for line in lines[4:6]] == ["a red fox", "an owl"]
    assert all(re.search(rf"^- (next in line|[23](nd|rd) in the queue) · {SOON} · ", line) for line in lines[4:6])
    assert "/queue cancel" in lines[6]
    assert not (await queue(stage, bea)).pinged
    await all_drawn(stage, first, *jobs)
    assert (await queue(stage, stage.ada)).content == "**Nobody is waiting**"


async def test_people_of_other_servers_are_not_named(stage: Stage) -> None:
    first = await busy(stage)
    job = await waits(stage, "a red fox", stage.ada)
    elsewhere = stage.discord.add_channel("elsewhere", guild=stage.discord.add_guild("Another"))
    dan = stage.discord.member("dan")
    for channel in (elsewhere, dan.dm):
        text = (await queue(stage, dan, channel)).content
        assert re.search(rf"^1\. somebody elsewhere · {SOON} · [a-z ]+$", text, re.MULTILINE)
        assert str(stage.ada.id) not in text
        assert "fox" not in text
    await all_drawn(stage, first, job)


async def test_the_running_one_is_told_as_such(stage: Stage) -> None:
    first = await busy(stage)
    text = (await queue(stage, stage.discord.member("cleo"))).content
    assert text.splitlines()[:3] == ["**Nobody is waiting**", "**Yours**", "- being drawn · cleo's"]
    await all_drawn(stage, first)


async def test_one_of_one_s_jobs_is_cancelled_from_the_list(stage: Stage) -> None:
    first = await busy(stage)
    fox, owl = [await waits(stage, prompt, stage.ada) for prompt in ("a red fox", "an owl")]
    await waits(stage, "bea's", stage.discord.member("bea"))
    offers = await stage.discord.autocomplete(stage.ada, "queue", "cancel", "")
    assert [(one.name, one.value) for one in offers] == [
        ("All 2 of them", "all"),
        ("a red fox", str(fox.id)),
        ("an owl", str(owl.id)),
    ]
    (offer,) = await stage.discord.autocomplete(stage.ada, "queue", "cancel", "OWL")
    answer = await queue(stage, stage.ada, cancel=offer.value)
    assert answer.content == "Cancelled before it was begun.\n```\nan owl\n```"
    reply = await stage.says(owl, "**Cancelled before it was begun.**")
    assert not reply.buttons()
    assert stage.row(owl)["state"] == "cancelled"
    await all_drawn(stage, first, fox)
    assert stage.uploads(owl) == []


async def test_all_of_one_s_jobs_are_cancelled_and_nobody_else_s(stage: Stage) -> None:
    first = await busy(stage)
    bea = stage.discord.member("bea")
    mine = [await waits(stage, f"picture {number}", stage.ada) for number in range(3)]
    hers = await waits(stage, "bea's", bea)
    assert await stage.discord.autocomplete(stage.discord.member("dan"), "queue", "cancel", "") == []
    answer = await queue(stage, stage.ada, cancel="all")
    assert answer.content == "3 of 3 jobs cancelled."
    for interaction in mine:
        assert stage.row(interaction)["state"] == "cancelled"
        assert not (await stage.says(interaction, "Cancelled")).buttons()
    await all_drawn(stage, first, hers)


async def test_somebody_else_s_job_is_not_to_be_cancelled_here(stage: Stage) -> None:
    first = await busy(stage)
    hers = await waits(stage, "bea's", stage.discord.member("bea"))
    nothing = await queue(stage, stage.ada, cancel=str(hers.id))
    assert nothing.content == "You have nothing in the queue."
    mine = await waits(stage, "a red fox", stage.ada)
    refused = await queue(stage, stage.ada, cancel=str(hers.id))
    assert refused.content == "You have no such job in the queue; choose one from the list, or write all."
    assert stage.row(hers)["state"] == "queued"
    await all_drawn(stage, first, hers, mine)


async def test_an_answer_that_comes_too_late_is_a_line_in_the_log_and_no_error(stage: Stage) -> None:
    stage.discord.fail("POST", r"^/interactions/\d+/[^/]+/callback$", status=404, code=10062)
    await stage.discord.slash(stage.ada, "queue")
    await until(lambda: "an answer came too late" in stage.bot.log(), what="the bot to notice")
