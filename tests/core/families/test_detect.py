"""What checkpoints are, by the names under which people download them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.families.detect import correction_key, family_of
from core.families.family import UNKNOWN, Family
from core.families.names import Name
from core.families.table import load_table
from core.webui.catalog import Checkpoint

TABLE = load_table(None)

NAMES = {
    # SD 1.5
    "v1-5-pruned-emaonly.safetensors": "sd15",
    "v1-5-pruned-emaonly-fp16.safetensors": "sd15",
    "sd-v1-4.ckpt": "sd15",
    "sd-v1-5-inpainting.ckpt": "sd15",
    "dreamshaper_8.safetensors": "sd15",
    "cyberrealistic_v33.safetensors": "sd15",
    "realisticVisionV60B1_v51VAE.safetensors": "sd15",
    "revAnimated_v122EOL.safetensors": "sd15",
    "AnythingV5Ink_ink.safetensors": "sd15",
    "anything-v4.5-pruned.ckpt": "sd15",
    "Counterfeit-V3.0_fp16.safetensors": "sd15",
    "meinamix_meinaV11.safetensors": "sd15",
    "majicmixRealistic_v7.safetensors": "sd15",
    "epicrealism_naturalSinRC1VAE.safetensors": "sd15",
    "random-sd15-b.safetensors": "sd15",
    "dreamshaper_8LCM.safetensors": "sd15/lcm",
    "realisticVisionV60B1_v51HyperVAE.safetensors": "sd15/hyper",
    "Realistic_Vision_V6.0_B1.safetensors": "sd15",
    "deliberate_v6.safetensors": "sd15",
    "photon_v1.safetensors": "sd15",
    "juggernaut_reborn.safetensors": "sd15",
    "juggernaut_aftermath.safetensors": "sd15",
    "AOM3A1B_orangemixs.safetensors": "sd15",
    "abyssorangemix3AOM3_aom3a1b.safetensors": "sd15",
    "pastelMixStylizedAnime_pastelMixPrunedFP16.safetensors": "sd15",
    "icbinpICantBelieveIts_final.safetensors": "sd15",
    "anyloraCheckpoint_bakedvaeBlessedFp16.safetensors": "sd15",
    "perfectWorld_v6Baked.safetensors": "sd15",
    "absolutereality_v181.safetensors": "sd15",
    "ghostmix_v20Bakedvae.safetensors": "sd15",
    "chilloutmix_NiPrunedFp32Fix.safetensors": "sd15",
    "anything-v3-full.ckpt": "sd15",
    "anythingV5_PrtRE.safetensors": "sd15",
    "protogenX34Photorealism_1.safetensors": "sd15",
    "analog-diffusion-1.0.ckpt": "sd15",
    "animefull-final-pruned.ckpt": "sd15",
    "hassakuHentaiModel_v13.safetensors": "sd15",
    "henmixReal_v5c.safetensors": "sd15",
    "edgeOfRealism_eorV20Fp16BakedVAE.safetensors": "sd15",
    "aZovyaPhotoreal_v2.safetensors": "sd15",
    "f222.ckpt": "sd15",
    "uberRealisticPornMerge_urpmv13.safetensors": "sd15",
    "cetusMix_WhaleFall2.safetensors": "sd15",
    "meinaunreal_v5.safetensors": "sd15",
    "flat2DAnimerge_v45Sharp.safetensors": "sd15",
    "realcartoon3d_v18.safetensors": "sd15",
    "xxmix9realistic_v40.safetensors": "sd15",
    "wd-v1-3-float16.ckpt": "sd15",
    "dreamlike-photoreal-2.0.safetensors": "sd15",
    "icbinpICantBelieveIts_lcm.safetensors": "sd15/lcm",
    # SD 2
    "v2-1_768-ema-pruned.safetensors": "sd2",
    "768-v-ema.ckpt": "sd2",
    "illuminatiDiffusionV1_v11.safetensors": "sd2",
    "v2-1_512-ema-pruned.safetensors": "sd2_base",
    "v2-1_512-nonema-pruned.ckpt": "sd2_base",
    "512-base-ema.ckpt": "sd2_base",
    "512-inpainting-ema.ckpt": "sd2_base",
    "stable-diffusion-2-1-base.safetensors": "sd2_base",
    "sd_turbo.safetensors": "sd_turbo",
    # SDXL
    "sd_xl_base_1.0.safetensors": "sdxl",
    "sd_xl_base_1.0_0.9vae.safetensors": "sdxl",
    "juggernautXL_v9Rdphoto2.safetensors": "sdxl",
    "Juggernaut-XL_v9_RunDiffusionPhoto_v2.safetensors": "sdxl",
    "juggernautXLv9.safetensors": "sdxl",
    "realvisxlV40.safetensors": "sdxl",
    "RealVisXL_V5.0_fp16.safetensors": "sdxl",
    "dreamshaperXL10_alpha2Xl10.safetensors": "sdxl",
    "epicrealismXL_vxviiCrystalclear.safetensors": "sdxl",
    "zavychromaxl_v100.safetensors": "sdxl",
    "ZavyChromaXL_v80.safetensors": "sdxl",
    "albedobaseXL_v21.safetensors": "sdxl",
    "copaxTimelessxlSDXL1_v12.safetensors": "sdxl",
    "sd_xl_turbo_1.0_fp16.safetensors": "sdxl_turbo",
    "sd_xl_turbo.safetensors": "sdxl_turbo",
    "dreamshaperXL_turboDPMSDE.safetensors": "sdxl/turbo",
    "turbovisionxlSuperFastXLBasedOnNew_tvxlV431Bakedvae.safetensors": "sdxl/turbo",
    "realvisxlV30Turbo_v30TurboBakedvae.safetensors": "sdxl/turbo",
    "dreamshaperXL_lightningDPMSDE.safetensors": "sdxl/lightning",
    "juggernautXL_v9Rdphoto2Lightning.safetensors": "sdxl/lightning",
    "RealVisXL_V4.0_Lightning.safetensors": "sdxl/lightning",
    "sdxl_lightning_4step.safetensors": "sdxl_lightning",
    "juggernautXL_versionXHyper.safetensors": "sdxl/hyper",
    "Hyper-SDXL-8steps-CFG.safetensors": "sdxl/hyper",
    "bigLove_xl1DMD2.safetensors": "sdxl/dmd2",
    "realvisxlV50_v50Bakedvae.safetensors": "sdxl",
    "bigasp_v20.safetensors": "sdxl",
    "bigLust_v16.safetensors": "sdxl",
    "Juggernaut-X-RunDiffusion-NSFW.safetensors": "sdxl",
    "Juggernaut-XI-byRunDiffusion.safetensors": "sdxl",
    "juggernautXL_juggXIByRundiffusion.safetensors": "sdxl",
    "juggernautXL_ragnarokBy.safetensors": "sdxl",
    "unstableDiffusers_v11.safetensors": "sdxl",
    "sdxlUnstableDiffusers_v11.safetensors": "sdxl",
    "protovisionXLHighFidelity3D_releaseV660Bakedvae.safetensors": "sdxl",
    "nightvisionXLPhotorealisticPortrait_v0743ReleaseBakedvae.safetensors": "sdxl",
    "lustifySDXLNSFW_endgame.safetensors": "sdxl",
    "kohakuXLDelta_rev1.safetensors": "sdxl",
    "colossusProjectXLSFW_v53Trained.safetensors": "sdxl",
    "AnythingXL_xl.safetensors": "sdxl",
    "counterfeitXL_v25.safetensors": "sdxl",
    "xxmix9realisticsdxl_v10.safetensors": "sdxl",
    "cyberrealisticXL_v11.safetensors": "sdxl",
    "ICBINPXL_v7.safetensors": "sdxl",
    "bluePencilXL_v700.safetensors": "sdxl",
    "leosamsHelloworldXL_helloworldXL70.safetensors": "sdxl",
    "AAM_XL_Anime_Mix.safetensors": "sdxl",
    "OpenDalleV1.1.safetensors": "sdxl",
    "realvisxlV50_v50LightningBakedvae.safetensors": "sdxl/lightning",
    "SSD-1B.safetensors": "ssd1b",
    "SSD-1B-A1111.safetensors": "ssd1b",
    "segmind-vega.safetensors": "ssd1b",
    "playground-v2.5-1024px-aesthetic.fp16.safetensors": "playground",
    "playgroundv25.safetensors": "playground",
    # Pony, Illustrious, NoobAI, Animagine
    "ponyDiffusionV6XL_v6StartWithThisOne.safetensors": "pony",
    "ponyRealism_V22MainVAE.safetensors": "pony",
    "cyberrealisticPony_v110.safetensors": "pony",
    "autismmixSDXL_autismmixConfetti.safetensors": "pony",
    "everclearPNYByZovya_v3.safetensors": "pony",
    "tPonynai3_v7.safetensors": "pony",
    "waiANINSFWPONYXL_v11.safetensors": "pony",
    "prefectPonyXL_v3.safetensors": "pony",
    "hassakuXLPony_v13.safetensors": "pony",
    "realDream_sdxlPony9.safetensors": "pony",
    "snowpony_v10.safetensors": "pony",
    "incursiosMemeDiffusion_v27PDXL.safetensors": "pony",
    "autismmixSDXL_autismmixPony.safetensors": "pony",
    "ponyDiffusionV6XL_v6TurboDPOMerge.safetensors": "pony/turbo",
    "illustriousXL_v01.safetensors": "illustrious",
    "Illustrious-XL-v2.0.safetensors": "illustrious",
    "waiNSFWIllustrious_v140.safetensors": "illustrious",
    "waiIllustriousSDXL_v160.safetensors": "illustrious",
    "hassakuXLIllustrious_v22.safetensors": "illustrious",
    "novaAnimeXL_ilV120.safetensors": "illustrious",
    "prefectIllustriousXL_v3.safetensors": "illustrious",
    "ilustmix_v6.safetensors": "illustrious",
    "mistoonAnime_v10Illustrious.safetensors": "illustrious",
    "plantMilkModelSuite_walnut.safetensors": "illustrious",
    "plantMilkModelSuite_hempII.safetensors": "illustrious",
    "RouWei_v080.safetensors": "illustrious",
    "hyphoriaRealIllu_v09.safetensors": "illustrious",
    "ntrMIXIllustriousXL_xiii.safetensors": "illustrious",
    "obsessionIllustrious_vPredV10.safetensors": "illustrious/vpred",
    "noobaiXLNAIXL_epsilonPred11Version.safetensors": "noobai",
    "noobaiXLNAIXL_vPred10Version.safetensors": "noobai/vpred",
    "NoobAI-XL-Vpred-v1.0.safetensors": "noobai/vpred",
    "JANKUTrainedNoobaiRouwei_v69.safetensors": "noobai",
    "janku_v69.safetensors": "noobai",
    "oneObsession_v16Noobai.safetensors": "noobai",
    "animagine-xl-4.0-opt.safetensors": "animagine",
    "animagineXLV31_v31.safetensors": "animagine",
    # Flow models
    "flux1-dev-bnb-nf4-v2.safetensors": "flux",
    "flux1-dev-Q8_0.gguf": "flux",
    "flux1-schnell.safetensors": "flux/schnell",
    "flux1-krea-dev.safetensors": "flux",
    "jibMixFlux_v8.safetensors": "flux",
    "getphatFLUXReality_v5.safetensors": "flux",
    "fluxedUp_v1.safetensors": "flux",
    "flux1-kontext-dev.safetensors": "flux_kontext",
    "flux1-dev-kontext_fp8_scaled.safetensors": "flux_kontext",
    "flux1-fill-dev.safetensors": "flux_fill",
    "FLUX.1-schnell-fp8.safetensors": "flux/schnell",
    "fluxmania_legacy.safetensors": "flux",
    "cyberrealisticFlux_v25.safetensors": "flux",
    "flux2-dev-Q4_K_S.gguf": "flux2",
    "flux-2-klein-4b-fp8.safetensors": "flux2_klein",
    "flux-2-klein-base-9b.safetensors": "flux2_klein_base",
    "chroma-unlocked-v37.safetensors": "chroma",
    "Chroma1-HD.safetensors": "chroma",
    "sd3_medium_incl_clips_t5xxlfp16.safetensors": "sd3",
    "sd3.5_large.safetensors": "sd35",
    "sd3.5_medium.safetensors": "sd35",
    "sd3.5_large_turbo.safetensors": "sd35/turbo",
    "z_image_turbo_bf16.safetensors": "zimage/turbo",
    "z-image-turbo.safetensors": "zimage/turbo",
    "beyondReality_v20ZIT.safetensors": "zimage/turbo",
    "z_image_bf16.safetensors": "zimage",
    "qwen-image.safetensors": "qwen",
    "qwen_image_fp8_e4m3fn.safetensors": "qwen",
    "Qwen-Image-Lightning-4steps-V1.0.safetensors": "qwen/lightning",
    "lumina_2.safetensors": "lumina",
    "NetaYumev35_pretrained_all_in_one.safetensors": "lumina",
    "pony-v7-base.safetensors": "auraflow",
    "auraflow_v0.3.safetensors": "auraflow",
    "HiDream-I1-Full.safetensors": "hidream",
    "hidream_i1_full_fp8.safetensors": "hidream",
    "hidream_i1_dev_fp8.safetensors": "hidream_dev",
    "HiDream-I1-Fast-Q4_K_M.gguf": "hidream_fast",
    "hunyuandit.safetensors": "hunyuandit",
    "hunyuan_dit_1.2.safetensors": "hunyuandit",
    "Sana_1600M_1024px.safetensors": "sana",
    "sana_1600m.safetensors": "sana",
    "stable_cascade_stage_c.safetensors": "cascade",
    "kolors.safetensors": "kolors",
    "PixArt-Sigma-XL-2-1024-MS.safetensors": "pixart",
    # Other ways to write them
    "Diffusers/stabilityai/sdxl-turbo": "sdxl_turbo",
    "flux-2-klein-4b-base.gguf": "flux2_klein_base",
    "flux-2-klein-9b-base.safetensors": "flux2_klein_base",
    "FLUX.1-Kontext-dev-Q5_K_M.gguf": "flux_kontext",
    "fluxKontext_dev.safetensors": "flux_kontext",
    "fluxFill_fp8.safetensors": "flux_fill",
    "flux1-dev-fill-fp8.safetensors": "flux_fill",
    "stable-diffusion-3.5-large-turbo.safetensors": "sd35/turbo",
    "stableDiffusion35_large.safetensors": "sd35",
    "stable-diffusion-3-medium.safetensors": "sd3",
    "ponyDiffusionV7_base.safetensors": "auraflow",
    "Sana_600M_1024px.safetensors": "sana",
    "SANA1.5_1.6B_1024px.safetensors": "sana",
    "wai_ILXL_v2.safetensors": "illustrious",
    "Diffusers/stabilityai/stable-diffusion-xl-base-1.0": "sdxl",
    "512-depth-ema.ckpt": "sd2_base",
    "Diffusers/stabilityai/stable-diffusion-2-base": "sd2_base",
    "Diffusers/stabilityai/stable-diffusion-2-inpainting": "sd2_base",
    "Diffusers/stabilityai/stable-diffusion-2-1": "sd2",
    "mixSD2.safetensors": "sd2",
    "mix_sd21.safetensors": "sd2",
    "mix_sd2.0.safetensors": "sd2",
    "sd14.ckpt": "sd15",
    "mix_sd1.safetensors": "sd15",
    "stable-diffusion-v1-5-pruned.ckpt": "sd15",
    "Diffusers/CompVis/stable-diffusion-1-4": "sd15",
    "analogMadness_v70.safetensors": "sd15",
    "AOM2_hard.safetensors": "sd15",
    "darkSushiMixMix_225D.safetensors": "sd15",
    "epicphotogasm_ultimateFidelity.safetensors": "sd15",
    "lyriel_v16.safetensors": "sd15",
    "meinaalter_v3.safetensors": "sd15",
    "meinahentai_v5Final.safetensors": "sd15",
    "meinapastel_v6Pastel.safetensors": "sd15",
    "neverendingDream_v122BakedVae.safetensors": "sd15",
    "openjourney-v4.ckpt": "sd15",
    "toonyou_beta6.safetensors": "sd15",
    "waifu-diffusion-v1-3.ckpt": "sd15",
    "animeXL_v-prediction.safetensors": "sdxl/vpred",
    # What no name tells
    "oatMilk_walnut.safetensors": "unknown",
    "perfectdeliberate_v50.safetensors": "unknown",
    "perfectdeliberate_v5.safetensors": "unknown",
    "Sana_1600M_512px.safetensors": "unknown",
    "HiDream-O1-Image.safetensors": "unknown",
    "wan2.2_t2v_14B.safetensors": "unknown",
    "anima_preview.safetensors": "unknown",
    "illumination_v2.safetensors": "unknown",
    "photonics_v1.safetensors": "unknown",
    "hyperRealism_v3.safetensors": "unknown",
    "model.safetensors": "unknown",
    "pixelModel_v15.safetensors": "unknown",
    "someMix_lightning.safetensors": "unknown/lightning",
}


def checkpoint(file: str, *, sha256: str | None = None) -> Checkpoint:
    """An entry as AUTOMATIC1111 lists it; folders in `file` are part of the title."""
    base = file.replace("\\", "/").rpartition("/")[2]
    stem = base.rpartition(".")[0] or base
    model_name = (file.rpartition(".")[0] or file).replace("\\", "_").replace("/", "_")
    short = sha256[:10] if sha256 else None
    title = f"{file} [{short}]" if short else file
    return Checkpoint(title, model_name, short, sha256, stem, base)


def family(file: str, corrections: dict[str, str] | None = None, sha256: str | None = None) -> Family:
    return family_of(checkpoint(file, sha256=sha256), TABLE, corrections or {})


def test_the_table_of_names_is_long_enough_to_mean_something() -> None:
    assert len(NAMES) >= 150


def test_no_pattern_is_in_the_table_without_a_name_in_which_it_is_found() -> None:
    names = [Name(file) for file in NAMES]
    rules = (*TABLE.family_rules, *TABLE.variant_rules)
    lost = [pattern for rule in rules for pattern in rule.match if not any(pattern.is_in(name) for name in names)]
    assert lost == []


@pytest.mark.parametrize(("file", "key"), NAMES.items())
def test_a_name_tells_what_the_checkpoint_is(file: str, key: str) -> None:
    assert family(file).key == key


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("SDXL/dreamshaper_v1.safetensors", "sdxl"),
        ("sdxl\\unnamed.safetensors", "sdxl"),
        ("anime/pony/unnamed.safetensors", "pony"),
        ("Diffusers/stabilityai/sdxl-turbo", "sdxl_turbo"),
        ("Diffusers/black-forest-labs/FLUX.1-schnell", "flux/schnell"),
    ],
)
def test_folders_tell_it_too(title: str, key: str) -> None:
    assert family(title).key == key


@pytest.mark.parametrize("title", ["sd/turbo_art.safetensors", "sd\\3colours.safetensors", "flux-sd/3.safetensors"])
def test_nothing_is_read_across_the_end_of_a_folder(title: str) -> None:
    assert family(title).name not in {"sd_turbo", "sd3"}


def test_a_hash_tells_a_file_whatever_its_name() -> None:
    pony = "67ab2fd8ec439a89b3fedb15cc65f54336af163c7eb5e4f2acc98f090a29b0b3"
    assert family("model.safetensors", sha256=pony).key == "pony"
    assert family("flux1-dev.safetensors", sha256=pony.upper()).key == "pony"


def test_a_hash_that_stands_for_every_model_tells_nothing() -> None:
    placeholder = Checkpoint("random-sd15", "random-sd15", "8888888888", "8" * 64, "random-sd15", "random-sd15.gguf")
    assert family_of(placeholder, TABLE, {}).key == "sd15"


@pytest.mark.parametrize(
    "key",
    ["mine/oatMilk_walnut.safetensors", "oatMilk_walnut", "mine/oatmilk_walnut", "oatmilk_walnut"],
)
def test_a_correction_is_found_under_the_plain_title_and_the_stem(key: str) -> None:
    file = "mine/oatMilk_walnut.safetensors"
    assert family(file).key == "unknown"
    assert family(file, {key: "illustrious"}, sha256="ab" * 32).key == "illustrious"


def test_a_correction_counts_more_than_hash_and_name_and_says_the_variant_too() -> None:
    pony = "67ab2fd8ec439a89b3fedb15cc65f54336af163c7eb5e4f2acc98f090a29b0b3"
    corrections = {"flux_lightning": "sd15"}
    assert family("flux_lightning.safetensors", corrections, pony).key == "sd15"
    assert family("flux_lightning.safetensors", {"flux_lightning": "sdxl/hyper"}).key == "sdxl/hyper"


def test_a_correction_can_leave_everything_to_the_webui() -> None:
    assert family("juggernautXL.safetensors", {"juggernautxl": "unknown"}) == UNKNOWN


def test_a_correction_to_a_family_that_is_gone_is_passed_over() -> None:
    assert family("juggernautXL.safetensors", {"juggernautxl": "was-removed"}).key == "sdxl"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("xl\\Juggernaut.safetensors", "XL/juggernaut"),
        ("Dream_8.ckpt", "dream_8.safetensors"),
        ("flux1-dev.gguf", "flux1-dev"),
    ],
)
def test_a_correction_made_on_one_webui_holds_on_another(one: str, other: str) -> None:
    assert correction_key(one) == correction_key(other)


def test_versions_are_part_of_a_name() -> None:
    assert correction_key("flux_v1.0.safetensors") == "flux_v1.0"
    assert correction_key("flux_v1.0") != correction_key("flux_v1.5")


@pytest.mark.parametrize(
    ("file", "steps"),
    [
        ("sdxl_lightning_2step.safetensors", 2),
        ("sdxl_lightning_8step_unet.safetensors", 8),
        ("Hyper-SDXL-1step.safetensors", 1),
        ("Qwen-Image-Lightning-4steps-V1.0.safetensors", 4),
        ("dreamshaperXL_lightning_100steps.safetensors", 6),
        ("dreamshaperXL_lightning_0step.safetensors", 6),
        ("dreamshaperXL_lightning_40steps.safetensors", 6),
        ("juggernautXL_4stepstones.safetensors", 25),
        ("juggernautXL_4step.safetensors", 25),
    ],
)
def test_distilled_checkpoints_are_drawn_in_the_steps_that_their_name_says(file: str, steps: int) -> None:
    assert family(file).steps == steps


ANY_TEXT = st.text(max_size=300) | st.text("sdxlponyflux -_./\\v0123456789*[]\u0130ß\uff33\uff24", max_size=80)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.none() | st.text(max_size=70))
@example("\u0130XL", "", "İİİxl", "é" * 64)
@example("sdxl_lightning_\uff14steps", "", "", None)
@example("sdxl_lightning_²step", "", "", None)
def test_no_title_makes_it_fail(title: str, model_name: str, stem: str, sha256: str | None) -> None:
    entry = Checkpoint(title, model_name, None, sha256, stem)
    found = family_of(entry, TABLE, {title: model_name, stem: title})
    assert found.key in TABLE.keys
    assert found.steps is None or 1 <= found.steps <= 150


@given(st.sampled_from(sorted(NAMES)), st.sampled_from(TABLE.keys))
def test_every_key_corrects_every_checkpoint(file: str, key: str) -> None:
    found = family_of(checkpoint(file), TABLE, {correction_key(file): key})
    assert found.key == key
