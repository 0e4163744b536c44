"""ControlNet: which types a webui has, the unit that reaches it, and what its answer shows of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotOffered
from core.families.table import load_table
from core.images.inbound import InboundLimits, prepare
from core.request import ControlUse, GenerationRequest
from core.store.inputs import InputRows
from core.understanding import Understanding
from core.webui import control
from core.webui.assets import Assets, merge_assets
from core.webui.catalog import Capabilities, Catalog, Checkpoint, merge
from core.webui.control_types import ControlType, find_control_type, read_control_types
from core.webui.dialects import DIALECTS, Speech
from core.webui.lacking import check_needs
from core.webui.needs import Need, first_lack, needs_of
from core.webui.payload import build_payload
from core.webui.results import build_rendered
from core.webui.sending import Base64
from playground.webui import LocalForge, LocalReForge, LocalWebui
from tests.core.ground import Ground, opened_ground
from tests.core.webui.conftest import client_for
from tests.core.webui.features import EXTENSIONS, WEBUIS, works
from tests.core.webui.test_every_webui import picture
from tests.core.webui.test_results import _answer, _png, _text

PNG = b"a picture"
DEPTH = ControlType("Depth", "depth_midas", ("depth_sd15 [1]", "depth_sdxl [2]", "depth_any [3]"))
TYPES = (
    ControlType("Canny", "canny", ("canny_sd15 [4]",)),
    DEPTH,
    ControlType("OpenPose", "openpose_full", ("openpose_sd15 [5]",), "None"),
    ControlType("IP-Adapter", "ip-adapter-auto", ("ip-adapter_sd15 [6]",)),
    ControlType("Reference", "reference_only"),
)
UNIT: dict[str, Any] = {
    "enabled": True,
    "module": "depth_midas",
    "model": "depth_sd15 [1]",
    "image": Base64(PNG),
    "weight": 1.0,
    "resize_mode": "Crop and Resize",
    "control_mode": "Balanced",
    "guidance_start": 0.0,
    "guidance_end": 1.0,
    "pixel_perfect": True,
    "processor_res": -1,
    "threshold_a": -1,
    "threshold_b": -1,
    "hr_option": "Both",
    "save_detected_map": False,
}
SMALL: dict[str, Any] = {"width": 64, "height": 64, "steps": 2, "seed": 7}


def catalog(*checkpoints: str, loaded: str | None = None, **assets: Any) -> Catalog:
    return Catalog(
        checkpoints=tuple(Checkpoint(f"{name}.safetensors", name, stem=name) for name in checkpoints),
        capabilities=Capabilities(fields=DIALECTS[Speech.A1111].fields | {"control"}),
        assets=Assets(**{"control_types": TYPES, **assets}),
        loaded_checkpoint=loaded,
    )


def asking(type_: str = "depth", *, request: Mapping[str, Any] | None = None, **use: Any) -> GenerationRequest:
    uses = (ControlUse(type=type_, image="key", **use),)
    return GenerationRequest(**{"prompt": "a fox", "seed": 1, "control": uses, **(request or {})})


def scripts_of(request: GenerationRequest, offered: Catalog) -> dict[str, Any]:
    payload = build_payload(request, offered, task_id=None, inputs={"key": PNG})
    found: dict[str, Any] = payload["alwayson_scripts"]
    return found


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ({}, {}),
        (
            {"weight": 2, "start": 0, "end": 0.5, "save_map": True},
            {"weight": 2.0, "guidance_start": 0.0, "guidance_end": 0.5, "save_detected_map": True},
        ),
        ({"preprocess": False}, {"module": "none"}),
        ({"type_": "pose"}, {"module": "openpose_full", "model": "openpose_sd15 [5]"}),
        ({"type_": "pose", "preprocess": False}, {"module": "None", "model": "openpose_sd15 [5]"}),
        ({"type_": "ip adapter", "preprocess": False}, {"module": "ip-adapter-auto", "model": "ip-adapter_sd15 [6]"}),
        ({"type_": "REFERENCE"}, {"module": "reference_only", "model": "None"}),
    ],
)
def test_the_unit_is_exactly_this(use: dict[str, Any], told: dict[str, Any]) -> None:
    (unit,) = scripts_of(asking(**use), catalog())["ControlNet"]["args"]
    assert unit == {**UNIT, **told}
    assert {key: type(value) for key, value in unit.items()} == {key: type(value) for key, value in UNIT.items()}


def test_a_unit_stands_beside_the_face_detailer_s() -> None:
    faces = catalog(face_models=("face_yolov8n.pt",))
    scripts = scripts_of(asking(request={"face_fix": True}), faces)
    assert scripts == {
        "ControlNet": {"args": [UNIT]},
        "adetailer": {"args": [True, False, {"ad_model": "face_yolov8n.pt"}]},
    }


def test_nothing_is_sent_where_nobody_asked() -> None:
    payload = build_payload(GenerationRequest(prompt="a fox", seed=1), catalog(), task_id=None)
    assert "alwayson_scripts" not in payload


@pytest.mark.parametrize(
    ("checkpoint", "model"),
    [
        ("dreamshaperXL_v21", "depth_sdxl [2]"),
        ("ponyDiffusionV6", "depth_sdxl [2]"),
        ("v1-5-pruned-emaonly", "depth_sd15 [1]"),
        ("flux1-dev", "depth_any [3]"),
        ("dreamLandscapes_v4", "depth_sd15 [1]"),
        ("pixlated", "depth_sd15 [1]"),
    ],
)
def test_the_model_is_made_for_the_checkpoint_s_base_where_names_tell(checkpoint: str, model: str) -> None:
    both = catalog(checkpoint, "other")
    for request, offered in (
        (asking(request={"checkpoint": checkpoint}), both),
        (asking(), catalog(checkpoint, "other", loaded=checkpoint)),
    ):
        assert scripts_of(request, offered)["ControlNet"]["args"][0]["model"] == model


@pytest.mark.parametrize("models", [DEPTH.models, DEPTH.models[::-1]])
@pytest.mark.parametrize(
    ("base", "model"), [("sdxl", "depth_sdxl [2]"), ("sd15", "depth_sd15 [1]"), ("kolors", "depth_any [3]")]
)
def test_the_family_s_base_counts_more_than_names(models: tuple[str, ...], base: str, model: str) -> None:
    types = (replace(DEPTH, models=models),)
    for checkpoint in ("dreamshaper_8", "flux1-dev", "somethingXL", "mystery"):
        request = asking(base=base, request={"checkpoint": checkpoint})
        (unit,) = scripts_of(request, catalog(checkpoint, control_types=types))["ControlNet"]["args"]
        assert unit["model"] == model


@pytest.mark.parametrize(
    "checkpoint",
    [
        "realvisxlV50_v50Bakedvae",
        "nightvisionXLPhotorealisticPortrait_v0743",
        "everclearPNYByZovya_v3",
        "animaginexlV3_v30",
    ],
)
def test_names_tell_the_base_of_what_has_no_family_however_they_are_written(checkpoint: str) -> None:
    (unit,) = scripts_of(asking(), catalog(checkpoint, loaded=checkpoint))["ControlNet"]["args"]
    assert unit["model"] == "depth_sdxl [2]"


def test_that_no_model_is_made_for_the_checkpoint_s_base_is_said_before() -> None:
    depth = replace(DEPTH, models=("depth_sd15 [1]",))
    types = (depth, TYPES[0], *TYPES[2:], ControlType("Tile", "tile", ("tile_xl [7]",)))
    offered = catalog("a", control_types=types)
    sentence = (
        'This server\'s webui has no ControlNet model for "Depth" that is made for SDXL, which this checkpoint is '
        "built on. Types that fit it: Reference, Tile."
    )
    with pytest.raises(NotOffered) as refused:
        check_needs(asking(base="sdxl"), offered)
    assert str(refused.value) == sentence
    for request in (asking(), asking(base="sd15"), asking("tile", base="sdxl"), asking("reference", base="flux")):
        check_needs(request, offered)
    with pytest.raises(NotOffered, match=r"made for Flux, .* Choose another checkpoint\.$"):
        check_needs(asking(base="flux"), catalog("a", control_types=types[:1]))
    with pytest.raises(NotOffered, match='no control type called "nothing"'):
        check_needs(asking("nothing", base="sdxl"), offered)


def test_a_webui_without_a_model_for_the_base_is_not_given_the_job() -> None:
    old, new = (catalog("a", control_types=(replace(DEPTH, models=(m,)),)) for m in DEPTH.models[:2])
    request = asking(base="sdxl")
    check_needs(request, merge([old, new]))
    assert [first_lack(one, needs_of(request)) for one in (old, new)] == [Need("control", "depth", "sdxl"), None]


def test_without_a_model_for_the_base_that_a_name_tells_the_webui_s_own_choice_is_taken() -> None:
    types = (ControlType("Depth", "depth_midas", ("depth_sd15 [1]", "other_sd15 [2]")),)
    request = asking(request={"checkpoint": "somethingXL"})
    (unit,) = scripts_of(request, catalog("somethingXL", control_types=types))["ControlNet"]["args"]
    assert unit["model"] == "depth_sd15 [1]"


def test_what_isn_t_there_is_said_before() -> None:
    with pytest.raises(NotOffered, match=r"^This server's webui has no ControlNet\.$"):
        check_needs(asking(), Catalog())
    with pytest.raises(NotOffered, match=r'no control type called "dept of art". The nearest are "Depth", '):
        check_needs(asking("dept of art"), catalog())
    with pytest.raises(NotOffered, match="can't list its control types"):
        check_needs(asking(), catalog(control_types=()))


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("pose", "OpenPose"), ("ipadapter", "IP-Adapter"), (" DEPTH ", "Depth"), ("re", None), ("", None), ("e", None)],
)
def test_a_type_is_found_by_its_name_or_a_telling_part_of_it(wanted: str, name: str | None) -> None:
    found = find_control_type(TYPES, wanted)
    assert (found.name if found else None) == name


def test_types_are_as_the_webui_says() -> None:
    body = {
        "All": {"module_list": ["none", "canny"], "model_list": ["None"], "default_option": "none"},
        "Canny": {
            "module_list": ["none", "canny"],
            "model_list": ["None", "a_canny [1]", "b_canny [2]"],
            "default_option": "canny",
            "default_model": "b_canny [2]",
        },
        "MLSD": {
            "module_list": ["none", "mlsd"],
            "model_list": ["None"],
            "default_option": "mlsd",
            "default_model": "None",
        },
        "Blur": {"module_list": ["none", "blur"], "model_list": ["None"], "default_option": "blur"},
        "Odd": None,
    }
    modules = {"module_list": ["none"], "module_detail": {"blur": {"model_free": True}, "mlsd": {"model_free": False}}}
    assert read_control_types({"control_types": body}, modules, None) == (
        ControlType("Canny", "canny", ("b_canny [2]", "a_canny [1]")),
        ControlType("Blur", "blur"),
    )


def test_types_are_found_by_names_where_the_webui_does_not_say_them() -> None:
    modules = {"module_list": ["None", "depth_midas", "depth_zoe", "CLIP-ViT-H (IPAdapter)", "reference_only"]}
    models = {"model_list": ["None", "control_depth [1]", "ip-adapter_sd15 [2]", "control_openpose [3]"]}
    assert read_control_types(KeyError(), modules, models) == (
        ControlType("Depth", "depth_midas", ("control_depth [1]",), "None"),
        ControlType("OpenPose", "None", ("control_openpose [3]",), "None"),
        ControlType("Reference", "reference_only", (), "None"),
        ControlType("IP-Adapter", "CLIP-ViT-H (IPAdapter)", ("ip-adapter_sd15 [2]",), "None"),
    )


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["control_types", "Depth", "module_list", "model_list", "default_option", "default_model", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON, JSON, JSON)
def test_lists_of_any_shape_are_read(types: Any, modules: Any, models: Any) -> None:
    for one in read_control_types(types, modules, models):
        assert one.name
        assert "None" not in one.models


def test_several_webuis_types_are_one_list() -> None:
    more = (ControlType("depth", "other", ("other",)), ControlType("Tile", "tile", ("tile",)))
    merged = merge_assets([Assets(control_types=TYPES), Assets(control_types=more)])
    every = (*DEPTH.models, "other")
    assert merged.control_types == (TYPES[0], replace(DEPTH, models=every), *TYPES[2:], more[1])
    free = Assets(control_types=(ControlType("Depth", "depth_free"),))
    for assets in ([free, Assets(control_types=TYPES)], [Assets(control_types=TYPES), free]):
        found = find_control_type(merge_assets(assets).control_types, "depth")
        assert found is not None
        assert found.models == ()  # one of them needs none
    assert [choice.value for choice in merged.control_names.choices("ti")] == ["Tile"]


def test_types_survive_the_way_to_other_workers() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(catalog("one")), type=Catalog)
    assert sent == catalog("one")


# The answer

SAID = {"ControlNet_0": '"Module: depth, Model: d, Weight: 1"'}


@pytest.mark.parametrize(
    ("text", "info", "warnings"),
    [
        (_text(1, **SAID), {}, ()),
        (None, {"extra_generation_params": {"ControlNet 0": "Module: depth"}}, ()),
        (None, {}, ()),  # a webui that tells nothing is believed
        (_text(1), {}, (control.LEFT_OUT,)),
        (None, {"extra_generation_params": {}}, (control.LEFT_OUT,)),
        ("ControlNet 0: yes\n" + _text(1), {}, (control.LEFT_OUT,)),
    ],
)
def test_a_control_image_that_did_not_count_is_said(
    tmp_path: Path, text: str | None, info: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    rendered = build_rendered(_answer(tmp_path, [_png(text)], info), tmp_path, asking())
    assert (rendered.warnings, rendered.maps) == (warnings, ())


def test_one_of_two_that_did_not_count_is_said(tmp_path: Path) -> None:
    uses = (ControlUse(type="depth", image="a"), ControlUse(type="canny", image="b"))
    request = asking(request={"control": uses})
    answer = _answer(tmp_path, [_png(_text(1, **SAID))])
    assert build_rendered(answer, tmp_path, request).warnings == (control.LEFT_OUT,)


@pytest.mark.parametrize(
    ("images", "maps"),
    [
        ([_text(1, **SAID), None], ("1.raw",)),
        ([_text(1, **SAID), None, None, None], ("3.raw",)),  # a mask, what is under it, the map; or both passes' maps
    ],
)
def test_the_map_is_the_last_of_all(tmp_path: Path, images: list[str | None], maps: tuple[str, ...]) -> None:
    answer = _answer(tmp_path, [_png(text) for text in images])
    rendered = build_rendered(answer, tmp_path, asking(save_map=True))
    assert ([one.file for one in rendered.pictures], rendered.maps) == (["0.raw"], maps)
    assert build_rendered(answer, tmp_path, asking()).maps == ()


def test_a_map_that_is_missing_is_said_and_a_mask_is_none(tmp_path: Path) -> None:
    alone = build_rendered(_answer(tmp_path, [_png(_text(1, **SAID))]), tmp_path, asking(save_map=True))
    assert (alone.maps, alone.warnings) == ((), (control.NO_MAP,))
    failed = build_rendered(_answer(tmp_path, [_png(_text(1)), _png(None)]), tmp_path, asking(save_map=True))
    assert (failed.maps, failed.warnings) == ((), (control.LEFT_OUT,))


# Every kind of webui


async def keep(ground: Ground, data: bytes | None = None) -> str:
    prepared = prepare(picture("RGB"), InboundLimits())
    await InputRows(ground.parts._engine).put(prepared.key, prepared.png if data is None else data, 1.0)
    return prepared.key


@pytest.mark.parametrize("name", WEBUIS)
async def test_it_is_drawn_with_the_unit_or_refused_beforehand(tmp_path: Path, name: str) -> None:
    webui = WEBUIS[name](seconds_per_step=0.0, cheap_pictures=True, **EXTENSIONS.get(name, {}))
    async with webui, opened_ground(tmp_path, webui) as ground:
        key = await keep(ground)
        for type_ in ("canny", "depth", "pose", "lineart", "tile", "ip-adapter", "reference"):
            uses = (ControlUse(type=type_, image=key, weight=0.7, end=0.8),)
            offered = ground.pool.views()[0].catalog
            assert offered is not None
            if not works(offered, GenerationRequest(prompt="x", control=uses)):
                with pytest.raises(NotOffered, match="has no ControlNet"):
                    await ground.submit(**SMALL, control=uses)
                continue
            ticket = await ground.submit(**SMALL, control=uses)
            shown = await ground.until_delivered(ticket.job_id)
            assert shown.drawing is not None
            assert (shown.drawing.warnings, shown.drawing.maps, len(shown.drawing.pictures)) == ((), (), 1)
            assert 'ControlNet 0: "Module: ' in webui.renders[-1].infotexts[0], type_
            assert "Weight: 0.7" in webui.renders[-1].infotexts[0]
        if name in ("A1111", "reForge", "Forge", "Forge Neo"):
            assert len(webui.renders) == 7


@pytest.mark.parametrize(
    ("kind", "options", "maps"),
    [(LocalWebui, {"controlnet": True}, 1), (LocalForge, {}, 1), (LocalReForge, {}, 0)],
)
async def test_a_map_comes_once_for_all_pictures(
    tmp_path: Path, kind: type[LocalWebui], options: dict[str, Any], maps: int
) -> None:
    webui = kind(seconds_per_step=0.0, cheap_pictures=True, **options)
    async with webui, opened_ground(tmp_path, webui) as ground:
        use = ControlUse(type="canny", image=await keep(ground), save_map=True)
        ticket = await ground.submit(**SMALL, count=3, control=(use,))
        shown = await ground.until_delivered(ticket.job_id)
        assert shown.drawing is not None
        assert len(shown.drawing.pictures) == 3
        assert len(shown.drawing.maps) == maps
        assert shown.drawing.warnings == (() if maps else (control.NO_MAP,))
        asked = [render.sent["alwayson_scripts"]["ControlNet"]["args"][0] for render in webui.renders]
        assert [unit["save_detected_map"] for unit in asked] == [True, False, False]
        assert [number for number, _ in shown.drawing.shown(3)] == [0, 1, 2, 3][: 3 + maps]
        assert all(ground.pictures.path(kept.name).exists() for _, kept in shown.drawing.shown(3))


async def test_an_image_that_the_webui_can_not_use_is_said(tmp_path: Path) -> None:
    webui = LocalForge(seconds_per_step=0.0, cheap_pictures=True)
    async with webui, opened_ground(tmp_path, webui) as ground:
        key = await keep(ground, b"damaged on the way")
        ticket = await ground.submit(**SMALL, control=(ControlUse(type="canny", image=key, save_map=True),))
        shown = await ground.until_delivered(ticket.job_id)
        assert shown.drawing is not None
        assert shown.drawing.warnings == (control.LEFT_OUT,)


async def test_the_webui_that_has_it_gets_the_job(tmp_path: Path) -> None:
    bare, able = (LocalWebui(seconds_per_step=0.0, cheap_pictures=True, controlnet=has) for has in (False, True))
    async with bare, able, opened_ground(tmp_path, bare, able) as ground:
        key = await keep(ground)
        for _ in range(3):
            ticket = await ground.submit(**SMALL, control=(ControlUse(type="depth", image=key),))
            await ground.until_delivered(ticket.job_id)
        assert (len(bare.renders), len(able.renders)) == (0, 3)


async def test_the_family_decides_which_model_is_used_and_what_the_last_job_loaded_does_not(tmp_path: Path) -> None:
    webui = LocalWebui(
        seconds_per_step=0.0,
        cheap_pictures=True,
        controlnet=True,
        checkpoints=("v1-5-pruned-emaonly.safetensors", "mysteriousXL.safetensors", "everclearPNY_v3.safetensors"),
    )
    async with webui, opened_ground(tmp_path, webui) as ground:
        key = await keep(ground)

        async def drawn(**said: Any) -> Any:
            ticket = await ground.submit(**SMALL, **said, control=(ControlUse(type="depth", image=key),))
            await ground.until_delivered(ticket.job_id)
            return webui.renders[-1].sent["alwayson_scripts"]["ControlNet"]["args"][0]["model"]

        old, new = "control_v11f1p_sd15_depth [cfd03158]", "diffusers_xl_depth_full [2f51180b]"
        assert [await drawn(checkpoint="mysteriousXL"), await drawn()] == [new, old]
        ground.studio._understanding = Understanding(families=load_table(None))
        assert [await drawn(checkpoint="everclearPNY_v3"), await drawn()] == [new, old]
        with pytest.raises(NotOffered, match='no ControlNet model for "Canny" that is made for SDXL'):
            await ground.submit(**SMALL, checkpoint="everclearPNY_v3", control=(ControlUse(type="canny", image=key),))
        assert len(webui.renders) == 4


async def test_a_webui_without_it_is_not_asked_for_its_lists(session: aiohttp.ClientSession) -> None:
    async with LocalWebui(seconds_per_step=0.0) as webui:
        offered = await client_for(webui.url, session).fetch_catalog()
        assert offered.assets.control_types == ()
        assert not [request for request in webui.requests if request.path.startswith("/controlnet")]


async def test_no_webui_is_asked_to_detect(session: aiohttp.ClientSession) -> None:
    async with LocalForge(seconds_per_step=0.0) as webui:
        offered = await client_for(webui.url, session).fetch_catalog()
        assert {one.name for one in offered.assets.control_types} >= {"Canny", "Depth", "OpenPose", "IP-Adapter"}
        asked = {request.path for request in webui.requests if request.path.startswith("/controlnet")}
        assert asked == {"/controlnet/model_list", "/controlnet/module_list", "/controlnet/control_types"}


async def test_image_keys_of_unfinished_jobs_are_in_use(tmp_path: Path) -> None:
    webui = LocalWebui(seconds_per_step=0.0, cheap_pictures=True, controlnet=True)
    async with webui, opened_ground(tmp_path, webui) as ground:
        webui.hold()
        key = await keep(ground)
        ticket = await ground.submit(**SMALL, control=(ControlUse(type="depth", image=key),))
        assert await ground.rows.fetch_input_keys() == {key}
        webui.release()
        await ground.until_delivered(ticket.job_id)
