"""Buttons that outlive a restart: their custom_id is all that they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.buttons import CANCEL_EVENT, CONFIRM_EVENT, EventButton, cancel_view, confirm_view

CUSTOM_ID = re.compile(r"easel:1:[a-z]+:[0-9]{1,20}(:[0-9]+)?")


class Pressed:
    """An interaction whose client remembers what was dispatched."""

    def __init__(self) -> None:
        self.client = self
        self.dispatched: list[tuple[object, ...]] = []

    def dispatch(self, *event: object) -> None:
        self.dispatched.append(event)


@given(st.integers(0, 2**64 - 1).map(str))
async def test_a_button_is_found_again_by_its_custom_id(job_id: str) -> None:
    (row,) = cancel_view(job_id).to_components()
    (button,) = row["components"]
    assert CUSTOM_ID.fullmatch(button["custom_id"])
    assert len(button["custom_id"]) <= 100
    assert 0 < len(button["label"]) <= 80
    match = EventButton.__discord_ui_compiled_template__.fullmatch(button["custom_id"])
    assert match is not None
    pressed = Pressed()
    again = await EventButton.from_custom_id(pressed, button, match)  # type: ignore[arg-type]  # all that is used
    await again.callback(pressed)  # type: ignore[arg-type]  # likewise
    assert pressed.dispatched == [(CANCEL_EVENT, pressed, job_id)]


@pytest.mark.parametrize(
    "custom_id",
    ["easel:1:cancel:", "easel:1:cancel:x", "easel:2:cancel:7", "easel:1:cancel:7:8", f"easel:1:cancel:{'7' * 21}", ""],
)
def test_another_custom_id_is_none_of_ours(custom_id: str) -> None:
    assert not EventButton.__discord_ui_compiled_template__.fullmatch(custom_id)


async def test_a_view_never_times_out() -> None:
    view = cancel_view("7")
    assert view.timeout is None
    assert view.is_persistent()


@given(st.integers(0, 2**64 - 1).map(str))
async def test_a_question_is_found_again_by_its_custom_id(question_id: str) -> None:
    view = confirm_view(question_id, "Draw 4 pictures")
    assert view.is_persistent()
    (row,) = view.to_components()
    (button,) = row["components"]
    assert button["label"] == "Draw 4 pictures"
    match = EventButton.__discord_ui_compiled_template__.fullmatch(button["custom_id"])
    assert match is not None
    pressed = Pressed()
    again = await EventButton.from_custom_id(pressed, button, match)  # type: ignore[arg-type]  # all that is used
    await again.callback(pressed)  # type: ignore[arg-type]  # likewise
    assert pressed.dispatched == [(CONFIRM_EVENT, pressed, question_id)]
