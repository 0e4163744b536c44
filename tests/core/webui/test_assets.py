"""LoRAs, VAEs, upscalers and styles: found by what people type, put together, and read while they arrive."""

from __future__ import annotations

import contextlib
import gc
import json
import tracemalloc
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.request import GenerationRequest, LoraUse
from core.webui.assets import Assets, Lora, find, merge_assets
from core.webui.catalog import Catalog, Checkpoint, Named, find_checkpoint, find_name
from core.webui.lists import LoraReader, NoListError, read_face_models, read_names, read_scripts
from core.webui.names import CHOICE_LENGTH, nearest, utf16_length
from core.webui.payload import build_payload
from core.webui.view import BackendView, Health
from core.webui.views import MergedCatalog

MEGABYTE = 1_000_000
MANY = 10_000


def read(body: bytes, piece: int = 1) -> tuple[Lora, ...]:
    reader = LoraReader()
    for start in range(0, len(body), piece):
        reader.feed(body[start : start + piece])
    return reader.close()


AWKWARD = [
    {"name": 'Été \\ "quoted" 🦊', "alias": "fox", "path": "/srv/models/Lora/fox.safetensors", "metadata": {}},
    {"metadata": {"name": "not this", "item": [{"name": "nor this"}], "deep": [[[[{"alias": "no"}]]]]}, "name": "late"},
    {"name": "relative", "alias": "relative", "path": "sub/relative.safetensors"},
    {"name": "windows", "path": "C:\\models\\windows.safetensors"},
    {"name": "numbers", "metadata": {"ss_lr": 1e-400, "big": 10**40, "small": -0.0, "none": None, "yes": True}},
    {"name": None, "alias": "nobody"},
    {"name": 7},
    {"alias": "nameless", "path": "nameless.safetensors"},
    {"name": "   "},
    {},
    [],
    "text",
    None,
    [{"name": "in a list"}],
    {"name": "relative", "alias": "twice"},
]
EXPECTED = (
    Lora('Été \\ "quoted" 🦊', "fox"),
    Lora("late"),
    Lora("relative", "twice"),
    Lora("windows"),
    Lora("numbers"),
)


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_awkward_items_are_read_wherever_they_are_cut(piece: int, ensure_ascii: bool) -> None:
    found = read(json.dumps(AWKWARD, ensure_ascii=ensure_ascii).encode(), piece)
    assert {lora.name: lora for lora in found} == {lora.name: lora for lora in EXPECTED} | {
        "relative": Lora("relative", "twice")
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<!doctype html><html><body>502 Bad Gateway</body></html>",
        b'{"detail":"Not Found"}',
        b'{"item":{"name":"no list"}}',
        b"null",
        b'"text"',
        b"7",
        b'[{"name":"a"},{"name":"b"',
        b'[{"name":"a"}',
        b'[{"name":"a"}]x',
        b'[{"name":"a"},]',
        b'[{"name":"\xff\xfe"}]',
        b"[{'name':'a'}]",
        b"\x1f\x8b\x08\x00",
    ],
)
@pytest.mark.parametrize("piece", [1, 100_000])
def test_what_is_no_whole_list_is_an_error(body: bytes, piece: int) -> None:
    with pytest.raises(NoListError):
        read(body, piece)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}":,item.name\\u0', max_size=60).map(str.encode))
def test_no_bytes_are_odd_enough_for_another_error(body: bytes) -> None:
    with contextlib.suppress(NoListError):
        assert isinstance(read(body, 3), tuple)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "alias", "path", "item"]), inner)
    ),
    max_leaves=10,
)


@given(st.lists(_json, max_size=4))
def test_any_list_gives_the_names_of_its_objects(body: list[Any]) -> None:
    names = [item["name"].strip() for item in body if isinstance(item, dict) and isinstance(item.get("name"), str)]
    assert sorted(lora.name for lora in read(json.dumps(body).encode(), 5)) == sorted({name for name in names if name})


# Memory


def pieces(count: int, kilobytes: int, size: int = 128 * 1024) -> Iterator[bytes]:
    """What A1111 says of so many LoRAs, in pieces as they come from the network; never whole."""
    tags = {f"{'tag, ' * 36}{number}": number for number in range(5 * kilobytes)}
    metadata = json.dumps({"ss_tag_frequency": {"img": tags}}).encode()
    left = bytearray(b"[")
    for number in range(count):
        name = f"styles_and_characters_{number:05}_v2"
        path = f"/srv/stable-diffusion-webui/models/Lora/{name}.safetensors"
        said = f'{{"name":"{name}","alias":"Styles and Characters {number}","path":"{path}","metadata":'
        left += b"," * (number > 0) + said.encode() + metadata + b"}"
        while len(left) >= size:
            yield bytes(left[:size])
            del left[:size]
    yield bytes(left) + b"]"


@pytest.mark.timeout(120)
def test_ten_thousand_loras_cost_little_however_much_is_said_of_them() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        reader = LoraReader()
        read_bytes = 0
        for piece in pieces(MANY, 5):
            reader.feed(piece)
            read_bytes += len(piece)
        catalog = Catalog(assets=Assets(loras=reader.close()))
        peak = tracemalloc.get_traced_memory()[1]
        del reader
        catalog.prepare()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(catalog.assets.loras) == MANY
    assert read_bytes > 45 * MEGABYTE
    assert peak - before <= 10 * MEGABYTE, f"{(peak - before) / MEGABYTE:.1f} MB while reading"
    assert kept - before <= 10 * MEGABYTE, f"{(kept - before) / MEGABYTE:.1f} MB kept"


# Finding


LORAS = (
    Lora("detail.v1"),
    Lora("detail"),
    Lora("sub/inkwash.safetensors", path="sub/inkwash.safetensors"),
    Lora("other", alias="detail"),
    Lora("Ünïcode", alias="Pretty Name"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("detail", "detail"),
        ("DETAIL.V1", "detail.v1"),
        ("other", "other"),
        ("pretty name", "Ünïcode"),
        ("ÜNÏCODE", "Ünïcode"),
        ("sub/inkwash", "sub/inkwash.safetensors"),
        ("sub\\inkwash", "sub/inkwash.safetensors"),
        ("inkwash", "sub/inkwash.safetensors"),
        ("detail.safetensors", "detail"),
        (" detail ", "detail"),
        ("", None),
        ("   ", None),
        ("det", None),
        ("v1", None),
        (".safetensors", None),
    ],
)
def test_a_lora_is_found_by_its_name_before_all_else(wanted: str, found: str | None) -> None:
    lora = Assets(loras=LORAS).find_lora(wanted)
    assert (None if lora is None else lora.name) == found


@given(st.lists(st.text("ab.v1/", max_size=4), max_size=8, unique=True))
def test_every_lora_is_found_by_its_own_name(names: list[str]) -> None:
    loras = tuple(Lora(name) for name in names if name.strip())
    for lora in loras:
        assert Assets(loras=loras).find_lora(lora.name) == lora


def test_a_name_is_found_whole_before_without_its_ending() -> None:
    vaes = ("vae-ft.ckpt", "vae-ft.safetensors", "sub\\ae.sft")
    assert find(vaes, "vae-ft.safetensors") == "vae-ft.safetensors"
    assert find(vaes, "VAE-FT.CKPT") == "vae-ft.ckpt"
    assert find(vaes, "vae-ft") == "vae-ft.ckpt"
    assert find(vaes, "sub/AE") == "sub\\ae.sft"
    assert find(vaes, "vae") is None
    assert find((), "vae") is None


def test_a_name_too_long_for_a_choice_is_not_offered() -> None:
    assets = Assets(loras=(Lora("x" * 101), Lora("🦊" * 51), Lora("x" * 100)))
    assert [choice.value for choice in assets.lora_names.choices("")] == ["x" * 100]
    assert utf16_length("🦊" * 51) > CHOICE_LENGTH


# Several webuis


def test_lists_are_put_together_in_order_and_the_first_spelling_counts() -> None:
    one = Assets(loras=(Lora("Ink"), Lora("b")), styles=("Noir", "pop"), scripts=frozenset({"adetailer"}))
    other = Assets(loras=(Lora("ink", path="ink.safetensors"), Lora("c")), styles=("NOIR", "oil"))
    merged = merge_assets([one, other])
    assert merged.loras == (Lora("Ink"), Lora("b"), Lora("c"))
    assert merged.styles == ("Noir", "pop", "oil")
    assert merged.scripts == {"adetailer"}
    assert merge_assets([one]) is one
    assert merge_assets([]) == Assets()


def test_a_new_lora_on_one_of_several_webuis_is_known() -> None:
    def view(key: str, *names: str) -> BackendView:
        catalog = Catalog(assets=Assets(loras=tuple(map(Lora, names))))
        return BackendView(key, key, Health.UP, True, catalog, None)

    merged, still = MergedCatalog(), view("other", "c")
    catalogs = [merged.of([view("one", *names), still]) for names in (("a",), ("a", "b"))]
    assert [catalog is not None and catalog.assets.find_lora("b") is not None for catalog in catalogs] == [False, True]


# The other lists


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "model_name", "prompt", "txt2img", "ad_model"]), inner)
    ),
    max_leaves=10,
)


@given(_junk)
def test_no_list_is_odd_enough_to_raise(body: Any) -> None:
    assert isinstance(read_names(body, "name"), tuple)
    assert isinstance(read_names(body, "name", needs=("prompt",)), tuple)
    assert isinstance(read_scripts(body), frozenset)
    assert read_face_models(body)


def test_styles_that_only_head_a_group_are_left_out() -> None:
    styles = [
        {"name": "--- Art ---", "prompt": "", "negative_prompt": None},
        {"name": "Noir", "prompt": "noir, {prompt}", "negative_prompt": ""},
        {"name": "Clean", "prompt": None, "negative_prompt": "blurry"},
        {"name": "Noir", "prompt": "again"},
    ]
    assert read_names(styles, "name", needs=("prompt", "negative_prompt")) == ("Noir", "Clean")


def test_of_the_detailer_s_models_the_smallest_for_faces_comes_first() -> None:
    models = ["hand_yolov8n.pt", "mediapipe_face_full", "face_yolov8s.pt", "face_yolov8n.pt", "None", 3]
    assert read_face_models({"ad_model": models})[0] == "face_yolov8n.pt"
    sizes = [f"face_yolov8{size}.pt" for size in "nsmlx"]
    assert read_face_models({"ad_model": sorted(sizes)}) == tuple(sizes)
    assert read_face_models({"ad_model": ["face_yolov9c.pt", "face_yolov8m_v2.pt", "face_yolov8n_v2.pt"]}) == (
        *("face_yolov8n_v2.pt", "face_yolov8m_v2.pt", "face_yolov9c.pt"),
    )
    assert read_face_models({"ad_model": []}) == ("face_yolov8n.pt",)
    assert read_face_models({"ad_model": ["hand_yolov8n.pt", "mediapipe_face_full"]}) == ("mediapipe_face_full",)


MAC = "Cafe\N{COMBINING ACUTE ACCENT}"
TYPED = "Caf\N{LATIN SMALL LETTER E WITH ACUTE}"


def test_names_of_a_mac_s_files_are_found_as_people_type_them() -> None:
    """Its file system takes accents apart, and prompts are put together before they are read."""
    catalog = Catalog(
        checkpoints=(Checkpoint(f"{MAC}.safetensors", MAC, stem=MAC),),
        samplers=(Named(MAC),),
        assets=Assets(loras=(Lora(MAC),), styles=(MAC,)),
    )
    for typed in (TYPED, MAC, TYPED.upper()):
        assert catalog.assets.find_lora(typed) == Lora(MAC)
        assert find(catalog.assets.styles, typed) == MAC
        assert find_name(catalog.samplers, typed) == Named(MAC)
        assert find_checkpoint(catalog, typed) == catalog.checkpoints[0]
        for index in (catalog.assets.lora_names, catalog.assets.style_names, catalog.checkpoint_names):
            assert len(index.choices(typed)) == 1
    assert nearest(["Cave", MAC], TYPED, 1) == [MAC]


def test_a_name_is_one_name_however_two_webuis_spell_it() -> None:
    both = merge_assets([Assets(loras=(Lora(MAC),), styles=(MAC,)), Assets(loras=(Lora(TYPED),), styles=(TYPED,))])
    assert (both.loras, both.styles) == ((Lora(MAC),), (MAC,))


@pytest.mark.parametrize("typed", [TYPED, MAC, TYPED.upper()])
def test_a_tag_has_the_webui_s_own_spelling(typed: str) -> None:
    prompt = unicodedata.normalize("NFC", f"a <lora:{typed}:0.5> fox")
    here = Catalog(assets=Assets(loras=(Lora(MAC),)))
    request = GenerationRequest(prompt=prompt, seed=1, loras=(LoraUse(typed),))
    assert build_payload(request, here, task_id=None)["prompt"] == f"<lora:{MAC}:1> a <lora:{MAC}:0.5> fox"
