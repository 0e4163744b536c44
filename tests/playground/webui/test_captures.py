"""Forge and reForge answer as the real ones were recorded answering: status, headers, keys, types, and mostly values."""

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground.webui import LocalForge, LocalReForge, LocalWebui
from tests.playground.webui.conftest import Client, Reply

CAPTURES = Path(__file__).parent / "captures"
NAMES = sorted(str(path.relative_to(CAPTURES).with_suffix("")) for path in CAPTURES.glob("*/*.json"))
WEBUIS: dict[str, type[LocalWebui]] = {"forge": LocalForge, "reforge": LocalReForge}
HOW = {
    "seconds_per_step": 0.0,
    "cheap_pictures": True,
    "controlnet": False,  # the recorded ones ran without
    "checkpoints": ("random-sd15-b.safetensors", "random-sd15.safetensors"),
    "loras": ("random_char", "random_style"),
}
# Ours are a selection, or other files than theirs: keys and types are compared, values are not.
SELECTIONS = {"get-options", "get-cmd-flags"}
OTHER_FILES = {"get-embeddings", "get-loras", "get-memory", "get-prompt-styles", "get-realesrgan-models"}
OTHER_FILES |= {"get-upscalers", "get-sd-models", "get-sd-modules", "get-sd-vae"}
NEVER_THE_SAME = {"subseed", "all_subseeds", "job_timestamp", "sd_model_hash"}


def load(name: str) -> dict[str, Any]:
    capture: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text())
    return capture


def fill(value: Any, picture: str) -> Any:
    """The recorded body with a whole picture in the place of each shortened one."""
    if isinstance(value, dict):
        return {key: fill(each, picture) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, picture) for each in value]
    if isinstance(value, str) and value.endswith("base64 chars]"):
        return ("data:image/png;base64," if value.startswith("data:") else "") + picture
    return value


def shape(value: Any) -> Any:
    """The value with types in the place of scalars; of a list, the shape of its first item."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return type(value).__name__


def assert_like(ours: Any, theirs: Any, where: str, *, whole: bool) -> None:
    """The same types, null fitting everything; with `whole` also the same keys in the same order."""
    if ours in ("NoneType", []) or theirs in ("NoneType", []):
        return
    assert type(ours) is type(theirs), where
    if isinstance(ours, str):
        assert ours == theirs, where
    if isinstance(ours, dict):
        assert not whole or list(ours) == list(theirs), where
        assert set(ours) <= set(theirs), where
        for key, value in ours.items():
            assert_like(value, theirs[key], f"{where}.{key}", whole=whole)
    if isinstance(ours, list):
        assert_like(ours[0], theirs[0], f"{where}[0]", whole=whole)


def normal(reply: dict[str, Any], *, drawn: bool) -> dict[str, Any]:
    """A drawing's reply without what is never the same twice; pictures are only counted."""
    info = json.loads(reply["info"])
    texts = [re.sub(r"(Model hash: |random_style: )\w+", r"\1x", text) for text in info["infotexts"]]
    if drawn:  # a seed that nobody gave
        texts = [re.sub(r"Seed: \d+", "Seed: x", text) for text in texts]
        info |= {"seed": 0, "all_seeds": [0]}
    hashes = {key: re.sub(r"\w+$", "x", value) for key, value in info["extra_generation_params"].items() if "has" in key}
    info["extra_generation_params"] |= hashes
    kept = {key: value for key, value in info.items() if key not in NEVER_THE_SAME}
    return {**reply, "images": len(reply["images"]), "info": {**kept, "infotexts": texts}}


async def send(client: Client, request: dict[str, Any], picture: str) -> Reply:
    """The recorded request once more."""
    body = request["body"]
    if isinstance(body, str):
        return await client.ask(request["method"], request["path"], data=body.encode())
    options = {} if body is None else {"json": fill(body, picture)}
    return await client.ask(request["method"], request["path"], **options)


@pytest.fixture
async def recorded(name: str) -> AsyncIterator[tuple[Client, dict[str, Any], str]]:
    """A fresh webui of the capture's kind, the capture, and a picture that the real one drew."""
    kind = name.partition("/")[0]
    internal = kind == "forge"  # reForge ran with --nowebui
    picture = base64.b64encode((CAPTURES / kind / "txt2img-1-0.png").read_bytes()).decode()
    async with WEBUIS[kind](**HOW, internal=internal) as webui:
        yield Client(webui), load(name), picture


@pytest.mark.parametrize("name", NAMES)
async def test_the_answer_is_like_the_recorded_one(recorded: tuple[Client, dict[str, Any], str], name: str) -> None:
    client, capture, picture = recorded
    theirs = capture["response"]
    ours = await send(client, capture["request"], picture)
    assert ours.status == theirs["status"]
    headers = {key.lower() for key in ours.headers}
    assert ("x-process-time" in headers) == ("x-process-time" in theirs["headers"])
    assert ours.headers["Content-Type"] == theirs["headers"]["content-type"]
    short = name.partition("/")[2]
    if short.startswith("txt2img-hires") and ours.status == 200:
        short = "txt2img"
    whole = short not in SELECTIONS | OTHER_FILES
    assert_like(shape(ours.json()), shape(theirs["body"]), short, whole=whole) if short != "get-loras" else None
