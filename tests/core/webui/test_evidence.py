"""Of what fails without a word, only what the webui wrote down is a sign."""

import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.request import GenerationRequest
from core.webui import faces
from core.webui.answer import Answer
from core.webui.assets import Assets
from core.webui.catalog import Catalog
from core.webui.payload import build_payload
from core.webui.results import build_rendered
from playground.webui import LocalWebui
from tests.core.webui.conftest import client_for

DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQIW2NkYPgPAAEHAQJvZ5NuAAAAAElFTkSuQmCC")
FACES = Catalog(assets=Assets(face_models=("face_yolov8n.pt",)))
FIX = GenerationRequest(prompt="a fox", seed=1, face_fix=True)


def text_of(pairs: str) -> str:
    return f"a fox\nSteps: 3, Sampler: Euler a, Seed: 1, Size: 1x1{pairs}"


def warnings_of(spool: Path, request: GenerationRequest, catalog: Catalog, info: dict[str, Any]) -> tuple[str, ...]:
    (spool / "0.raw").write_bytes(DOT)
    found = build_rendered(Answer(("0.raw",), info), spool, request, catalog).warnings
    return tuple(sentence for sentence in found if "one colour" not in sentence)


@pytest.mark.parametrize(
    ("info", "warned"),
    [
        ({"infotexts": [text_of(", ADetailer model: face_yolov8n.pt")]}, False),
        ({"extra_generation_params": {"ADetailer model": "face_yolov8n.pt"}}, False),
        ({"extra_generation_params": {}}, True),
        ({"infotexts": [text_of("")]}, True),
        ({"infotexts": ["ADetailer model: yes\n" + text_of("")]}, True),
        ({}, False),  # it tells nothing at all
    ],
)
def test_faces_that_the_detailer_left_out_are_said(tmp_path: Path, info: dict[str, Any], warned: bool) -> None:
    assert warnings_of(tmp_path, FIX, FACES, info) == ((faces.LEFT_OUT,) if warned else ())


def test_the_detailer_owes_nothing_that_it_was_not_told(tmp_path: Path) -> None:
    """Without it faces are restored, of which it writes down nothing of its own."""
    info = {"infotexts": [text_of("")]}
    assert warnings_of(tmp_path, FIX, Catalog(), info) == ()
    assert warnings_of(tmp_path, GenerationRequest(prompt="a fox", seed=1), FACES, info) == ()


@pytest.mark.parametrize(("model", "warned"), [("face_yolov8n.pt", False), ("face_gone.pt", True)])
async def test_a_detailer_without_its_model_is_noticed(
    session: aiohttp.ClientSession, tmp_path: Path, model: str, warned: bool
) -> None:
    async with LocalWebui(seconds_per_step=0.0, adetailer=True) as webui:
        client = client_for(webui.url, session)
        catalog = Catalog(assets=Assets(face_models=(model,)))
        answer = await client.txt2img(build_payload(FIX, catalog, task_id=None), tmp_path)
        assert (faces.LEFT_OUT in build_rendered(answer, tmp_path, FIX, catalog).warnings) is warned
