"""The list endpoints' items as webui 1.10.1 writes them. Shapes only: no state, no HTTP."""

from collections.abc import Sequence
from typing import Any

from playground.webui.catalog import INSTALL_DIR, LATENT_MODES, Catalog

ALWAYSON_SCRIPTS = ("extra options", "comments", "refiner", "sampler", "seed")
TXT2IMG_SCRIPTS = ("prompt matrix", "prompts from file or textbox", "x/y/z plot")
IMG2IMG_SCRIPTS = (
    "img2img alternative test",
    "loopback",
    "outpainting mk2",
    "poor man's outpainting",
    *TXT2IMG_SCRIPTS[:2],
    "sd upscale",
    TXT2IMG_SCRIPTS[2],
)


def vaes(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /sd-vae`."""
    return [{"model_name": name, "filename": f"{INSTALL_DIR}/models/VAE/{name}"} for name in catalog.vaes]


def modules(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /sd-modules`: VAEs and text encoders."""
    return [
        {"model_name": name, "filename": f"{INSTALL_DIR}/models/{_folder(name)}/{name}"} for name in catalog.modules
    ]


def _folder(module: str) -> str:
    return "text_encoder" if module.startswith(("clip", "t5")) else "VAE"


def loras(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /loras`: with the training metadata and the server's absolute paths."""
    return [
        {
            "name": name,
            "alias": name,
            "path": f"{INSTALL_DIR}/models/Lora/{name}.safetensors",
            "metadata": {
                "ss_output_name": name,
                "ss_network_module": "networks.lora",
                "ss_network_dim": "16",
                "ss_network_alpha": "8",
                "ss_base_model_version": "sd_v1",
                "ss_tag_frequency": {f"10_{name}": {name: 10}},
            },
        }
        for name in catalog.loras
    ]


def upscalers(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /upscalers`."""
    return [
        {
            "name": each.name,
            "model_name": None if each.model is None else each.name,
            "model_path": each.model,
            "model_url": None,
            "scale": each.scale,
        }
        for each in catalog.upscalers
    ]


def latent_upscale_modes() -> list[dict[str, str]]:
    """`GET /latent-upscale-modes`."""
    return [{"name": name} for name in LATENT_MODES]


def prompt_styles(catalog: Catalog) -> list[dict[str, str]]:
    """`GET /prompt-styles`."""
    return [
        {"name": name, "prompt": prompt, "negative_prompt": negative}
        for name, (prompt, negative) in catalog.styles.items()
    ]


def embeddings(catalog: Catalog) -> dict[str, Any]:
    """`GET /embeddings`: a dict by name, not a list."""
    item = {
        "step": None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        "shape": 768,
        "vectors": 8,
    }
    return {"loaded": {name: dict(item) for name in catalog.embeddings}, "skipped": {}}


def face_restorers() -> list[dict[str, Any]]:
    """`GET /face-restorers`."""
    return [{"name": "CodeFormer", "cmd_dir": None}, {"name": "GFPGAN", "cmd_dir": None}]


def scripts(alwayson: Sequence[str] = ALWAYSON_SCRIPTS) -> dict[str, list[str]]:
    """`GET /scripts`: lower-case titles."""
    place = list(alwayson).index("refiner")
    return {
        "txt2img": [*TXT2IMG_SCRIPTS, *alwayson],
        "img2img": [*IMG2IMG_SCRIPTS, *alwayson[:place], "soft inpainting", *alwayson[place:]],
    }


def script_info(alwayson: Sequence[str] = ALWAYSON_SCRIPTS) -> list[dict[str, Any]]:
    """`GET /script-info`."""
    return [*(_script(False, name) for name in TXT2IMG_SCRIPTS), *(_script(True, name) for name in alwayson)]


def _script(alwayson: bool, name: str) -> dict[str, Any]:
    argument = {"label": "Margins (px)", "value": 0, "minimum": 0, "maximum": 500, "step": 2, "choices": None}
    return {"name": name, "is_alwayson": alwayson, "is_img2img": False, "args": [] if alwayson else [argument]}


def realesrgan_models(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /realesrgan-models`."""
    ours = [each for each in catalog.upscalers if each.name.startswith("R-ESRGAN")]
    return [{"name": each.name, "path": each.model, "scale": int(each.scale)} for each in ours]


def memory() -> dict[str, Any]:
    """`GET /memory`, in bytes, as on a machine with an 8 GiB card."""
    gib = 1024**3
    counts = {"current": 5 * gib, "peak": 6 * gib}
    return {
        "ram": {"free": 21.0 * gib, "used": 11 * gib, "total": 32.0 * gib},
        "cuda": {
            "system": {"free": 2 * gib, "used": 6 * gib, "total": 8 * gib},
            "active": counts,
            "allocated": counts,
            "reserved": counts,
            "inactive": {"current": 0, "peak": gib},
            "events": {"retries": 0, "oom": 0},
        },
    }


def cmd_flags(port: int, auth: tuple[str, str] | None, *, webui: bool, subpath: str) -> dict[str, Any]:
    """`GET /cmd-flags`: a selection, with the server's own credentials in clear, as the real one has them."""
    return {
        "data_dir": INSTALL_DIR,
        "ckpt_dir": None,
        "allow_code": False,
        "medvram": False,
        "lowvram": False,
        "listen": False,
        "port": port,
        "share": False,
        "gradio_auth": None,
        "api": True,
        "api_auth": None if auth is None else ":".join(auth),
        "api_log": False,
        "nowebui": not webui,
        "no_half": False,
        "disable_nan_check": False,
        "freeze_settings": False,
        "subpath": subpath.strip("/") or None,
        "timeout_keep_alive": 30,
        "api_server_stop": False,
    }


def items(things: Sequence[Any]) -> list[dict[str, Any]]:
    """The JSON of things that know their own."""
    return [thing.as_json() for thing in things]
