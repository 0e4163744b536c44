"""From a command's options to a request, and from a request to the words that say it."""

import pytest

from cogs.options import read_control
from cogs.said import rarer
from cogs.say import code
from core.errors import UserError
from core.request import ControlUse, GenerationRequest


def test_the_options_of_control_are_its_use_and_the_rest_is_a_request_as_ever() -> None:
    said = {
        "type": "depth",
        "prompt": "a fox",
        "weight": 0.5,
        "start": None,
        "end": 0.8,
        "preprocess": False,
        "preview": True,
        "size": "832x1216",
        "loras": "inkwash:0.8",
        "steps": None,
        "spoiler": True,
    }
    request = read_control(said)
    assert request.control == (ControlUse(type="depth", weight=0.5, end=0.8, preprocess=False, save_map=True),)
    assert (request.prompt, request.width, request.height, request.spoiler) == ("a fox", 832, 1216, True)


def test_what_nobody_said_of_a_control_is_the_webui_s_own() -> None:
    silent = {"type": "depth", "prompt": "a fox", "weight": None, "preprocess": None, "preview": None}
    assert read_control(silent) == GenerationRequest(prompt="a fox", control=(ControlUse(type="depth"),))


def test_a_text_that_can_not_be_read_is_said() -> None:
    with pytest.raises(UserError):
        read_control({"type": "depth", "prompt": "a fox", "size": "huge"})


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (ControlUse(type="depth"), "control `depth` 1"),
        (ControlUse(type="IP-Adapter", weight=0.75, end=0.5), "control `IP-Adapter` 0.75 from 0 to 0.5"),
        (ControlUse(type="@everyone `x`"), "control `@\u200beveryone ˋxˋ` 1"),
    ],
)
def test_a_control_is_mentioned(use: ControlUse, words: str) -> None:
    assert rarer(GenerationRequest(prompt="x", control=(use,)), code) == [words]
