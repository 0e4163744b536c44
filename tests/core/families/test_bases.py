"""What families are built on, and what the names of ControlNet's models tell of it."""

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.families.bases import BASES, told_base
from core.families.detect import family_of
from core.families.table import Table, load_table
from core.webui.catalog import Checkpoint

TABLE = load_table(None)


def base(stem: str, table: Table = TABLE) -> str | None:
    return family_of(Checkpoint(stem, stem, stem=stem), table, {}).base


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("realvisxlV50_v50Bakedvae", "sdxl"),
        ("animaginexlV3_v30", "sdxl"),
        ("nightvisionXLPhotorealisticPortrait_v0743ReleaseBakedvae", "sdxl"),
        ("everclearPNYByZovya_v3", "sdxl"),
        ("waiNSFWIllustrious_v140", "sdxl"),
        ("NoobAI-XL-Vpred-v1.0", "sdxl"),
        ("sd_xl_turbo_1.0_fp16", "sdxl"),
        ("SSD-1B", "sdxl"),
        ("dreamshaper_8LCM", "sd15"),
        ("photon_v1", "sd15"),
        ("sd_turbo", "sd2"),
        ("v2-1_512-ema-pruned", "sd2"),
        ("sd3.5_large_turbo", "sd3"),
        ("flux1-fill-dev", "flux"),
        ("flux-2-klein-4b", "flux2"),
        ("pony-v7-base", "auraflow"),
        ("hidream_i1_dev_fp8", "hidream"),
        ("mystery_lightning", None),
        ("mystery", None),
    ],
)
def test_a_checkpoint_is_built_on_what_its_family_is(stem: str, expected: str | None) -> None:
    assert base(stem) == expected


def test_every_built_in_family_has_a_base_that_people_can_read() -> None:
    assert {found.base for key in TABLE.families if (found := TABLE.family(key))} == set(BASES)


def test_an_operator_says_the_base_of_a_family_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "families.toml"
    file.write_text(
        '[family.mine]\nmatch = ["mymix*"]\nbase = "sdxl"\n[family.other]\nmatch = ["other*"]\n'
        '[family.flat]\nlike = "sd15"\nmatch = ["flat*"]\n[family.qwen]\nbase = "webui"\n'
    )
    table = load_table(file)
    assert [base(stem, table) for stem in ("myMix_v3", "other_v1", "flatMix", "qwen-image")] == [
        "sdxl",
        None,
        "sd15",
        None,
    ]


@pytest.mark.parametrize(("written", "near"), [('"sdlx"', "one of flux2, "), ("3", "one of flux2, ")])
def test_a_base_that_does_not_exist_is_said(tmp_path: Path, written: str, near: str) -> None:
    file = tmp_path / "families.toml"
    file.write_text(f"[family.mine]\nbase = {written}\n")
    with pytest.raises(ConfigurationError, match=rf"line 2 \[family\.mine\]: base must be {near}"):
        load_table(file)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("control_v11f1p_sd15_depth [cfd03158]", "sd15"),
        ("control_v11p_sd15s2_lineart_anime [3825e83e]", "sd15"),
        ("t2iadapter_depth_sd14v1 [fa476002]", "sd15"),
        ("ip-adapter-plus-face_sd15", "sd15"),
        ("controlnetQRPatternQR_v2Sd15", "sd15"),
        ("control_v11p_sd21_openpose", "sd2"),
        ("diffusers_xl_depth_full [2f51180b]", "sdxl"),
        ("sai_xl_canny_256lora [566f20af]", "sdxl"),
        ("kohya_controllllite_xl_depth_anime", "sdxl"),
        ("thibaud_xl_openpose_256lora", "sdxl"),
        ("ip-adapter-faceid-plusv2_sdxl", "sdxl"),
        ("ttplanetSDXLControlnet_v20Fp16", "sdxl"),
        ("controlnetxlCNXL_xinsirDepth", "sdxl"),
        ("controlnet-union-sdxl-1.0_promax", "sdxl"),
        ("noobaiXLControlnet_epsDepth", "sdxl"),
        ("illustriousXLv0.1-tile", "sdxl"),
        ("flux-depth-controlnet-v3", "flux"),
        ("FLUX.1-dev-ControlNet-Union-Pro", "flux"),
        ("sd3.5_large_controlnet_canny", "sd3"),
        ("Qwen-Image-InstantX-ControlNet-Union", "qwen"),
        ("Z-Image-Turbo-Fun-Controlnet-Union", "zimage"),
        ("Kolors-ControlNet-Pose", "kolors"),
        ("pony-v7-base", "auraflow"),
        ("control_depth-fp16 [400750f6]", None),
        ("control_sd [21abcdef]", None),
        ("mistoLine_rank256", None),
        ("pixlated_1.5", None),
        ("diffusion_pytorch_model", None),
    ],
)
def test_a_model_s_name_tells_what_it_is_made_for(model: str, expected: str | None) -> None:
    assert told_base(model) == expected
