"""Every row of buttons and every form, at their longest, against Discord's limits as the local Discord knows them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import discord
import pytest

from cogs.buttons import cancel_view, confirm_view
from cogs.drafts import reopen_view
from cogs.forming import FORMS
from cogs.modals import build_modal, form_id, split_texts
from cogs.picture_buttons import VERBS, choice_view, result_view
from core.request import Task
from playground.discord.check_components import check_components, check_modal
from playground.discord.errors import FormErrors

COGS = Path(__file__).parents[2] / "cogs"
JOB = "1" * 20
PICTURES = range(10)

VIEWS: Mapping[str, Callable[[], list[discord.ui.View | None]]] = {
    "cancel_view": lambda: [cancel_view(JOB)],
    "confirm_view": lambda: [confirm_view(JOB, "Draw 50 pictures")],
    "result_view": lambda: [result_view(JOB, task) for task in get_args(Task)],
    "choice_view": lambda: [choice_view(verb, JOB, PICTURES) for verb in VERBS.values()],
    "reopen_view": lambda: [reopen_view(verb, JOB, 99, JOB) for verb in FORMS],
}
"""What makes a view, and its views at their longest."""


ELSEWHERE = {"page_view", "card_view"}
"""Walked where their long texts are made: test_history_pages."""


def makers() -> set[str]:
    """Every function of the cogs that makes a view."""
    modules = [ast.parse(path.read_text("utf-8")) for path in COGS.glob("*.py")]
    functions = [part for module in modules for part in module.body if isinstance(part, ast.FunctionDef)]
    return {one.name for one in functions if one.name.endswith("_view") and not one.name.startswith("_")}


def test_every_view_is_looked_at() -> None:
    assert makers() == VIEWS.keys() | ELSEWHERE


@pytest.mark.parametrize("name", VIEWS)
async def test_a_view_is_within_discord_s_limits_and_known_after_a_restart(name: str) -> None:
    for view in VIEWS[name]():
        if view is None:
            continue
        errors = FormErrors()
        check_components(view.to_components(), v2=False, errors=errors)
        errors.raise_if_any()
        assert view.is_persistent()


LONG = {
    "prompt": "red fox, " * 660,
    "negative_prompt": "x" * 6000,
    "seed": str(2**32 - 1),
    "settings": "steps:20\n" * 400,
    "strength": "0.5",
}
"""Texts as long as a picture can have them."""


@pytest.mark.parametrize("texts", [LONG, dict.fromkeys(LONG, ""), LONG | {"prompt": "🦊" * 2000}])
@pytest.mark.parametrize("verb", FORMS)
async def test_a_form_is_within_discord_s_limits(verb: str, texts: dict[str, str]) -> None:
    form = FORMS[verb]
    inputs = split_texts({field.name: texts[field.name] for field in form.fields})
    modal = build_modal(form_id(verb, JOB, 99), form.title, form.fields, inputs)
    check_modal(modal.to_dict())
    assert modal.is_finished(), "nobody remembers it until it is sent"
