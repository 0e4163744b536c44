"""Upscales and descriptions: what each kind of webui is sent, and what becomes of each answer."""

from __future__ import annotations

import base64
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import UNSET
from PIL import Image

from core.errors import (
    ModelMissing,
    NoCaption,
    NoPicture,
    NotOffered,
    OutcomeUnknown,
    UnreadableAnswer,
    UserError,
    WebuiError,
)
from core.images.infotext import parse
from core.request import GenerationRequest
from core.webui.answer import Answer
from core.webui.assets import Assets
from core.webui.catalog import Capabilities, Catalog
from core.webui.dialects import DIALECTS, Speech
from core.webui.extras import build_describe, build_upscale, upscaler_of
from core.webui.lacking import check_needs
from core.webui.needs import TASKS
from core.webui.results import build_upscaled
from core.webui.sending import Base64
from tests.core.webui.conftest import RawServer, client_for, http
from tests.core.webui.features import WEBUIS, catalogs

UPSCALERS = ("Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+")
DOUBLED = GenerationRequest(
    prompt="", task="upscale", image="i", width=64, height=48, upscale_factor=2.0, upscale_width=128, upscale_height=96
)
SIZED = replace(DOUBLED, upscale_factor=UNSET)
DESCRIBED = GenerationRequest(prompt="", task="describe", image="i", width=64, height=48)
INPUTS = {"i": b"png"}
IMAGE = Base64(b"png")
A_FAMILY = (Speech.A1111, Speech.FORGE)


def catalog_of(speech: Speech, tasks: set[str], upscalers: tuple[str, ...] = UPSCALERS) -> Catalog:
    fields = DIALECTS[speech].fields | tasks
    return Catalog(capabilities=Capabilities(speech=speech, fields=fields), assets=Assets(upscalers=upscalers))


@pytest.mark.parametrize("speech", [*A_FAMILY, Speech.SDNEXT])
def test_an_upscale_by_a_factor_names_an_upscaler_always(speech: Speech) -> None:
    payload = build_upscale(DOUBLED, catalog_of(speech, {"upscale"}), INPUTS)
    assert payload == {"image": IMAGE, "resize_mode": 0, "upscaling_resize": 2.0, "upscaler_1": "R-ESRGAN 4x+"}
    assert isinstance(payload["upscaling_resize"], float)


@pytest.mark.parametrize("speech", [*A_FAMILY, Speech.SDNEXT])
def test_an_upscale_to_a_size_is_cut_to_it(speech: Speech) -> None:
    request = replace(SIZED, upscaler="lanczos", upscaler_2="esrgan_4X")
    payload = build_upscale(request, catalog_of(speech, {"upscale"}), INPUTS)
    assert payload == {
        "image": IMAGE,
        "resize_mode": 1,
        "upscaling_resize_w": 128,
        "upscaling_resize_h": 96,
        "upscaling_crop": True,
        "upscaler_1": "Lanczos",
        "upscaler_2": "ESRGAN_4x",
        "extras_upscaler_2_visibility": 0.5,
    }


@pytest.mark.parametrize("speech", A_FAMILY)
def test_faces_are_restored_where_a_webui_can(speech: Speech) -> None:
    request = replace(DOUBLED, gfpgan=1, codeformer=0.7, codeformer_weight=0.2)
    payload = build_upscale(request, catalog_of(speech, {"upscale"}), INPUTS)
    sent = {key: payload[key] for key in ("gfpgan_visibility", "codeformer_visibility", "codeformer_weight")}
    assert sent == {"gfpgan_visibility": 1.0, "codeformer_visibility": 0.7, "codeformer_weight": 0.2}
    with pytest.raises(NotOffered, match="no GFPGAN"):
        build_upscale(request, catalog_of(Speech.SDNEXT, {"upscale"}), INPUTS)


def test_koboldcpp_reads_the_image_and_the_factor_alone() -> None:
    catalog = catalog_of(Speech.KOBOLD, {"upscale"}, ("ESRGAN_4x",))
    assert build_upscale(DOUBLED, catalog, INPUTS) == {"image": IMAGE, "upscaling_resize": 2.0}
    with pytest.raises(NotOffered, match="only by a factor"):
        build_upscale(SIZED, catalog, INPUTS)


@pytest.mark.parametrize("name", ["None", "none", "Latent", "no-such"])
def test_a_name_that_enlarges_nothing_is_refused_with_the_nearest(name: str) -> None:
    catalog = catalog_of(Speech.A1111, {"upscale"})
    catalog = replace(catalog, assets=replace(catalog.assets, latent_upscalers=("Latent",)))
    with pytest.raises(NotOffered, match=r"no upscaler called .* nearest"):
        check_needs(replace(DOUBLED, upscaler=name), catalog)


def test_the_usual_upscaler_is_one_with_a_model() -> None:
    known = [upscaler_of(DOUBLED, catalog_of(Speech.A1111, set(), names)) for names in (UPSCALERS, UPSCALERS[:3])]
    assert known == ["R-ESRGAN 4x+", "ESRGAN_4x"]
    assert upscaler_of(DOUBLED, catalog_of(Speech.A1111, set(), UPSCALERS[:1])) == "Lanczos"
    with pytest.raises(NotOffered, match="can't list its upscalers"):
        build_upscale(DOUBLED, catalog_of(Speech.A1111, {"upscale"}, ()), INPUTS)


def test_an_image_that_is_gone_is_said() -> None:
    for build, request in ((build_upscale, DOUBLED), (build_describe, DESCRIBED)):
        with pytest.raises(UserError, match="send it again"):
            build(request, catalog_of(Speech.A1111, set(TASKS)), {})


@pytest.mark.parametrize(
    ("speech", "tasks", "wanted", "sent"),
    [
        (Speech.A1111, {"clip", "deepdanbooru"}, UNSET, {"model": "clip"}),
        (Speech.FORGE, {"clip", "deepdanbooru"}, "deepdanbooru", {"model": "deepdanbooru"}),
        (Speech.SDNEXT, {"clip", "deepdanbooru", "caption"}, UNSET, {"backend": "vlm"}),
        (Speech.SDNEXT, {"clip", "deepdanbooru", "caption"}, "clip", {"backend": "openclip"}),
        (Speech.SDNEXT, {"clip", "deepdanbooru", "caption"}, "deepdanbooru", {"backend": "tagger"}),
        (Speech.KOBOLD, {"caption"}, UNSET, {}),
        (Speech.KOBOLD, {"caption"}, "caption", {}),
    ],
)
def test_a_description_is_asked_of_what_the_webui_has(
    speech: Speech, tasks: set[str], wanted: Any, sent: dict[str, str]
) -> None:
    request = replace(DESCRIBED, describe_with=wanted)
    assert build_describe(request, catalog_of(speech, tasks | {"describe"}), INPUTS) == {"image": IMAGE, **sent}


def test_what_no_webui_can_do_is_said_in_a_sentence() -> None:
    nothing = catalog_of(Speech.SDCPP, set())
    with pytest.raises(NotOffered, match=r"webui has no upscaler\.$"):
        check_needs(DOUBLED, nothing)
    with pytest.raises(NotOffered, match=r"no way to describe an image\.$"):
        check_needs(DESCRIBED, nothing)
    with pytest.raises(NotOffered, match=r"no captioning model\.$"):
        check_needs(replace(DESCRIBED, describe_with="caption"), catalog_of(Speech.A1111, {"describe", "clip"}))


async def test_what_each_webui_can_do_is_found_without_starting_anything(session: aiohttp.ClientSession) -> None:
    every = {"upscale", "describe", "clip", "deepdanbooru"}
    found = {name: catalog.capabilities.fields & TASKS for name, catalog in (await catalogs(session)).items()}
    assert found == dict.fromkeys(WEBUIS, every) | {
        "SD.Next": every | {"caption"},
        "sd.cpp": set(),
        "KoboldCpp": {"upscale", "describe", "caption"},
        "Draw Things": set(),
    }


def picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 50).convert("RGB").save(file, "PNG")
    return file.getvalue()


async def answered(raw: RawServer, session: aiohttp.ClientSession, answer: bytes, spool: Path) -> Answer:
    raw.answers["/sdapi/v1/extra-single-image"] = answer
    return await client_for(raw.url, session).upscale({"image": IMAGE}, spool)


async def test_the_one_image_is_streamed_to_the_spool(
    raw: RawServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    png = base64.b64encode(picture(128, 96))
    body = b'{"html_info": "<p>image: \\"image\\"</p>", "x": {"image": "no"}, "image": "' + png + b'"}'
    answer = await answered(raw, session, http("200 OK", body), tmp_path)
    assert answer.files == ("0.raw",)
    catalog = catalog_of(Speech.A1111, {"upscale"})
    rendered = build_upscaled(answer, tmp_path, DOUBLED, catalog)
    assert (rendered.width, rendered.height, rendered.warnings) == (128, 96, ())
    assert rendered.upscaler == "R-ESRGAN 4x+"
    fields = parse(rendered.pictures[0].infotext or "").fields
    assert fields["Postprocess upscaler"] == "R-ESRGAN 4x+"
    assert fields["Postprocess upscale by"] == "2"
    shrunk = build_upscaled(answer, tmp_path, replace(DOUBLED, upscale_width=512, upscale_height=384), catalog)
    assert shrunk.warnings == ("The picture is 128x96 instead of 512x384.",)
    assert build_upscaled(answer, tmp_path, replace(DOUBLED, upscale_width=135), catalog).warnings == ()


@pytest.mark.parametrize(
    "body", [b'{"image": null}', b'{"image": ""}', b'{"image": {"a": ["b"]}}', b'{"images": []}', b"{}"]
)
async def test_an_answer_without_an_image_is_none(
    raw: RawServer, session: aiohttp.ClientSession, tmp_path: Path, body: bytes
) -> None:
    answer = await answered(raw, session, http("200 OK", body), tmp_path)
    with pytest.raises(NoPicture):
        build_upscaled(answer, tmp_path, DOUBLED, catalog_of(Speech.A1111, {"upscale"}))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("200 OK", b"<html><p>image</p></html>", "text/html"), UnreadableAnswer),
        (http("200 OK", b'{"image": "%%%"}'), UnreadableAnswer),
        (http("200 OK", b'{"image": "' + b"cG5n"), UnreadableAnswer),
        (http("500 X", b'{"error":"AssertionError","errors":"could not find upscaler named x"}'), ModelMissing),
        (http("200 OK", b'{"image": "').replace(b"Content-Length: 11", b"Content-Length: 99"), OutcomeUnknown),
        (b"", OutcomeUnknown),
    ],
)
async def test_a_bad_answer_is_the_error_it_is(
    raw: RawServer, session: aiohttp.ClientSession, tmp_path: Path, answer: bytes, error: type[WebuiError]
) -> None:
    with pytest.raises(error):
        await answered(raw, session, answer, tmp_path)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]  # noqa: PTH208  # a moment's look


@pytest.mark.parametrize(
    ("body", "caption"),
    [
        (b'{"caption": " a fox\\u202e, in \\u0000snow\\n"}', "a fox, in snow"),
        (b'{"backend": "tagger", "caption": null, "tags": "fox, snow"}', "fox, snow"),
        (b'{"backend": "vlm", "caption": null, "answer": "A fox."}', "A fox."),
        (b'{"caption": "\\ud83e"}', "?"),
    ],
)
async def test_words_are_found_under_any_of_their_keys(
    raw: RawServer, session: aiohttp.ClientSession, body: bytes, caption: str
) -> None:
    raw.answers["/sdapi/v1/interrogate"] = http("200 OK", body)
    assert (await client_for(raw.url, session).describe({"image": IMAGE})).caption == caption


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"caption": ""}', NoCaption),
        (b'{"caption": " \\u200e"}', NoCaption),
        (b'{"caption": ["a"]}', NoCaption),
        (b"[]", UnreadableAnswer),
        (b"<html>", UnreadableAnswer),
    ],
)
async def test_an_answer_without_words_is_an_error(
    raw: RawServer, session: aiohttp.ClientSession, body: bytes, error: type[WebuiError]
) -> None:
    raw.answers["/sdapi/v1/interrogate"] = http("200 OK", body)
    with pytest.raises(error):
        await client_for(raw.url, session).describe({"image": IMAGE})
