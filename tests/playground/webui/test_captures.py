"""Forge and reForge answer as real ones were recorded answering: status, headers, keys, types, and mostly values."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from playground.webui import LocalForge, LocalReForge, LocalWebui
from tests.playground.webui.conftest import Client, Reply

CAPTURES = Path(__file__).parent / "captures"
NAMES = sorted(str(path.relative_to(CAPTURES).with_suffix("")) for path in CAPTURES.glob("*/*.json"))
WEBUIS: dict[str, type[LocalWebui]] = {"forge": LocalForge, "reforge": LocalReForge}
HOW: dict[str, Any] = {
    "seconds_per_step": 0.0,
    "cheap_pictures": True,
    "controlnet": False,  # the recorded ones ran without
    "checkpoints": ("random-sd15-b.safetensors", "random-sd15.safetensors"),
    "loras": ("random_char", "random_style"),
}
# Ours are a selection: the keys that we have are there and of the same type.
SELECTIONS = {"get-options", "get-cmd-flags"}
# Drawn by other hands, or other files than theirs: keys and types are compared, values are not.
SHAPES = {"get-loras", "get-prompt-styles", "get-realesrgan-models", "get-upscalers", "get-sd-models", "get-embeddings"}
SHAPES |= {
    "get-sd-modules",
    "get-sd-vae",
    "get-memory",
    "get-progress",
    "get-progress-skip",
    "extra-single-image",
    "progress-after",
    "progress-busy-with-image",
}
NEVER_THE_SAME = {"subseed", "all_subseeds", "job_timestamp", "sd_model_hash"}
GREY = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADElEQVR4nGNgGB4AAADIAAGtQHYiAAAAAElFTkSuQmCC"


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
    """The same types, null and an empty list fitting everything; with `whole` also the same keys in the same order."""
    if ours in ("NoneType", []) or theirs in ("NoneType", []):
        return
    assert type(ours) is type(theirs), where
    if isinstance(ours, dict):
        assert list(ours) == list(theirs) or (not whole and set(ours) <= set(theirs)), where
        for key, value in ours.items():
            assert_like(value, theirs[key], f"{where}.{key}", whole=whole)
    elif isinstance(ours, list):
        assert_like(ours[0], theirs[0], f"{where}[0]", whole=whole)
    else:
        assert ours == theirs, where


def without_names(name: str, body: Any) -> Any:
    """The body without the keys that are names of files, or of another machine's parts."""
    match name:
        case "get-embeddings":
            return {"loaded": list(body["loaded"].values()), "skipped": body["skipped"]}
        case "get-loras":
            return [{**item, "metadata": {}} for item in body]
        case "get-memory":
            return {**body, "cuda": {}}  # theirs had no card
    return body


def drawing(reply: dict[str, Any]) -> dict[str, Any]:
    """A drawing's reply without what is never the same twice; pictures are only counted."""
    info = json.loads(reply["info"])
    said = json.dumps({key: value for key, value in info.items() if key not in NEVER_THE_SAME})
    said = re.sub(r"(Model hash: |random_style: )\w+", r"\1x", said)
    if reply["parameters"]["seed"] == -1:
        said = re.sub(str(info["seed"]), "0", said)
    return {**reply, "images": len(reply["images"]), "info": json.loads(said)}


async def send(client: Client, request: dict[str, Any], picture: str) -> Reply:
    """The recorded request once more."""
    body = request["body"]
    if isinstance(body, str):
        headers = {"Content-Type": "application/json"}
        return await client.ask(request["method"], request["path"], data=body.encode(), headers=headers)
    options = {} if body is None else {"json": fill(body, picture)}
    return await client.ask(request["method"], request["path"], **options)


@pytest.mark.parametrize("name", NAMES)
async def test_the_answer_is_the_recorded_one(name: str) -> None:
    kind, _, short = name.partition("/")
    capture = load(name)
    picture = base64.b64encode((CAPTURES / kind / "txt2img-1-0.png").read_bytes()).decode()
    async with WEBUIS[kind](**HOW, internal=kind == "forge") as webui:  # the recorded reForge had no web UI
        reply = await send(Client(webui), capture["request"], GREY if short == "png-info-no-metadata" else picture)
    theirs = capture["response"]
    assert reply.status == theirs["status"]
    assert reply.headers["Content-Type"] == theirs["headers"]["content-type"]
    assert ("X-Process-Time" in reply.headers) == ("x-process-time" in theirs["headers"])
    if short in SELECTIONS | SHAPES:
        ours, real = (shape(without_names(short, body)) for body in (reply.json(), theirs["body"]))
        assert_like(ours, real, short, whole=short in SHAPES)
    elif isinstance(theirs["body"], dict) and "images" in theirs["body"]:
        assert drawing(reply.json()) == drawing(theirs["body"])
    else:
        assert reply.json() == theirs["body"]
