"""The pages of a history at their largest: within Discord's limits, and nothing in them is markup or a mention."""

from __future__ import annotations

import re
from dataclasses import replace

import discord
import pytest

from cogs import say
from cogs.history_items import HistoryChoice, PageButton
from cogs.history_pages import card_view, files_of, key_of, listed_name, nothing_found, page_view
from core.jobs.gallery import Entry
from core.request import GenerationRequest
from playground.discord.check_components import check_components
from playground.discord.errors import FormErrors

ALIVE = re.compile(r"@everyone|<@1>|(?<!\\)\]\(")
"""A mention, or a link behind words."""
ENTRY = Entry(
    job_id="9" * 20,
    number=0,
    owner_id="42",
    guild_id="900",
    made_at=1_700_000_000.0,
    file=f"{0:064x}.png",
    width=16_384,
    height=16_384,
    seed=2**63,
    checkpoint="🦊" * 300,
    delivered_to="kept",
    message_id=None,
    reply="{}",
    pictures=50,
    favourite=True,
    request=GenerationRequest(prompt="x", private=True, spoiler=True),
)
PROMPTS = (
    "🦊" * 3000,
    "@everyone <@1> " * 400,
    "*" * 6000,
    "[a](https://b) " * 400,
    "",
    "\n\n",
    "`" * 6000,
    "# a\n" * 99,
)


def entries(prompt: str) -> list[Entry]:
    request = replace(ENTRY.request, prompt=prompt)
    return [replace(ENTRY, number=number, request=request) for number in range(45, 50)]


def check(view: discord.ui.LayoutView) -> None:
    components = view.to_components()  # type: ignore[no-untyped-call]  # discord.py's own
    errors = FormErrors()
    check_components(components, v2=True, errors=errors)
    errors.raise_if_any()
    texts = [item.content for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)]
    assert sum(map(say.units, texts)) <= 4000
    assert sum(len(text.encode()) for text in texts) < 10_000
    assert not any(ALIVE.search(text) for text in texts)


@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
@pytest.mark.parametrize("seen", [True, False])
def test_the_largest_page_and_card_are_within_discord_s_limits(prompt: str, seen: bool) -> None:
    found = entries(prompt)
    thumbs = {key_of(entry): b"x" for entry in found} if seen else {}
    head = ["**Your pictures** · page 999999", "-# " + " · ".join(say.code("🦊" * 200) for _ in range(3))]
    view = page_view(found, thumbs, head, search_id="9" * 20, page=99_999, has_more=True)
    check(view)
    assert len([item for item in view.walk_children() if isinstance(item, PageButton)]) == 3
    (menu,) = [item for item in view.walk_children() if isinstance(item, HistoryChoice)]
    assert all(0 < say.units(option.label) <= 100 for option in menu.item.options)
    check(card_view(found[0], thumbs, "42"))


def test_a_spoiler_stays_one_and_thumbnails_are_named_as_the_page_names_them() -> None:
    thumbs = {key_of(ENTRY): b"jpeg"}
    view = page_view([ENTRY], thumbs, ["head"], search_id="1", page=0, has_more=False)
    (thumb,) = [item for item in view.walk_children() if isinstance(item, discord.ui.Thumbnail)]
    assert thumb.spoiler
    (file,) = files_of(thumbs)
    assert thumb.media.url == file.uri


def test_second_page_offers_the_first_once() -> None:
    view = page_view([ENTRY], {}, ["head"], search_id="1", page=1, has_more=False)
    turns = [(item.item.label, item.page) for item in view.walk_children() if isinstance(item, PageButton)]
    assert turns == [("Newer", 0)]


def test_nothing_found_says_what_to_do() -> None:
    assert "/draw" in nothing_found([])
    assert "⭐" in nothing_found(["favourites"])
    assert "`fox`" in nothing_found(["favourites", "words `fox`"])


@pytest.mark.parametrize("prompt", PROMPTS)
def test_pictures_of_one_job_are_told_apart_in_a_list_of_choices(prompt: str) -> None:
    names = [listed_name(entry) for entry in entries(prompt)]
    assert len(set(names)) == len(names)
    assert all(1 <= say.units(name) <= 100 for name in names)
    assert names[-1].endswith(" 50/50")
    assert listed_name(replace(entries("a fox")[0], pictures=1, favourite=False)) == "a fox"
