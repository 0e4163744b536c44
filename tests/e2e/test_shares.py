"""How many jobs a person and a server may have in the queue, and what a role is worth there."""

from __future__ import annotations

import re
import time
from typing import Any

from playground.discord import Member
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import Stage

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}


async def held(stage: Stage, prompt: str, member: Member) -> Any:
    """A job that takes a place; the first one keeps the webui."""
    interaction = await stage.draw(prompt, member=member, **OPTIONS)
    assert not (await stage.answered(interaction)).ephemeral
    return interaction


async def test_who_has_all_their_places_is_told_when_to_try_again_and_loses_nothing(new_stage: OpenStage) -> None:
    stage = await new_stage(QUEUE_PLACES_PER_PERSON="2", QUEUE_PLACES_PER_SERVER="3")
    bea, cleo = stage.discord.member("bea"), stage.discord.member("cleo")
    stage.webui.hold()
    jobs = [await held(stage, "first", stage.ada), await held(stage, "second", stage.ada)]
    await stage.webui.until(lambda: stage.webui.running is not None)
    said = (await stage.refused("a third *fox*", **OPTIONS)).splitlines()
    assert said[0] == (
        "You have 2 jobs in the queue, as many as one person may have at once. "
        "Wait until one is done, or cancel one with /queue."
    )
    assert re.fullmatch(r"Try again <t:[0-9]{10}:R>\.", said[1])
    assert said[2:] == ["```", "a third *fox*", "```"]

    jobs.append(await held(stage, "bea's", bea))
    said = (await stage.refused("cleo's", member=cleo, **OPTIONS)).splitlines()
    assert said[0] == "This server has 3 jobs in the queue, as many as it may have at once."
    assert re.fullmatch(r"Try again <t:[0-9]{10}:R>\.", said[1])
    in_dm = await stage.draw("cleo's", member=cleo, channel=cleo.dm, **OPTIONS)
    await stage.answered(in_dm)

    assert len(stage.rows()) == 4
    stage.webui.release()
    for interaction in (*jobs, in_dm):
        await stage.delivered(interaction)
        await stage.reaches(interaction, "done")
        stage.arrived_once(interaction)
    await stage.drawn("a third fox", **OPTIONS)


async def test_a_full_server_waits_for_its_own_jobs_and_not_for_those_of_others(new_stage: OpenStage) -> None:
    stage = await new_stage(QUEUE_PLACES_PER_SERVER="1")
    elsewhere = stage.discord.add_channel("elsewhere", guild=stage.discord.add_guild("Another"))
    cleo, dan = stage.discord.member("cleo"), stage.discord.member("dan")
    stage.webui.hold()
    running = await stage.draw("cleo's", member=cleo, channel=cleo.dm, **OPTIONS)
    await stage.webui.until(lambda: stage.webui.running is not None)
    large = await stage.draw("a large one", size="2048x2048", steps=150)
    small = await stage.draw("a small one elsewhere", member=dan, channel=elsewhere, **OPTIONS)
    for interaction in (running, large, small):
        await stage.answered(interaction)
    said = await stage.refused("another", member=cleo, **OPTIONS)
    assert said.startswith("This server has 1 job in the queue")
    again = re.search(r"Try again <t:([0-9]+):R>", said)
    assert again is not None
    assert int(again[1]) > time.time() + 60  # four megapixels, 150 times


async def test_a_cancelled_job_makes_room_at_once(new_stage: OpenStage) -> None:
    stage = await new_stage(QUEUE_PLACES_PER_PERSON="1")
    stage.webui.hold()
    first = await stage.draw("first", **OPTIONS)
    reply = await stage.answered(first)
    said = await stage.refused("second", **OPTIONS)
    assert "You have 1 job in the queue, as many as one person may have at once." in said
    assert "Wait until it is done, or cancel it with /queue." in said
    await stage.presses_cancel(reply)
    await stage.says(first, "Cancelled")
    stage.webui.release()
    await stage.drawn("second", **OPTIONS)


async def test_a_role_s_members_get_the_share_that_its_weight_says(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(seconds_per_step=0.02), start=False)
    bea, cleo = stage.discord.member("bea"), stage.discord.member("cleo")
    patrons = stage.discord.add_role("patrons", stage.ada)
    stage.discord.add_role("no weight", bea)
    stage.bot.settings["ROLE_WEIGHTS"] = f"{patrons.id}:10"
    await stage.start()
    await stage.drawn(member=cleo, **OPTIONS)  # the shares are in seconds, and now it is known what a picture takes
    drawn = len(stage.webui.renders)
    admin = stage.discord.member("admin", administrator=True)
    await stage.answered(await stage.discord.slash(admin, "status", action="pause"))
    jobs = []
    for member in (bea, stage.ada):
        for number in range(6):
            jobs.append(await stage.draw(f"{member.name} {number}", member=member, **OPTIONS))
            await stage.answered(jobs[-1])
    assert [row["weight"] for row in stage.rows(f"owner_id = '{stage.ada.id}'")] == [10.0] * 6
    assert [row["weight"] for row in stage.rows(f"owner_id = '{bea.id}'")] == [1.0] * 6
    await stage.answered(await stage.discord.slash(admin, "status", action="resume"))
    for interaction in jobs:
        await stage.delivered(interaction)
    names = [render.payload["prompt"].partition(" ")[0] for render in stage.webui.renders[drawn:]]
    assert names[:8].count("ada") == 6, names
    assert names[:8].count("bea") == 2, names
