"""Fooocus's, SwarmUI's and Draw Things' JSON, which stands where others have an infotext."""

from __future__ import annotations

import html
import io
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.images.json_schemes import read
from core.images.metadata import read_metadata
from tests.core.images import pictures
from tests.core.images.test_metadata import GRAPH, photo, png, tell

FOOOCUS: dict[str, Any] = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "base_model_hash": "aeb7e9e689",
    "clip_skip": 2,
    "full_negative_prompt": ["dogs", "blurry"],
    "full_prompt": ["cinematic still a fox"],
    "guidance_scale": 4.0,
    "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "dogs",
    "performance": "Speed",
    "prompt": "a fox",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "resolution": "(896, 1152)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "123",
    "sharpness": 2.0,
    "steps": 30,
    "styles": "['Fooocus V2']",
    "vae": "Default (model)",
    "version": "Fooocus v2.5.5",
}
SWARM: dict[str, Any] = {
    "sui_image_params": {
        "prompt": "a fox",
        "negativeprompt": "dogs",
        "model": "OfficialStableDiffusion/sd_xl_base_1.0",
        "seed": 5,
        "steps": 20,
        "cfgscale": 7.0,
        "aspectratio": "1:1",
        "width": 1024,
        "height": 768,
        "sampler": "euler",
        "scheduler": "normal",
        "loras": ["ink", "paper"],
        "loraweights": ["0.8"],
        "swarm_version": "0.9.5.0",
    },
    "sui_extra_data": {"date": "2026-01-01"},
}
DRAW_THINGS: dict[str, Any] = {
    "c": 'a "red" fox & <friends>',
    "uc": "dogs",
    "lora": [{"model": "ink_lora_f16.ckpt", "weight": 0.6}],
    "model": "juggernaut_q6p_q8p.ckpt",
    "profile": {"duration": 3.5},
    "sampler": "DPM++ 2M Karras",
    "scale": 7.5,
    "seed": 123,
    "seed_mode": "Scale Alike",
    "shift": 3,
    "size": "896x1152",
    "steps": 24,
    "strength": 0.7,
    "v2": {"clipSkip": 1},
}
WRITERS = {
    "png": lambda text: png({"parameters": text}),
    "jpeg": lambda text: photo("JPEG", {0x9286: b"UNICODE\0" + text.encode("utf-16-be")}),
    "webp": lambda text: photo("WEBP", {0x9286: b"ASCII\0\0\0" + text.encode()}),
}


XMP = "XML:com.adobe.xmp"


def in_xmp(text: str) -> bytes:
    """A PNG as Apple's frameworks write it."""
    comment = f"<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>{html.escape(text)}</rdf:li></rdf:Alt>"
    whole = f"<x:xmpmeta><rdf:RDF><rdf:Description>{comment}</exif:UserComment></rdf:Description></rdf:RDF>"
    return png({XMP: whole + "</x:xmpmeta>"})


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_fooocus_s_own_scheme_is_read(write: Any) -> None:
    raw = json.dumps(FOOOCUS)
    found = tell(write(raw))
    assert (found.source, found.prompt, found.negative_prompt, found.raw) == ("Fooocus", "a fox", "dogs", raw)
    assert dict(found.fields) == {
        "Steps": "30",
        "Sampler": "dpmpp_2m_sde_gpu",
        "Schedule type": "karras",
        "CFG scale": "4.0",
        "Seed": "123",
        "Size": "896x1152",
        "Model": "juggernautXL_v8Rundiffusion",
        "Model hash": "aeb7e9e689",
        "VAE": "Default (model)",
        "Clip skip": "2",
        "Performance": "Speed",
        "Styles": "['Fooocus V2']",
        "Sharpness": "2.0",
        "ADM guidance": "(1.5, 0.8, 0.3)",
        "Version": "Fooocus v2.5.5",
        "LoRA": "sd_xl_offset_example-lora_1.0: 0.1",
    }
    refined = tell(write(json.dumps({**FOOOCUS, "refiner_model": "xl_refiner"})))
    assert (refined.fields["Refiner"], refined.fields["Refiner switch at"]) == ("xl_refiner", "0.5")


def test_fooocus_s_photos_have_it_beside_their_software() -> None:
    exif = Image.Exif()
    exif[0x9286], exif[0x0131], exif[0x927C] = json.dumps(FOOOCUS), "Fooocus v2.5.5", "fooocus"
    out = io.BytesIO()
    pictures.noise(16, 16).save(out, "JPEG", exif=exif)
    assert tell(out.getvalue()).source == "Fooocus"


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_swarm_ui_s_is_read(write: Any) -> None:
    found = tell(write(json.dumps(SWARM)))
    assert (found.source, found.prompt, found.negative_prompt) == ("SwarmUI", "a fox", "dogs")
    assert dict(found.fields) == {
        "Steps": "20",
        "Sampler": "euler",
        "Schedule type": "normal",
        "CFG scale": "7.0",
        "Seed": "5",
        "Size": "1024x768",
        "Model": "OfficialStableDiffusion/sd_xl_base_1.0",
        "Version": "0.9.5.0",
        "LoRA": "ink: 0.8, paper: 1",
    }


@pytest.mark.parametrize("write", [in_xmp, WRITERS["jpeg"]], ids=["png", "jpeg"])
def test_draw_things_is_read(write: Any) -> None:
    raw = json.dumps(DRAW_THINGS)
    found = tell(write(raw))
    assert (found.source, found.prompt, found.negative_prompt) == ("Draw Things", DRAW_THINGS["c"], "dogs")
    assert found.raw == raw
    assert dict(found.fields) == {
        "Steps": "24",
        "Sampler": "DPM++ 2M Karras",
        "CFG scale": "7.5",
        "Seed": "123",
        "Size": "896x1152",
        "Model": "juggernaut_q6p_q8p.ckpt",
        "Denoising strength": "0.7",
        "Shift": "3",
        "LoRA": "ink_lora_f16.ckpt: 0.6",
    }
    assert "Denoising strength" not in tell(write(json.dumps({**DRAW_THINGS, "strength": 1.0}))).fields


@pytest.mark.parametrize("xmp", ["<exif:UserComment>" * 50_000, "<exif:UserComment><rdf:li>{", "<x/>", "&" * 500_000])
def test_xmp_that_says_nothing_of_use_is_passed_over_quickly(xmp: str) -> None:
    started = time.perf_counter()
    assert read_metadata(png({XMP: xmp})) is None
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize("text", ["x", '{"a": "Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 5"}', "{a|b} fox"])
def test_what_no_program_is_known_to_write_has_no_source(text: str) -> None:
    found = tell(pictures.as_png(pictures.noise(8, 8), text))
    assert (found.source, found.prompt, dict(found.fields)) == ("", text, {})


def test_another_program_s_keys_count_more_than_an_object_that_nobody_knows() -> None:
    assert tell(png({"parameters": '{"a": 1}', "prompt": json.dumps(GRAPH)})).source == "ComfyUI"
    assert read_metadata(photo("JPEG", {0x9286: b'ASCII\0\0\0{"a": 1}'})) is None


values = st.recursive(st.none() | st.booleans() | st.text(max_size=5) | st.floats(), st.lists, max_leaves=5)


@given(
    st.dictionaries(st.sampled_from([*FOOOCUS, *DRAW_THINGS, "sui_image_params"]), values),
    st.dictionaries(st.sampled_from([*SWARM["sui_image_params"]]), values),
)
def test_whatever_the_values_are_nothing_is_raised(fooocus: dict[str, Any], swarm: dict[str, Any]) -> None:
    for body in (fooocus, {"sui_image_params": swarm}):
        found = read(body, "")
        assert found is None or all(isinstance(value, str) and value for value in found.fields.values())
