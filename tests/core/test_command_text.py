"""A request as the command that asks for it: what is written is read as the same."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from cogs.options import read_options
from core.command_text import as_command, as_options
from core.request import GenerationRequest, LoraUse

NUMBERS = {"steps": int, "seed": int, "count": int, "clip_skip": int, "cfg_scale": float, "hires": float}
NUMBERS |= {"distilled_cfg": float, "denoising_strength": float}


def read_back(request: GenerationRequest) -> GenerationRequest:
    """As Discord and then the bot would read the options."""
    options: dict[str, Any] = dict(as_options(request))
    extra = {key: options.pop(key) for key in list(options) if key in ("refiner", "refiner_at", "tiling", "eta")}
    said = {name: NUMBERS.get(name, str)(text) for name, text in options.items()}
    if "face_fix" in said:
        said["face_fix"] = said["face_fix"] == "yes"
    line = as_command(request)
    for key in extra:
        assert f"{key}:" in line.partition(" extra:")[2]
    said["extra"] = line.partition(" extra:")[2] or None
    return read_options({"prompt": request.prompt, **said})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"width": 832, "height": 1216, "steps": 20, "cfg_scale": 6.5, "seed": 7, "count": 4, "clip_skip": 2},
        {"loras": (LoraUse("ink, wash", 0.8), LoraUse("a:5", 1.0), LoraUse("plain", -0.5))},
        {"styles": ("Sharp, detailed", "noir")},
        {"hires_scale": 1.5, "hires_upscaler": "Latent", "face_fix": True, "vae": "vae.pt", "distilled_cfg": 3.5},
        {"refiner_checkpoint": 'night "v2" x', "refiner_switch_at": 0.8, "tiling": True, "eta": 0.5},
    ],
)
def test_what_is_written_is_read_as_the_same(fields: dict[str, Any]) -> None:
    request = GenerationRequest(prompt="a fox", **fields)
    assert read_back(request) == request


def test_the_command_is_one_line_and_says_what_was_said() -> None:
    request = GenerationRequest(prompt="a fox\nat night", negative_prompt="fog", steps=20, count=1, image="key")
    assert as_command(request) == "/draw prompt:a fox at night negative_prompt:fog steps:20"
    assert as_command(GenerationRequest(prompt="a", negative_prompt=UNSET)) == "/draw prompt:a"
