"""Texts of forms: cut into inputs that Discord takes, and put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs import say
from cogs.modals import FORM_ID, INPUT_LIMIT, form_id, join_inputs, read_modal, split_texts
from core.errors import UserError


@given(st.text(alphabet=" \n,abπ狐🦊", min_size=3900, max_size=6000))
def test_a_long_text_comes_back_from_its_inputs(text: str) -> None:
    inputs = split_texts({"prompt": text})
    assert all(say.units(piece) <= INPUT_LIMIT for piece in inputs.values())
    assert join_inputs(inputs) == {"prompt": text}


def test_a_blank_that_discord_took_from_the_end_of_an_input_is_put_back() -> None:
    inputs = split_texts({"prompt": "red fox " * 700})
    trimmed = {name: piece.strip() for name, piece in inputs.items()}
    assert list(inputs) == ["prompt", "prompt-2"]
    assert join_inputs(trimmed)["prompt"].split() == ["red", "fox"] * 700


def test_words_are_not_cut_where_there_is_a_comma() -> None:
    inputs = split_texts({"prompt": "fox,hen," * 700})
    assert inputs["prompt"].endswith(",")


def test_the_seed_gives_its_input_away_and_what_is_still_too_much_is_said() -> None:
    texts = {"prompt": "a" * 6000, "negative_prompt": "b" * 6000, "seed": "7", "settings": "steps:20"}
    inputs = split_texts(texts)
    assert len(inputs) == 5
    assert inputs["settings"] == "seed:7\nsteps:20"
    assert "seed" in split_texts(texts | {"prompt": "a fox"})
    with pytest.raises(UserError, match="too long for a form"):
        split_texts(texts | {"settings": "x" * 4100})


def test_inputs_are_read_from_labels_and_from_rows() -> None:
    data = {
        "components": [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "prompt", "value": "a fox"}},
            {"type": 1, "id": 3, "components": [{"type": 4, "id": 4, "custom_id": "seed", "value": ""}]},
            {"type": 10, "id": 5},
        ]
    }
    assert read_modal(data) == {"prompt": "a fox", "seed": ""}
    assert join_inputs({"Prompt": "what no form has", "": ""}) == {}


def test_a_form_is_known_by_its_id() -> None:
    found = FORM_ID.fullmatch(form_id("edit", "1" * 20, 9))
    assert found is not None
    assert found.groupdict() == {"verb": "edit", "job": "1" * 20, "number": "9"}
