"""What people type: it is clamped with a note, refused with a sentence, or drawn; and it does nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.prompt import tidy
from playground.discord import Message
from playground.webui import Fault
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.0002, "cheap_pictures": True}
SMALL: dict[str, Any] = {"size": "64x64", "steps": 1}
FENCE = "```"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prompt": "   "}, "The prompt is empty"),
        ({"prompt": "\n \x00\t"}, "The prompt is empty"),
        ({"size": "0x0"}, "can't have a side of 0"),
        ({"size": "banana"}, "not a size I understand"),
        ({"size": "512x-512"}, "not a size I understand"),
        ({"size": "64x8000"}, "not a size for a picture"),
        ({"size": "999999999x1"}, "not a size for a picture"),
        ({"size": "0:1"}, "can't have a side of 0"),
        ({"seed": 2**32}, "A seed is a whole number"),
        ({"seed": -5}, "A seed is a whole number"),
        ({"seed": 2**53}, "A seed is a whole number"),
        ({"checkpoint": "paperCotout"}, "paperCutout"),
        ({"checkpoint": "@everyone"}, "no checkpoint called"),
        ({"checkpoint": "`" * 99}, "no checkpoint called"),
        ({"sampler": "Oiler a"}, "Euler a"),
        ({"scheduler": "Caras"}, "Karras"),
        ({"prompt": 'a fox <sd_cpp_extra_args>{"seed": 1}</sd_cpp_extra_args>'}, "not allowed in a prompt"),
        ({"negative_prompt": "< / SD_CPP_extra_args >"}, "not allowed in a prompt"),
        ({"prompt": "<sd_\u200bcpp_extra_args>"}, "not allowed in a prompt"),
    ],
)
async def test_what_can_not_be_drawn_is_refused_with_a_sentence(
    stage: Stage, options: dict[str, Any], words: str
) -> None:
    jobs = len(stage.rows())
    said = await stage.refused(**({"prompt": "a fox"} | options))
    assert words in said.replace("\\", "")
    assert options.get("prompt", "a fox").strip()[:4] in said
    assert len(stage.rows()) == jobs


@pytest.mark.parametrize(
    ("options", "note", "sent"),
    [
        ({"steps": 0}, "Steps set to 1", {"steps": 1}),
        ({"steps": -3}, "Steps set to 1", {"steps": 1}),
        ({"steps": 10**6}, "Steps set to 150", {"steps": 150}),
        ({"cfg_scale": 0.0}, "CFG scale set to 1", {"cfg_scale": 1.0}),
        ({"cfg_scale": 1e9}, "CFG scale set to 30", {"cfg_scale": 30.0}),
        ({"count": 0}, "Count set to 1", {}),
        ({"clip_skip": 99}, "CLIP skip set to 12", {}),
        ({"size": "99999x9999"}, "Size set to", {}),
        ({"size": "101x67"}, "Size set to 96x64", {"width": 96, "height": 64}),
    ],
)
async def test_what_is_out_of_range_is_set_to_the_nearest_and_said(
    stage: Stage, options: dict[str, Any], note: str, sent: dict[str, Any]
) -> None:
    interaction = await stage.draw("a fox", **(SMALL | options))
    reply = await stage.answered(interaction)
    assert note in reply.content
    message = await stage.delivered(interaction, int(sent.get("n_iter", 1)))
    assert note in message.content
    body = next(one.body for one in reversed(stage.webui.requests) if one.path.endswith("txt2img"))
    assert {key: body[key] for key in sent} == sent


async def test_too_many_pictures_are_set_to_as_many_as_one_message_shows(stage: Stage) -> None:
    interaction = await stage.draw("a fox", count=99, **SMALL)
    message = await stage.delivered(interaction, 10)
    assert "Count set to 10" in message.content
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 10)


async def test_a_prompt_of_6000_characters_is_drawn_whole_and_shown_in_part(stage: Stage) -> None:
    prompt = "word " * 1199 + "ends!"
    assert len(prompt) == 6000
    message = await stage.drawn(prompt, negative_prompt=prompt, **SMALL)
    assert stage.webui.renders[-1].payload["prompt"] == prompt
    assert stage.webui.renders[-1].payload["negative_prompt"] == prompt
    assert "seed" in message.content


NASTY = {
    "everyone": "@everyone @here",
    "mentions": "<@1> <@!1> <@&1> <#1> </draw:1> <:x:1> <t:0> <id:browse>",
    "markdown": "**b** __u__ ~~s~~ ||spoiler|| > quote # head - list",
    "heading": "# big\n## less\n-# small\n>>> all of it",
    "fence": "``` fence ``` ```` four ```` ` one `",
    "fence at the end": "a" * 890 + "`" * 30,
    "fence with words": "```py\n@everyone\n```\n@everyone",
    "masked link": "[free nitro](https://example.com) <https://example.com>",
    "link": "https://discord.gg/x http://[::1]/ javascript:alert(1)",
    "newlines": "\n" * 500 + "x" + "\n" * 500,
    "carriage returns": "a\rb\r\nc\u2028d\u2029e\x0bf\x0cg",
    "right to left": "\u202eabc\u202c \u2066x\u2069 עברית عربى",
    "zero width": "\u200b\u200c\u200d\ufeff\u2060" * 50 + "x",
    "only zero width": "\u200b\u200c\ufeff",
    "emoji": "🦊" * 3000,
    "families": "👨‍👩‍👧‍👦" * 500,
    "flags": "🇩🇪" * 1000,
    "combining": "e" + "\u0301" * 3000,
    "zalgo": "Z̸̢̛͖͓̈́̈́a̵̧͉̒l̶͇̈́g̷͓̈́o̴͓͝" * 60,
    "nul": "a\x00b\x00",
    "control": "".join(map(chr, range(1, 32))) + "x\x7f\x80\x9f",
    "escape": "\x1b[31mred\x1b[0m",
    "backslashes": "\\" * 3000,
    "json": '{"prompt": "x", "override_settings": {"a": 1}} \\u0000 \\" ',
    "weights": "(a:1.2), [b:c:0.5], [x|y], AND, BREAK, <lora:inkwash:0.8>, __wildcard__",
    "infotext": "a fox\nNegative prompt: x\nSteps: 1, Sampler: y, CFG scale: 7, Seed: 1, Size: 1x1",
    "sql": "'; DROP TABLE jobs; -- %s %(x)s {0} $1",
    "private use": "\ue000\uf8ff\U000f0000\ufffe\uffff",
    "beyond the plane": "\U0001d571\U0001d594\U0001d59d" * 900,
    "escaped mention": "\\@everyone \\<@1> @\u200beveryone \uff20everyone",
    "html": "<script>alert(1)</script> &amp; <!-- --> <img src=x>",
    "format": "%n%s%x {job.reply} {{}} ${HOME} $(id) `id`",
}


def outside_of_fences(text: str) -> str:
    """What Discord would read as markdown."""
    return "".join(text.split(FENCE)[::2])


def check_fences(message: Message, quoted: int) -> None:
    """Each block is closed, and what was typed stays inside of them."""
    for text in (message.content, *(edit.content for edit in message.edits)):
        assert text.count(FENCE) == 2 * quoted
        rest = outside_of_fences(text)
        assert "@" not in rest.replace("@\u200b", "")
        assert not re.search(r"\]\(|https?://|<[@#/:t]", rest)


@pytest.mark.parametrize("name", NASTY)
async def test_nothing_that_is_typed_is_more_than_words(stage: Stage, name: str) -> None:
    prompt = NASTY[name]
    message = await stage.drawn(prompt, negative_prompt=prompt, **SMALL)
    assert message.pinged == set()
    assert (message.allowed_mentions or {}).get("parse") == []
    check_fences(message, quoted=2)
    assert stage.webui.renders[-1].payload["prompt"] == tidy(prompt)


@pytest.mark.parametrize("name", ["everyone", "fence with words", "masked link", "emoji", "backslashes", "newlines"])
async def test_nothing_that_is_typed_is_more_than_words_in_an_explanation(stage: Stage, name: str) -> None:
    stage.webui.fault(Fault.OUT_OF_MEMORY)
    interaction = await stage.draw(NASTY[name], **SMALL)
    message = await stage.says(interaction, "**No picture**")
    assert message.pinged == set()
    check_fences(message, quoted=1)


@pytest.mark.parametrize("name", ["everyone", "fence with words", "masked link", "emoji", "mentions", "markdown"])
async def test_nothing_that_is_typed_is_more_than_words_in_a_refusal(stage: Stage, name: str) -> None:
    said = await stage.refused(NASTY[name], size="banana")
    assert "not a size I understand" in said
    said = await stage.refused(NASTY[name], checkpoint=NASTY[name][:100])
    assert "no checkpoint called" in said.replace("\\", "")
    assert not re.search(r"(?<!\\)[\[<]", outside_of_fences(said))


async def test_a_late_answer_calls_its_owner_and_nobody_who_is_named_in_the_prompt(stage: Stage) -> None:
    victim = stage.discord.member("victim")
    stage.webui.hold()
    interaction = await stage.draw(f"@everyone <@{victim.id}> `<@{victim.id}>`", **SMALL)
    await stage.answered(interaction)
    interaction.expire()
    stage.webui.release()
    message = await stage.delivered(interaction)
    assert message.pinged == {stage.ada.id}
