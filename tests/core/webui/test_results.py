"""From an answer to what was drawn: which files are the pictures, their seeds and texts, and what differs."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import NoPicture, UnreadableAnswer
from core.request import GenerationRequest
from core.webui.answer import Answer, Rendered
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.payload import build_payload
from core.webui.results import build_rendered
from playground.webui import Fault, LocalWebui
from tests.core.webui.conftest import client_for

FOX = GenerationRequest(prompt="a fox", seed=40, steps=3, width=64, height=64, cfg_scale=7.0, sampler="Euler a")


async def _draw(
    session: aiohttp.ClientSession, spool: Path, request: GenerationRequest, fault: Fault | None = None, **options: Any
) -> Rendered:
    async with LocalWebui(seconds_per_step=0.0, **options) as webui:
        client = client_for(webui.url, session)
        catalog = await client.fetch_catalog()
        if fault is not None:
            webui.fault(fault)
        answer = await client.txt2img(build_payload(request, catalog, task_id=None), spool)
        return build_rendered(answer, spool, request, catalog)


async def test_a_plain_answer_says_everything(session: aiohttp.ClientSession, tmp_path: Path) -> None:

    rendered = await _draw(session, tmp_path, FOX)
    (picture,) = rendered.pictures
    assert picture.file == "0.raw"
    assert picture.seed == 40
    assert picture.infotext is not None
    assert picture.infotext.startswith("a fox\nSteps: 3, Sampler: Euler a")
    assert rendered.checkpoint == "dreamLandscapes_v4"
    assert (rendered.sampler, rendered.scheduler, rendered.steps, rendered.cfg_scale) == (
        "Euler a",
        "Automatic",
        3,
        7.0,
    )
    assert (rendered.width, rendered.height, rendered.warnings) == (64, 64, ())


async def test_what_was_rendered_survives_its_record(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, FOX)
    record = json.loads(json.dumps(msgspec.to_builtins(rendered)))
    assert msgspec.convert(record, Rendered) == rendered
    assert len(json.dumps(record)) < 2000


async def test_each_picture_of_a_batch_has_its_own_seed(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, _with(count=3))
    assert [picture.seed for picture in rendered.pictures] == [40, 41, 42]
    assert [picture.file for picture in rendered.pictures] == ["0.raw", "1.raw", "2.raw"]
    assert rendered.warnings == ()


async def test_a_grid_that_comes_first_is_left_out(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, _with(count=2), Fault.GRID_FIRST)
    assert [(picture.file, picture.seed) for picture in rendered.pictures] == [("1.raw", 40), ("2.raw", 41)]
    assert (rendered.width, rendered.height) == (64, 64)


@pytest.mark.parametrize("fault", [Fault.JPEG, Fault.WEBP])
async def test_other_kinds_of_picture_carry_their_text_in_exif(
    session: aiohttp.ClientSession, tmp_path: Path, fault: Fault
) -> None:
    (picture,) = (await _draw(session, tmp_path, FOX, fault)).pictures
    assert picture.infotext is not None
    assert "Seed: 40" in picture.infotext


async def test_without_metadata_the_text_comes_from_info(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, _with(count=2), Fault.NO_METADATA)
    assert [picture.seed for picture in rendered.pictures] == [40, 41]
    assert all(picture.infotext and "Steps: 3" in picture.infotext for picture in rendered.pictures)


@pytest.mark.parametrize("fault", [Fault.INFO_EMPTY, Fault.INFO_NOT_JSON, Fault.INFO_MISSING])
async def test_without_info_the_facts_come_from_the_picture(
    session: aiohttp.ClientSession, tmp_path: Path, fault: Fault
) -> None:
    rendered = await _draw(session, tmp_path, FOX, fault)
    assert rendered.pictures[0].seed == 40
    assert (rendered.checkpoint, rendered.sampler, rendered.steps) == ("dreamLandscapes_v4", "Euler a", 3)


@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY_200, Fault.BLANK_IMAGE, Fault.NULL_IMAGES])
async def test_200_without_an_image_is_no_picture(session: aiohttp.ClientSession, tmp_path: Path, fault: Fault) -> None:
    with pytest.raises(NoPicture):
        await _draw(session, tmp_path, FOX, fault)


async def test_bytes_that_are_no_picture_are_unreadable(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    with pytest.raises(UnreadableAnswer):
        await _draw(session, tmp_path, FOX, Fault.NOT_AN_IMAGE)


async def test_fewer_pictures_are_delivered_and_said(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, _with(count=3), Fault.FEWER_IMAGES)
    assert rendered.warnings == ("The webui sent 2 of 3 pictures.",)


async def test_another_checkpoint_than_asked_is_said(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    request = _with(checkpoint="two")
    files = ("one.safetensors", "two.safetensors")
    rendered = await _draw(session, tmp_path, request, Fault.WRONG_CHECKPOINT, checkpoints=files)
    assert rendered.warnings == (f'The webui used the checkpoint "{rendered.checkpoint}" instead of "two".',)
    assert (await _draw(session, tmp_path, request, checkpoints=files)).warnings == ()


async def test_a_size_that_the_webui_rounded_is_said(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    rendered = await _draw(session, tmp_path, _with(width=72, height=100))
    assert rendered.warnings == ("The picture is 72x96 instead of 72x100.",)


async def test_a_black_picture_is_delivered_and_said(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    (warning,) = (await _draw(session, tmp_path, FOX, Fault.BLACK_IMAGE)).warnings
    assert warning.startswith("A picture is one colour all over")


def _with(**changes: Any) -> GenerationRequest:
    return msgspec.convert({**msgspec.to_builtins(FOX), **changes}, GenerationRequest)


def _png(text: str | None, size: tuple[int, int] = (64, 64)) -> bytes:
    info = PngInfo()
    if text is not None:
        info.add_text("parameters", text)
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _text(seed: int, **pairs: str) -> str:
    more = "".join(f", {key.replace('_', ' ')}: {value}" for key, value in pairs.items())
    return f"a fox\nSteps: 3, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 64x64{more}"


def _answer(spool: Path, images: list[bytes | None], info: dict[str, Any] | None = None) -> Answer:
    names: list[str | None] = []
    for number, data in enumerate(images):
        names.append(None if data is None else f"{number}.raw")
        if data is not None:
            (spool / f"{number}.raw").write_bytes(data)
    return Answer(tuple(names), info or {})


def test_masks_between_the_pictures_and_maps_behind_them_are_left_out(tmp_path: Path) -> None:
    images: list[bytes | None] = [_png(_text(1)), _png(None), _png(_text(2)), _png(None), _png(None)]
    rendered = build_rendered(_answer(tmp_path, images), tmp_path, _with(count=2))
    assert [(picture.file, picture.seed) for picture in rendered.pictures] == [("0.raw", 1), ("2.raw", 2)]


def test_where_no_picture_carries_text_the_first_ones_count(tmp_path: Path) -> None:
    info = {"infotexts": ["grid", _text(5), _text(6)], "index_of_first_image": 1}
    images: list[bytes | None] = [_png(None, (128, 128)), *[_png(None)] * 4]
    rendered = build_rendered(_answer(tmp_path, images, info), tmp_path, _with(count=2))
    assert [(picture.file, picture.seed) for picture in rendered.pictures] == [("1.raw", 5), ("2.raw", 6)]
    bare = build_rendered(_answer(tmp_path, images), tmp_path, _with(count=2))
    assert [(picture.file, picture.seed) for picture in bare.pictures] == [("0.raw", 40), ("1.raw", 41)]


def test_a_picture_among_rubbish_is_delivered(tmp_path: Path) -> None:
    images = [b"rubbish", None, _png(_text(9)), _png(_text(8))[:-30], b""]
    rendered = build_rendered(_answer(tmp_path, images), tmp_path, _with(count=3))
    assert [picture.file for picture in rendered.pictures] == ["2.raw"]
    assert rendered.warnings == ("The webui sent 1 of 3 pictures.",)


def test_a_png_that_breaks_off_is_unreadable(tmp_path: Path) -> None:
    for length in (8, 20, 40, 90):
        with pytest.raises(UnreadableAnswer):
            build_rendered(_answer(tmp_path, [_png(_text(1))[:length]]), tmp_path, FOX)


def test_an_index_beyond_the_images_is_not_believed(tmp_path: Path) -> None:
    answer = _answer(tmp_path, [_png(_text(1))], {"index_of_first_image": 1})
    assert build_rendered(answer, tmp_path, FOX).pictures[0].file == "0.raw"


CATALOG = Catalog(
    checkpoints=(
        Checkpoint("xl\\one.safetensors [0123456789]", "xl_one", "0123456789", None, "one", "one.safetensors"),
        Checkpoint("two.ckpt", "two", None, None, "two", "two.ckpt"),
        Checkpoint("my, mix: two", "my, mix: two", None, None, "my, mix: two"),
    ),
    samplers=(Named("Euler a", ("k_euler_a",)), Named("DPM++ 2M")),
    schedulers=(Named("Automatic", ("automatic",)), Named("SGM Uniform", ("sgm_uniform",))),
    capabilities=Capabilities(override_settings=True, clip_skip=1),
)


@pytest.mark.parametrize(
    ("asked", "info", "pairs", "warnings"),
    [
        ({"checkpoint": "0123456789"}, {"sd_model_name": "one"}, {}, ()),
        ({"checkpoint": "xl/one"}, {"sd_model_name": "one.safetensors [0123456789]"}, {}, ()),
        ({"checkpoint": "one"}, {"sd_model_name": "xl_one"}, {}, ()),
        ({"checkpoint": "one"}, {"sd_model_name": None}, {}, ()),
        ({"checkpoint": "one"}, {}, {"Model": "two"}, ('The webui used the checkpoint "two" instead of "one".',)),
        ({"checkpoint": "gone.ckpt [aaaaaaaaaa]"}, {"sd_model_name": "gone"}, {}, ()),
        (
            {"checkpoint": "gone"},
            {"sd_model_name": "two"},
            {},
            ('The webui used the checkpoint "two" instead of "gone".',),
        ),
        ({"sampler": "k_euler_a"}, {"sampler_name": "Euler a"}, {}, ()),
        ({"sampler": "Euler a"}, {"sampler_name": "NONE"}, {}, ()),
        (
            {"sampler": "k_euler_a"},
            {"sampler_name": "DPM++ 2M"},
            {},
            ('The webui used the sampler "DPM++ 2M" instead of "Euler a".',),
        ),
        ({"scheduler": "sgm_uniform"}, {}, {"Schedule_type": "SGM Uniform"}, ()),
        ({"scheduler": "Automatic"}, {}, {"Schedule_type": "Karras"}, ()),
        ({"scheduler": "SGM Uniform"}, {}, {}, ()),
        (
            {"scheduler": "sgm_uniform"},
            {"extra_generation_params": {"Schedule type": "Karras"}},
            {},
            ('The webui used the scheduler "Karras" instead of "SGM Uniform".',),
        ),
        ({"steps": 150}, {"steps": 100}, {}, ("The webui took 100 steps instead of 150.",)),
        ({"width": 64, "height": 100}, {}, {}, ("The picture is 64x64 instead of 64x100.",)),
        ({"clip_skip": 2}, {}, {}, ()),
        ({"checkpoint": "my, mix: two"}, {}, {"Model": "my mix two"}, ()),  # as SD.Next writes it down
    ],
)
def test_each_difference_has_its_sentence_and_equal_spellings_have_none(
    tmp_path: Path, asked: dict[str, Any], info: dict[str, Any], pairs: dict[str, str], warnings: tuple[str, ...]
) -> None:
    request = msgspec.convert({"prompt": "a fox", "seed": 1, **asked}, GenerationRequest)
    answer = _answer(tmp_path, [_png(_text(1, **pairs))], info)
    assert build_rendered(answer, tmp_path, request, CATALOG).warnings == warnings


@pytest.mark.parametrize("can", [Capabilities(), Capabilities(override_settings=True), Capabilities(clip_skip=1)])
def test_a_clip_skip_that_was_left_out_is_said(tmp_path: Path, can: Capabilities) -> None:
    answer = _answer(tmp_path, [_png(_text(1))], {})
    catalog = replace(CATALOG, capabilities=can)
    asked = build_rendered(answer, tmp_path, GenerationRequest(prompt="a fox", seed=1, clip_skip=2), catalog)
    assert asked.warnings == ("This webui can't set CLIP skip; it was left out.",)
    assert build_rendered(answer, tmp_path, GenerationRequest(prompt="a fox", seed=1), catalog).warnings == ()


@pytest.mark.parametrize(
    ("info", "seed"),
    [
        ({"all_seeds": [77]}, 77),
        ({"all_seeds": []}, 40),
        ({"all_seeds": "x"}, 40),
        ({"all_seeds": [-1]}, 40),
        ({"all_seeds": [2**70]}, 40),
        ({"infotexts": [_text(2**65)]}, 40),
        ({"infotexts": [_text(3)], "all_seeds": [77]}, 3),
    ],
)
def test_the_seed_comes_from_the_best_that_is_known(tmp_path: Path, info: dict[str, Any], seed: int) -> None:
    rendered = build_rendered(_answer(tmp_path, [_png(None)], info), tmp_path, FOX)
    assert rendered.pictures[0].seed == seed
    assert msgspec.json.encode(rendered)


@pytest.mark.parametrize(
    ("written", "used", "warnings"),
    [
        ("euler_a discrete", ("euler_a", "discrete"), ()),
        ("euler_a", ("euler_a", None), ()),
        (
            "heun karras",
            ("heun", "karras"),
            (
                'The webui used the sampler "heun" instead of "euler_a".',
                'The webui used the scheduler "karras" instead of "discrete".',
            ),
        ),
    ],
)
def test_sd_cpp_writes_sampler_and_scheduler_as_one(
    tmp_path: Path, written: str, used: tuple[str, str | None], warnings: tuple[str, ...]
) -> None:
    """Before July 2026 its `info` was empty, so that the picture's own text is all there is."""
    text = f"a fox\nSteps: 3, Seed: 1, Size: 64x64, Sampler: {written}, Version: stable-diffusion.cpp, SDCPP: {{}}"
    asked = GenerationRequest(prompt="a fox", seed=1, sampler="euler_a", scheduler="discrete")
    rendered = build_rendered(_answer(tmp_path, [_png(text)]), tmp_path, asked)
    assert (rendered.sampler, rendered.scheduler) == used
    assert rendered.warnings == warnings


_value = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=3))


@given(
    st.dictionaries(
        st.sampled_from(
            ["infotexts", "all_seeds", "index_of_first_image", "steps", "cfg_scale", "sd_model_name", "sampler_name"]
        ),
        _value,
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_info_is_odd_enough_to_lose_a_picture(tmp_path: Path, info: dict[str, Any]) -> None:
    rendered = build_rendered(_answer(tmp_path, [_png(_text(1))], info), tmp_path, FOX, CATALOG)
    assert [picture.seed for picture in rendered.pictures] == [1]
    assert msgspec.convert(json.loads(msgspec.json.encode(rendered)), Rendered) == rendered


@pytest.mark.parametrize(
    ("asked", "drawn", "warnings"),
    [
        ({"width": 64, "height": 48, "hires_scale": 2.0}, (128, 96), ()),
        ({"width": 64, "height": 48, "hires_scale": 1.3}, (80, 56), ()),  # 83.2 and 62.4, floored to eight pixels
        ({"width": 64, "height": 48, "hires_scale": 1.0}, (64, 48), ()),
        ({"hires_scale": 2.0}, (128, 96), ()),  # nobody said a size
        ({"width": 64, "height": 48, "hires_scale": 2.0}, (64, 48), ("The picture is 64x48 instead of 128x96.",)),
        ({"width": 64, "height": 48, "hires_scale": 2.0, "image": "key"}, (64, 48), ()),
    ],
)
def test_a_second_pass_makes_the_picture_larger(
    tmp_path: Path, asked: dict[str, Any], drawn: tuple[int, int], warnings: tuple[str, ...]
) -> None:
    request = msgspec.convert({"prompt": "a fox", "seed": 1, **asked}, GenerationRequest)
    answer = _answer(tmp_path, [_png(_text(1), drawn)], {})
    assert build_rendered(answer, tmp_path, request, CATALOG).warnings == warnings
