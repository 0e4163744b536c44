"""Generation data out of real files: PNG, JPEG and WebP as each program writes them, and as nobody should."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import UnreadableAnswer
from core.images.metadata import Metadata, from_infotext, read_metadata
from tests.core.images import pictures
from tests.core.images.infotexts import SIX, Example

GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 5, "steps": 20, "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox 狐"}},
}
NOVELAI = {"Software": "NovelAI", "Description": "a fox", "Comment": json.dumps({"steps": 28, "uc": "dogs"})}
PIPE_LINE = (
    "Prompt: a cat | on a mat | NegativePrompt: bad: worse | Steps: 20 | CFGScale: 5 | Seed: 123456 | Size: 512x768 "
    "| Sampler: Euler a | Model: sdxl | Version: KoboldCpp"
)
SDCPP = (
    "a red fox\nNegative prompt: blurry\nSteps: 2, CFG scale: 7.000000, Guidance: 3.500000, Eta: inf, Seed: 1234, "
    "Size: 64x64, Model: random.safetensors, RNG: cuda, Sampler: euler_a karras, Skip layers: [7, 8, 9, ], "
    'Version: stable-diffusion.cpp, SDCPP: {"prompt":{"negative":"x, Seed: 9","positive":"y"},"seed":1234}'
)


def png(texts: dict[str, str], **options: Any) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text, **options)
    out = io.BytesIO()
    pictures.noise(16, 16).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def photo(name: str, tags: dict[int, str | bytes]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        if tag == 0x9286:
            exif.get_ifd(0x8769)[tag] = value
        else:
            exif[tag] = value
    out = io.BytesIO()
    pictures.noise(16, 16).save(out, name, exif=exif)
    return out.getvalue()


def tell(data: bytes) -> Metadata:
    found = read_metadata(data)
    assert found is not None
    return found


WRITERS: dict[str, Callable[[str], bytes]] = {
    "png": lambda text: pictures.as_png(pictures.noise(16, 16), text),
    "jpeg": lambda text: pictures.as_photo(pictures.noise(16, 16), "JPEG", text),
    "webp": lambda text: pictures.as_photo(pictures.noise(16, 16), "WEBP", text),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
@pytest.mark.parametrize("example", SIX, ids=lambda example: example.name)
def test_the_six_examples_are_read_from_every_kind_of_file(example: Example, write: Any) -> None:
    found = tell(write(example.text))
    assert found.source == {"modules": "Forge", "SD.Next": "SD.Next"}.get(example.name, "AUTOMATIC1111")
    assert (found.prompt, found.negative_prompt) == (example.prompt, example.negative_prompt)
    assert list(found.fields.items()) == list(example.fields.items())
    assert found.raw == example.text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (SDCPP, "stable-diffusion.cpp"),
        (PIPE_LINE, "KoboldCpp"),
        ("x\nSteps: 1, Seed: 2, Size: 1x1", "AUTOMATIC1111"),
        ("x\nSteps: 1, Seed: 2, Version: f1.0.0v2-v1.10.1RC-1.10.1", "reForge"),
        ("x\nSteps: 1, Seed: 2, Version: f2.0.1v1.10.1-1.10.1", "Forge"),
        ("x\nSteps: 1, Seed: 2, Version: neo", "Forge Neo"),
        ("x\nSteps: 1, Seed: 2, Version: ComfyUI", "ComfyUI"),
        ("x\nSteps: 1, Seed: 2, Version: Easel", "Easel"),
        ("x\nSteps: 1, Seed: 2, Version: Fooocus v2.1.8", "Fooocus"),
        ("x\nSteps: 1, Seed: 2, App: SD.Next, Version: v1", "SD.Next"),
    ],
)
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_an_infotext_says_who_wrote_it(text: str, source: str, write: Any) -> None:
    assert tell(write(text)).source == source


def test_the_json_tail_stays_in_the_raw_text_and_out_of_the_fields() -> None:
    found = tell(WRITERS["png"](SDCPP))
    assert found.raw == SDCPP
    assert list(found.fields)[-2:] == ["Skip layers", "Version"]
    assert found.fields["Skip layers"] == "[7, 8, 9, ]"


LAST = "Steps: 20, Sampler: Euler, Seed: 5, Size: 512x512"


@pytest.mark.parametrize(
    ("text", "prompt", "negative", "fields"),
    [
        ("a cat, a dog", "a cat, a dog", "", {}),
        (
            f"a cat\nNegative prompt: fake\nSteps: 1, Sampler: Fake, Seed: 666\nNegative prompt: real\n{LAST}",
            "a cat",
            "fake\nSteps: 1, Sampler: Fake, Seed: 666\nreal",
            {"Steps": "20", "Sampler": "Euler", "Seed": "5", "Size": "512x512"},
        ),
        ("x\nSteps: 20, Foo: , Seed: 5", "x", "", {"Steps": "20", "Seed": "5"}),
        ('x\nSteps: 20, Foo: "open, Seed: 5', "x", "", {"Steps": "20", "Foo": '"open', "Seed": "5"}),
        ("a" * 100_000, "a" * 100_000, "", {}),
        ("x\r\nNegative prompt: y\r\nSteps: 20, A b: c, Seed: 5", "x", "y", {"Steps": "20", "A b": "c", "Seed": "5"}),
        ("x\nSteps: 20, Seed: 5", "x\nSteps: 20, Seed: 5", "", {}),
    ],
    ids=["prompt only", "a fake line", "an empty value", "an unclosed quote", "100 kB", "CRLF", "two pairs"],
)
def test_what_people_do_to_an_infotext(text: str, prompt: str, negative: str, fields: dict[str, str]) -> None:
    found = tell(WRITERS["png"](text))
    assert (found.prompt, found.negative_prompt, dict(found.fields), found.raw) == (prompt, negative, fields, text)


@pytest.mark.parametrize("packed", [False, True])
def test_comfyui_is_read_from_a_png(packed: bool) -> None:
    found = tell(png({"workflow": "{}", "prompt": json.dumps(GRAPH, ensure_ascii=False)}, zip=packed))
    assert (found.source, found.prompt, found.fields["Steps"]) == ("ComfyUI", "a fox 狐", "20")


def test_comfyui_is_read_from_a_webp() -> None:
    found = tell(photo("WEBP", {0x0110: "prompt:" + json.dumps(GRAPH), 0x010F: 'workflow:{"nodes": []}'}))
    assert (found.source, found.prompt, found.fields["Seed"]) == ("ComfyUI", "a fox 狐", "5")


@pytest.mark.parametrize("comment", [json.dumps(GRAPH), json.dumps({"prompt": json.dumps(GRAPH)})])
def test_comfyui_is_read_from_a_user_comment(comment: str) -> None:
    assert tell(WRITERS["jpeg"](comment)).prompt == "a fox 狐"


def test_an_infotext_is_preferred_to_the_graph_beside_it() -> None:
    found = tell(png({"prompt": json.dumps(GRAPH), "parameters": SIX[0].text}))
    assert (found.source, found.prompt) == ("AUTOMATIC1111", SIX[0].prompt)


def test_a_graph_is_preferred_to_a_prompt_without_parameters() -> None:
    assert tell(png({"prompt": json.dumps(GRAPH), "parameters": "a dog"})).source == "ComfyUI"


@pytest.mark.parametrize("key", ["invokeai_metadata", "sd-metadata", "Dream"])
def test_invokeai_is_read(key: str) -> None:
    text = '"a fox" -s 9' if key == "Dream" else json.dumps({"positive_prompt": "a fox", "image": {"prompt": "a fox"}})
    found = tell(png({key: text}))
    assert (found.source, found.prompt, found.raw) == ("InvokeAI", "a fox", text)


def test_novelai_is_read_from_a_png_and_from_a_webp() -> None:
    comment = b"UNICODE\0" + json.dumps(NOVELAI).encode("utf-16-be")
    for data in (png(NOVELAI), photo("WEBP", {0x0131: "NovelAI", 0x010E: "a fox", 0x9286: comment})):
        found = tell(data)
        assert (found.source, found.prompt, found.negative_prompt) == ("NovelAI", "a fox", "dogs")
        assert found.fields["Steps"] == "28"


def test_an_infotext_in_the_exif_of_a_png_is_read() -> None:
    comment = b"UNICODE\0" + SIX[0].text.encode("utf-16-be")
    assert tell(photo("PNG", {0x010E: "a lighthouse", 0x9286: comment})).prompt == SIX[0].prompt


@pytest.mark.parametrize(
    "data",
    [
        pictures.as_png(pictures.noise(8, 8)),
        pictures.as_png(pictures.noise(8, 8), ""),
        pictures.as_png(pictures.noise(8, 8), " \n"),
        pictures.as_photo(pictures.noise(8, 8), "JPEG", None),
        pictures.as_photo(pictures.noise(8, 8), "WEBP", "Shot on holiday"),
        photo("JPEG", {0x010F: "Canon", 0x0110: "EOS: 5", 0x010E: "The beach", 0x0131: "GIMP 2.10"}),
        png({"Comment": "Created with GIMP", "Software": "Paint", "prompt": "a prompt", "XML:com.adobe.xmp": "<x/>"}),
        b"GIF89a" + bytes(40),
    ],
    ids=["no text", "empty", "blank", "header alone", "a remark", "a camera", "other programs", "a GIF"],
)
def test_a_picture_that_tells_nothing_is_none(data: bytes) -> None:
    assert read_metadata(data) is None


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff\xe0 no more", b"RIFF\0\0\0\0WEBPVP8 "])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read_metadata(data)


def test_a_png_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    assert tell(WRITERS["png"](SIX[0].text)[:-400]).prompt == SIX[0].prompt


def test_half_a_character_in_json_is_replaced() -> None:
    found = tell(png({"invokeai_metadata": '{"positive_prompt": "a \\ud83d", "steps": "\\ud83d\\u0000"}'}))
    assert (found.prompt, dict(found.fields)) == ("a ?", {"Steps": "?"})
    found.raw.encode()


def bomb(kind: bytes, key: bytes, megabytes: int = 200) -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    head = key + (b"\0\0" if kind == b"zTXt" else b"\0\1\0\0\0")
    return pictures.chunk(kind, head + packed)


def test_texts_that_unpack_to_gigabytes_are_passed_over() -> None:
    data = pictures.as_png(pictures.noise(8, 8), SIX[0].text)
    for number, kind in enumerate([b"zTXt", b"iTXt"] * 20):
        data = pictures.with_chunk(data, bomb(kind, b"parameters" if number > 30 else b"key %d" % number, 20))
    began = time.process_time()
    assert tell(data).prompt == SIX[0].prompt
    assert time.process_time() - began < 3  # 0.2 here


def test_a_later_text_under_the_same_key_does_not_hide_the_first() -> None:
    data = pictures.with_chunk(WRITERS["png"]("second"), pictures.chunk(b"tEXt", b"parameters\0first"))
    assert tell(data).prompt == "first"


DAMAGEABLE = [
    *(write(SIX[1].text) for write in WRITERS.values()),
    png(NOVELAI, zip=True),
    png({"prompt": json.dumps(GRAPH)}),
    photo("WEBP", {0x0110: "prompt:" + json.dumps(GRAPH)}),
]


@pytest.mark.filterwarnings("ignore")  # Pillow says what it finds broken, and goes on
@given(seed=st.integers(), changes=st.integers(1, 20))
def test_damaged_files_are_read_or_refused(seed: int, changes: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - damage is no secret
    data = bytearray(chance.choice(DAMAGEABLE))
    for _ in range(changes):
        data[chance.randrange(12, len(data))] = chance.randrange(256)
    del data[chance.randrange(12, len(data) + 1) :]
    with contextlib.suppress(UnreadableAnswer):
        read_metadata(bytes(data))


@pytest.mark.parametrize(("end", "writer"), [("App: SD.Next", "SD.Next"), ("Version: f2.0.1", "Forge")])
def test_an_infotext_alone_names_its_writer_as_in_a_picture(end: str, writer: str) -> None:
    assert from_infotext(f"a fox\nSteps: 1, Seed: 2, Size: 8x8, {end}").source == writer
    assert from_infotext(f"a fox, {end}").source == ""


def test_a_damaged_avif_is_said_to_be_unreadable() -> None:
    out = io.BytesIO()
    pictures.noise(16, 16).save(out, "AVIF")
    data = out.getvalue()
    for damaged in (data.replace(b"iinf", b"xxxx"), data.replace(b"iloc", b"xxxx"), data.replace(b"pitm", b"xxxx")):
        assert damaged != data
        with pytest.raises(UnreadableAnswer):
            read_metadata(damaged)
