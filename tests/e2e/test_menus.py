"""The menus of messages through the real bot: which image is meant, what becomes of it, and what a restart changes."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from PIL import Image

from playground.discord import EVERYTHING, File, Interaction, Message, Permission
from tests.core.images import pictures
from tests.e2e.harness import Stage
from tests.e2e.test_acts import forget, result
from tests.e2e.test_image_tasks import BACKTICKS, EXTRAS, posted
from tests.e2e.test_image_urls import sent_images
from tests.e2e.test_sheets import compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

INFO, FROM, UPSCALE, DESCRIBE = "Image info", "Draw from this", "Upscale", "Describe"
IMG2IMG = "/sdapi/v1/img2img"


def see(width: int = 64, height: int = 48) -> bytes:
    return pictures.as_png(pictures.noise(width, height), pictures.INFOTEXT)


def file(name: str = "fox.png", data: bytes | None = None) -> File:
    return File(filename=name, data=data or see())


def shown(stage: Stage, *files: File, **options: Any) -> Message:
    options = {"channel": stage.discord.channel, **options}
    return stage.discord.post(stage.discord.member("grace"), files=files, **options)


def embed(stage: Stage, kind: str = "image", size: tuple[int, int] = (64, 48), **changes: Any) -> dict[str, Any]:
    """A page's picture, of which Discord has a copy."""
    copy = stage.discord.post(stage.ada, files=[file("copy.png", see(*size))], channel=stage.discord.channel)
    url = copy.attachments[0].url
    media = {"url": "https://example.com/a.png", "proxy_url": url, **changes}
    return {"url": "https://example.com/page", "title": "A page", kind: media}


async def menu(stage: Stage, name: str, message: Message) -> Interaction:
    return await stage.discord.message_menu(stage.ada, name, message)


async def told(stage: Stage, interaction: Interaction) -> str:
    """The sentence, or the words, that this person alone sees."""

    def said() -> Message | None:
        return next((one for one in interaction.messages if one.ephemeral and one.content), None)

    return (await stage.discord.until(said, what=f"an answer to {interaction.id}")).content


async def question(stage: Stage, name: str, message: Message) -> tuple[Message, dict[str, Any]]:
    asked = await stage.answered(await menu(stage, name, message))
    assert asked.ephemeral
    (select,) = [part for part in asked.parts() if part.get("custom_id")]
    return asked, select


async def opened(stage: Stage, interaction: Interaction) -> dict[str, dict[str, Any]]:
    """The fields of the modal that answers it."""
    modal = await stage.discord.until(lambda: interaction.modal, what="a modal")
    assert modal["title"] == FROM
    return {one["component"]["custom_id"]: one["component"] for one in modal["components"]}


async def submitted(stage: Stage, opener: Interaction, **typed: Any) -> Interaction:
    await opened(stage, opener)
    return await stage.discord.submit(stage.ada, opener, typed)


async def test_image_info_reads_a_stranger_s_picture(stage: Stage) -> None:
    text = await told(stage, await menu(stage, INFO, shown(stage, file())))
    assert "a lighthouse at dusk" in text
    assert "Seed `1234567890`" in text


async def test_image_info_of_our_own_results_knows_what_the_row_knows(stage: Stage) -> None:
    message = await result(stage, "a red fox", count=2)
    asked, select = await question(stage, INFO, message)
    chosen = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][1]["value"]])
    text = await told(stage, chosen)
    assert "/draw prompt:a red fox" in text
    assert "seed:41" in text
    forged = shown(stage, file(message.attachments[0].filename))
    assert "a lighthouse at dusk" in await told(stage, await menu(stage, INFO, forged))


async def test_image_info_of_a_result_whose_row_is_lost_reads_the_file(stage: Stage) -> None:
    message = await result(stage, "a blue fox")
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    text = await told(stage, await menu(stage, INFO, message))
    assert "a blue fox" in text
    assert "/draw" not in text


async def test_image_info_of_a_picture_whose_job_is_still_at_work_reads_the_file(stage: Stage) -> None:
    stage.webui.hold(at_step=3)
    try:
        press = await compare(stage, "steps=2,9", 2)
        message = await stage.delivered(press, 1)
        text = await told(stage, await menu(stage, INFO, message))
    finally:
        stage.webui.release()
    assert "Steps `2`" in text
    await stage.reaches(press, "done")


async def test_upscale_and_describe_do_what_the_commands_do(stage: Stage) -> None:
    message = shown(stage, file("fox.png", see(40, 30)))
    upscale = await menu(stage, UPSCALE, message)
    larger = await stage.delivered(upscale)
    assert not larger.ephemeral
    assert posted(stage.webui, EXTRAS)[-1]["upscaling_resize"] == 2.0
    with Image.open(io.BytesIO(larger.attachments[0].data)) as image:
        assert image.size == (80, 60)
    words = await stage.says(await menu(stage, DESCRIBE, message), BACKTICKS)
    assert not words.ephemeral


async def test_draw_from_this_asks_first_and_draws_over_the_image(stage: Stage) -> None:
    menu_used = await menu(stage, FROM, shown(stage, file()))
    fields = await opened(stage, menu_used)
    assert (fields["prompt"].get("value"), fields["strength"]["value"]) == (None, "0.6")
    drawn = await submitted(stage, menu_used, prompt="a blue fox", strength="0,35")
    message = await stage.delivered(drawn)
    payload = stage.webui.renders[-1].payload
    assert (payload["prompt"], payload["denoising_strength"]) == ("a blue fox", 0.35)
    assert sent_images(stage, IMG2IMG, "init_images")[-1] == (64, 48)
    assert not message.ephemeral


async def test_draw_from_a_result_has_its_prompt_and_says_what_it_follows(stage: Stage) -> None:
    message = await result(stage, "a red fox")
    await stage.restart()
    menu_used = await menu(stage, FROM, message)
    fields = await opened(stage, menu_used)
    assert fields["prompt"]["value"] == "a red fox"
    await stage.restart()
    over = await stage.delivered(await submitted(stage, menu_used))
    assert "Drawn over [another picture](<https://discord.com/channels/" in over.content
    larger = await stage.delivered(await menu(stage, UPSCALE, message))
    assert "Enlarged from [another picture](<" in larger.content


@pytest.mark.parametrize("strength", ["", "much", "1.5", "-1", "nan", "inf"])
async def test_a_strength_that_is_none_gets_a_sentence_with_the_prompt(stage: Stage, strength: str) -> None:
    jobs = len(stage.rows())
    menu_used = await menu(stage, FROM, shown(stage, file()))
    await opened(stage, menu_used)
    for part in (menu_used.modal or {})["components"]:
        part["component"]["required"] = False  # a client that does not check
    text = await told(
        stage, await stage.discord.submit(stage.ada, menu_used, {"prompt": "x fox", "strength": strength})
    )
    assert "a number from 0 to 1" in text
    assert "x fox" in text
    assert len(stage.rows()) == jobs


async def test_nothing_of_a_long_prompt_is_lost_where_it_can_t_be_drawn(stage: Stage) -> None:
    menu_used = await menu(stage, FROM, shown(stage, file()))
    await opened(stage, menu_used)
    prompt = "a fox, " * 500 + "at last"
    sent = await stage.discord.submit(stage.ada, menu_used, {"prompt": prompt, "strength": "much"})
    answer = await stage.answered(sent)
    assert answer.ephemeral
    (typed,) = answer.attachments
    assert prompt in typed.data.decode()


async def test_a_form_about_a_stranger_s_message_works_after_a_restart_as_long_as_it_is_known(stage: Stage) -> None:
    first, second = [await menu(stage, FROM, shown(stage, file())) for _ in range(2)]
    for menu_used in (first, second):
        await opened(stage, menu_used)
    await stage.restart()
    await stage.delivered(await submitted(stage, first, prompt="a blue fox"))
    await stage.kill()
    forget(stage, "searches")
    await stage.start()
    text = await told(stage, await submitted(stage, second, prompt="a long prompt"))
    assert "Open the menu again" in text
    assert "a long prompt" in text


async def test_of_several_images_one_is_chosen_also_after_a_restart(stage: Stage) -> None:
    message = await result(stage, "a {red|blue} fox", count=3)
    asked, select = await question(stage, UPSCALE, message)
    assert [option["label"][:3] for option in select["options"]] == ["1. ", "2. ", "3. "]
    await stage.restart()
    chosen = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][2]["value"]])
    await stage.delivered(chosen)
    assert stage.row(chosen)["origin_number"] == 2
    stage.discord.delete_message(message)
    again = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][0]["value"]])
    assert "no longer has this image" in await told(stage, again)
    await stage.kill()
    forget(stage, "searches")
    await stage.start()
    again = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][0]["value"]])
    assert "This message is gone" in await told(stage, again)


async def test_a_choice_among_a_stranger_s_images_works_after_a_restart_as_long_as_it_is_known(stage: Stage) -> None:
    asked, select = await question(stage, UPSCALE, shown(stage, file("a.png"), file("b.png")))
    value = select["options"][0]["value"]
    await stage.restart()
    await stage.delivered(await stage.discord.select(stage.ada, asked, select["custom_id"], [value]))
    await stage.kill()
    forget(stage, "searches")
    await stage.start()
    for delay in (0.0, 4.0):
        stage.discord.fail("GET", r"/channels/[0-9]+/messages/[0-9]+$", delay=delay)
        press = await stage.discord.select(stage.ada, asked, select["custom_id"], [value])
        assert "Open the menu again" in await told(stage, press)
    rules = stage.discord.rules
    stage.discord.rules = dataclasses.replace(rules, privileged_intents=1 << 15)
    try:
        await stage.delivered(await stage.discord.select(stage.ada, asked, select["custom_id"], [value]))
    finally:
        stage.discord.rules = rules


async def test_fifty_images_are_offered_as_far_as_a_select_goes(stage: Stage) -> None:
    files = [file(f"{number}.png") for number in range(10)]
    embeds = [{**embed(stage), "thumbnail": embed(stage, "thumbnail")["thumbnail"]} for _ in range(20)]
    message = shown(stage, *files, embeds=embeds)
    asked, select = await question(stage, DESCRIBE, message)
    assert "There are 50 on this message; the first 25 are offered." in asked.content
    assert len(select["options"]) == 25
    chosen = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][24]["value"]])
    await stage.says(chosen, BACKTICKS)


@pytest.mark.parametrize("kind", ["image", "thumbnail"])
async def test_an_embed_s_picture_is_taken_from_discord_s_copy(stage: Stage, kind: str) -> None:
    message = shown(stage, content="https://example.com/page", embeds=[embed(stage, kind, (48, 32))])
    await stage.delivered(await menu(stage, UPSCALE, message))
    assert sent_images(stage, EXTRAS, "image")[-1] == (48, 32)


async def test_an_embed_s_picture_elsewhere_is_not_fetched(stage: Stage) -> None:
    message = shown(stage, embeds=[embed(stage, proxy_url="https://example.com/a.png")])
    assert "Discord has no copy" in await told(stage, await menu(stage, UPSCALE, message))


async def test_a_forwarded_picture_is_there_too(stage: Stage) -> None:
    message = stage.discord.forward(stage.ada, shown(stage, file("fox.png", see(56, 40))), stage.discord.channel)
    await stage.delivered(await menu(stage, UPSCALE, message))
    assert sent_images(stage, EXTRAS, "image")[-1] == (56, 40)


async def test_what_is_no_image_is_left_out(stage: Stage) -> None:
    text = File(filename="notes.txt", data=b"hello")
    for name in (INFO, FROM, UPSCALE, DESCRIBE):
        assert "no image on this message" in await told(stage, await menu(stage, name, shown(stage, text)))
    await stage.delivered(await menu(stage, UPSCALE, shown(stage, text, file())))
    broken = shown(stage, File(filename="a.png", data=b"no picture at all"))
    assert "no image that is taken here" in await told(stage, await menu(stage, UPSCALE, broken))


async def test_an_image_that_is_far_too_large_gets_its_sentence(stage: Stage) -> None:
    vast = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(vast, "PNG")
    text = await told(stage, await menu(stage, UPSCALE, shown(stage, file("vast.png", vast.getvalue()))))
    assert "20000×10000" in text or "far too large" in text
    message = shown(stage, file())
    message.attachments = [dataclasses.replace(message.attachments[0], size=100 * 2**20)]
    for name in (UPSCALE, DESCRIBE):
        assert "larger than 25 MB" in await told(stage, await menu(stage, name, message))
    assert "too large" in await told(stage, await menu(stage, INFO, message))


async def test_an_image_of_a_message_that_is_gone_gets_a_sentence(stage: Stage) -> None:
    menu_used = await menu(stage, FROM, message := shown(stage, file()))
    await opened(stage, menu_used)
    stage.discord.delete_message(message)
    assert "no longer has this image" in await told(stage, await submitted(stage, menu_used, prompt="a fox"))


async def test_a_channel_that_the_bot_can_t_read_makes_no_difference(stage: Stage) -> None:
    closed = stage.discord.add_channel("closed", permissions=Permission(EVERYTHING & ~Permission.VIEW_CHANNEL))
    message = shown(stage, file("a.png"), file("b.png", see(32, 32)), channel=closed)
    asked, select = await question(stage, UPSCALE, message)
    chosen = await stage.discord.select(stage.ada, asked, select["custom_id"], [select["options"][1]["value"]])
    await stage.delivered(chosen)
    assert sent_images(stage, EXTRAS, "image")[-1] == (32, 32)


async def test_direct_messages_have_the_menus_too(stage: Stage) -> None:
    message = await stage.delivered(
        await stage.draw("a red fox", size="64x64", steps=2, count=2, channel=stage.ada.dm), 2
    )
    asked, select = await question(stage, UPSCALE, message)
    await stage.restart()
    value = select["options"][0]["value"]
    larger = await stage.delivered(await stage.discord.select(stage.ada, asked, select["custom_id"], [value]))
    assert larger.channel is stage.ada.dm
    assert "/draw prompt:a red fox" in await told(stage, await menu(stage, INFO, await one_of(stage)))


async def one_of(stage: Stage) -> Message:
    interaction = await stage.draw("a red fox", size="64x64", steps=2, channel=stage.ada.dm)
    await stage.reaches(interaction, "done")
    return await stage.delivered(interaction)


async def test_what_is_made_of_a_spoiler_or_a_private_picture_is_as_hidden(stage: Stage) -> None:
    larger = await stage.delivered(await menu(stage, UPSCALE, shown(stage, file("SPOILER_fox.png"))))
    assert larger.attachments[0].filename.startswith("SPOILER_")
    words = await stage.says(await menu(stage, DESCRIBE, shown(stage, file("SPOILER_fox.png"))), BACKTICKS)
    assert words.ephemeral
    secret = await result(stage, "a secret fox", private=True)
    assert (await stage.delivered(await menu(stage, UPSCALE, secret))).ephemeral
    drawn = await submitted(stage, await menu(stage, FROM, secret))
    assert (await stage.delivered(drawn)).ephemeral
    hidden = shown(stage, content="||https://example.com/page||", embeds=[embed(stage)])
    larger = await stage.delivered(await menu(stage, UPSCALE, hidden))
    assert larger.attachments[0].filename.startswith("SPOILER_")


async def test_help_tells_this_person_of_every_command_and_menu(stage: Stage) -> None:
    answer = await stage.answered(await stage.discord.slash(stage.ada, "help"))
    assert answer.ephemeral
    for command in stage.discord.commands.values():
        assert command["name"] in answer.text()
        assert command["description"] in answer.text()
