"""What `/preset` says: whole, within Discord's limits, and nobody's markup but ours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cogs import preset_pages as pages
from cogs.say import units
from core.jobs.gallery import Entry
from core.presets import Preset, Shelf
from core.request import GenerationRequest
from core.store.preferences import PERSON, SERVER
from tests.core.requests import NAUGHTY, anything_asked

LONG = "**`<@1>` @everyone [a](https://evil.example)"


def preset(name: str = "ink", scope: str = PERSON, **fields: Any) -> Preset:
    request = GenerationRequest(**{"prompt": "", "steps": 20, **fields})
    return Preset(scope=scope, scope_id="900", name=name, request=request, maker_id="42")


def nothing_hidden(_title: str) -> bool:
    return False


def is_sound(text: str) -> bool:
    return (
        units(text) <= 2000
        and text.count("```") % 2 == 0
        and "@everyone" not in text
        and not re.search(r"<@&[0-9]+>", text)
    )


def test_all_of_a_preset_is_shown() -> None:
    text = pages.shown(preset(prompt="{prompt}, in ink", negative_prompt="fog", checkpoint="dream"), nothing_hidden)
    assert text == (
        "**ink** · yours\nPrompt```\n{prompt}, in ink\n```\nNegative prompt```\nfog\n```\n"
        "```\ncheckpoint: dream\nsteps: 20\n```\n"
        "-# `/draw preset:` draws with it; what you say there comes before it"
    )
    assert pages.shown(preset(scope=SERVER), nothing_hidden).startswith("**ink** · this server's, shared by <@42>\n")


def test_a_checkpoint_hidden_from_members_is_not_told_by_the_server_s() -> None:
    def hidden(title: str) -> bool:
        return title == "secret"

    one = preset(scope=SERVER, checkpoint="secret", refiner_checkpoint="plain")
    for text in (pages.shown(one, hidden), pages.listing(Shelf(servers=(one,)), hidden)):
        assert "secret" not in text
        assert "(hidden)" in text.replace("\\", "")
        assert "plain" in text
    assert "secret" in pages.shown(preset(checkpoint="secret"), hidden)


def test_the_list_names_both_kinds_and_counts_what_does_not_fit() -> None:
    many = tuple(preset(f"{number} {LONG}", prompt="x" * 500) for number in range(50))
    servers = tuple(replace(one, scope=SERVER) for one in many)
    text = pages.listing(Shelf(mine=many, servers=servers), nothing_hidden)
    assert is_sound(text)
    assert "**Yours** (50 of 50)" in text
    assert "**This server's** (50 of 100)" in text
    assert text.count("… and ") == 2
    alone = pages.listing(Shelf(mine=many), nothing_hidden)
    assert is_sound(alone)
    assert alone.count("\n- ") > text.count("\n- ") // 2
    assert "no presets here yet" in pages.listing(Shelf(), nothing_hidden)


@settings(max_examples=50)
@given(NAUGHTY, anything_asked, st.lists(NAUGHTY, max_size=20), st.booleans())
def test_whatever_is_in_it_the_message_is_sound(
    name: str, request: GenerationRequest, notes: list[str], replaced: bool
) -> None:
    one = Preset(scope=PERSON, scope_id="42", name=name[:60], request=request, maker_id="42")
    copy = replace(one, scope=SERVER)
    assert is_sound(pages.saved(one, notes, replaced=replaced))
    assert is_sound(pages.shown(copy, nothing_hidden))
    assert is_sound(pages.shared(copy, replaced=replaced))
    assert is_sound(pages.deleted(one))
    assert is_sound(pages.listing(Shelf(mine=(one,) * 9, servers=(copy,) * 9), nothing_hidden))


def entry(**changes: Any) -> Entry:
    facts: dict[str, Any] = dict.fromkeys(Entry.__slots__)
    request = GenerationRequest(prompt=changes.pop("prompt", "a red\nfox"), negative_prompt="fog")
    facts |= {"job_id": "7", "number": 1, "checkpoint": "dream", "pictures": 1, "request": request}
    return Entry(**{**facts, **changes})


def test_a_picture_is_offered_by_its_words() -> None:
    choice = pages.picture_choice(entry())
    assert choice is not None
    assert (choice.name, choice.value) == ("a red fox · dream", "7:2")
    several = pages.picture_choice(entry(pictures=4, prompt="🦊" * 200, checkpoint="c" * 200, job_id="9" * 20))
    assert several is not None
    assert "· picture 2 ·" in several.name
    assert units(several.name) <= 100
    assert pages.picture_choice(entry(request=GenerationRequest(prompt="", task="upscale"))) is None
