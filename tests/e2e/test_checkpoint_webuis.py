"""/checkpoint on every kind of webui, in other servers, and where the bot dies in between."""

from __future__ import annotations

from typing import Any

from playground.webui import LocalForge, LocalKobold, LocalSdNext
from tests.e2e.conftest import OpenStage
from tests.e2e.harness import stops_well, until
from tests.e2e.switching import FILES, admin_of, asked, broken_webui, command, ended, posted, switches

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}


async def test_forge_loads_with_its_next_picture_and_says_so(new_stage: OpenStage) -> None:
    forge = LocalForge(seconds_per_step=0.002, cheap_pictures=True, checkpoints=FILES)
    stage = await new_stage(forge)
    said = await ended(stage, "use", checkpoint="paperCutout_v12")
    assert 'done: It draws with "paperCutout\\_v12" from now on, loaded with its next picture.' in said
    assert "`paperCutout_v12`" in (await stage.drawn(**OPTIONS)).content
    modules = ", ".join(forge.catalog.modules[:2])
    assert "done: It uses" in await ended(stage, "vae", vae=modules)
    assert posted(forge)[-1] == {"forge_additional_modules": forge.catalog.modules[:2]}
    assert "checkpoint's own VAE" in (await ended(stage, "vae", vae="built-in")).replace("\\", "")
    assert posted(forge)[-1] == {"forge_additional_modules": []}


async def test_sd_next_says_of_each_key_whether_it_took_it(new_stage: OpenStage) -> None:
    webui = LocalSdNext(seconds_per_step=0.002, cheap_pictures=True, checkpoints=FILES)
    webui.catalog.checkpoints.append(type(webui).checkpoint("damaged_v1.safetensors", broken=True))
    stage = await new_stage(webui)
    assert 'done: It has loaded "paperCutout\\_v12"' in await ended(stage, "use", checkpoint="paperCutout_v12")
    assert 'not done: It could not load "damaged\\_v1"' in await ended(stage, "use", checkpoint="damaged_v1")
    assert webui.swaps[-1] == "paperCutout_v12"


async def test_what_can_not_be_switched_is_said_and_the_others_are(new_stage: OpenStage) -> None:
    kobold = LocalKobold()
    stage = await new_stage(kobold, broken_webui())
    said = await ended(stage, "use", checkpoint="paperCutout_v12")
    assert "- **webui 1** · left out: It can't be switched from here: KoboldCpp draws with the model" in said
    await until(lambda: switches(stage)[-1]["state"] == "done")
    message = await command(stage, admin_of(stage), "use", checkpoint="paperCutout_v12", webui="webui 1")
    assert "KoboldCpp draws with the model that it was started with" in message.content
    assert posted(kobold) == []


async def test_where_servers_are_named_no_other_server_s_admin_switches_anything(new_stage: OpenStage) -> None:
    stage = await new_stage(ADMIN_SERVERS="1")
    message = await command(stage, admin_of(stage), "use", checkpoint="paperCutout_v12")
    assert "from another server only" in message.content
    everywhere = await command(stage, admin_of(stage), "name", checkpoint="paperCutout_v12", everywhere=True)
    assert "has named in ADMIN\\_SERVERS" in everywhere.content
    own = await command(stage, admin_of(stage), "name", checkpoint="paperCutout_v12", friendly="paper")
    assert "called **paper**" in own.content


async def test_names_for_every_server_are_given_on_the_operator_s_alone(new_stage: OpenStage) -> None:
    stage = await new_stage()
    options: dict[str, Any] = {"checkpoint": "paperCutout_v12", "friendly": "Cut-outs", "everywhere": True}
    said = await command(stage, admin_of(stage), "name", **options)
    assert "has named in ADMIN\\_SERVERS" in said.content
    stage.bot.settings["ADMIN_SERVERS"] = str(stage.discord.guild.id)
    await stage.restart()
    said = await command(stage, admin_of(stage), "name", **options)
    assert said.content == "`paperCutout_v12` on every server: called **Cut-outs**."
    (offer,) = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "cut-o", channel=stage.ada.dm)
    assert offer.name == "Cut-outs · paperCutout_v12"


async def test_a_bot_that_dies_takes_the_wish_up_again(new_stage: OpenStage) -> None:
    stage = await new_stage(broken_webui(load_seconds=0.0))
    webui = stage.webui
    webui.hold(1)
    await stage.draw(**OPTIONS)
    await webui.until(lambda: webui.step == 1)
    interaction = await asked(stage, "use", checkpoint="paperCutout_v12")
    await stage.says(interaction, "waits until")
    await stage.kill()
    webui.release()
    await stage.start()
    await until(lambda: switches(stage)[-1]["state"] == "done", 30)
    assert webui.swaps[-1] == "paperCutout_v12"
    said = await stage.says(interaction, "done: It has loaded")
    assert f"by <@{admin_of(stage).id}>" in said.content


async def test_a_bot_that_is_stopped_meanwhile_stops_well(new_stage: OpenStage) -> None:
    stage = await new_stage(broken_webui(), kindly=True)
    stage.webui.pace.load_seconds = 20.0
    await stage.says(await asked(stage, "use", checkpoint="paperCutout_v12"), "loading …")
    await stops_well(stage)
    assert switches(stage)[-1]["state"] == "loading"


async def test_a_slow_load_is_waited_for(new_stage: OpenStage) -> None:
    stage = await new_stage(broken_webui())
    stage.webui.pace.load_seconds = 1.0
    interaction = await asked(stage, "use", checkpoint="paperCutout_v12")
    await stage.says(interaction, "loading …")
    waiting = await stage.draw(**OPTIONS)
    await stage.says(waiting, "An admin is changing the webui's model")
    await stage.says(interaction, "done: It has loaded")
    await stage.delivered(waiting)
    assert stage.webui.swaps == ["paperCutout_v12"]
