"""How KoboldCpp reads a drawing request and what it says about the picture. No HTTP, no drawing.

Source: KoboldCpp 1.115's public server script.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from playground.webui.catalog import lora_tags
from playground.webui.errors import RefusedError
from playground.webui.inputs import open_base64
from playground.webui.sampling import Sampler

VERSION = "1.115.1"
SAMPLERS = (
    Sampler("Euler", ("k_euler",)),
    Sampler("Euler a", ("k_euler_a", "k_euler_ancestral")),
    Sampler("Heun", ("k_heun",)),
    Sampler("DPM2", ("k_dpm_2",)),
    Sampler("DPM++ 2M", ("k_dpmpp_2m",)),
    Sampler("DDIM", ("ddim",)),
    Sampler("LCM", ("k_lcm",)),
)
SCHEDULERS = ("default", "discrete", "karras", "exponential", "ays", "gits", "sgm_uniform", "simple", "smoothstep")
KEYS = frozenset(
    {
        *("prompt", "negative_prompt", "width", "height", "steps", "cfg_scale", "seed", "clip_skip", "sampler_name"),
        *("scheduler", "enable_hr", "denoising_strength", "init_images", "mask", "inpainting_mask_invert", "lora"),
        *("extra_images", "distilled_guidance", "eta"),
    }
)
"""The keys that it reads; all others are passed over."""
_METHODS = {
    "Euler": "euler",
    "Euler a": "euler_a",
    "Heun": "heun",
    "DPM2": "dpm2",
    "DPM++ 2M": "dpm++2m",
    "DDIM": "ddim_trailing",
    "LCM": "lcm",
}
_DEFAULT_METHOD = "euler_a"
_PROMPT_BYTES = 2048
_LARGEST_BODY = 32 * 1024 * 1024
_GUIDANCE = 3.5


class UnansweredError(Exception):
    """An exception inside the server: the connection closes without an answer."""


@dataclass(frozen=True, slots=True)
class Params:
    """A request with the server's defaults and limits applied."""

    prompt: str
    negative: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    clip_skip: int
    method: str
    scheduler: str | None
    denoising: float
    hires: bool


def parse(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises RefusedError (500), or UnansweredError for other JSON."""
    if len(raw) > _LARGEST_BODY:
        raise RefusedError(500, "Request body too large.")
    try:
        body = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RefusedError(500, "Error parsing input.") from error
    if not isinstance(body, dict):
        raise UnansweredError("body")
    return body


def read_params(body: Mapping[str, Any]) -> Params:
    """Wrong numbers become defaults. Raises UnansweredError for texts that are none, and for a missing prompt."""
    seed = _whole(body, "seed", -1)
    return Params(
        prompt=_cut(f"{_text(body, 'prompt', None)}, "),
        negative=_cut(_text(body, "negative_prompt", "")),
        width=_size(_whole(body, "width", 512)),
        height=_size(_whole(body, "height", 512)),
        steps=min(max(_whole(body, "steps", 20), 1), 80),
        cfg_scale=min(max(_real(body, "cfg_scale", 5.0), 1.0), 25.0),
        seed=random.randint(100_000, 999_999) if seed < 0 else seed,
        clip_skip=_whole(body, "clip_skip", -1),
        method=_find_method(_text(body, "sampler_name", "k_euler_a")),
        scheduler=_text(body, "scheduler", "").lower() or None,
        denoising=_real(body, "denoising_strength", 0.6),
        hires=bool(body.get("enable_hr")),
    )


def first_image(body: Mapping[str, Any]) -> str:
    """The first init image's text, "" if there is none. Raises UnansweredError."""
    images = body.get("init_images")
    if not images or not isinstance(images, list) or not images[0]:
        return ""
    if not isinstance(images[0], str):
        raise UnansweredError("init_images")
    return images[0]


def image_text(body: Mapping[str, Any]) -> str:
    """The text of the one image. Raises UnansweredError."""
    text = body.get("image", "")
    if not isinstance(text, str):
        raise UnansweredError("image")
    return text


def read_mask(body: Mapping[str, Any]) -> Image.Image | None:
    """The mask, white where it may be painted; None without one. Raises UnansweredError."""
    text = body.get("mask") or ""
    if not isinstance(text, str):
        raise UnansweredError("mask")
    mask = open_base64(text) if text else None
    if mask is not None and body.get("inpainting_mask_invert"):
        return mask.convert("L").point(lambda level: 255 - level)
    return mask


def read_loras(body: Mapping[str, Any], prompt: str, known: Sequence[str]) -> list[str]:
    """The known LoRAs that the prompt or the list names; unknown ones are passed over."""
    listed = body.get("lora")
    items = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    names = [name for name, _ in lora_tags(prompt)]
    names += [str(item.get("path", item.get("name", ""))).removesuffix(".safetensors") for item in items]
    return [name for name in names if name in known]


def write_infotext(params: Params, model: str) -> str:
    """One line of pairs between bars, three digits of each number."""
    sampler = " ".join(part for part in (params.method, params.scheduler) if part)
    pairs = {
        "Prompt": params.prompt,
        "NegativePrompt": params.negative,
        "Steps": params.steps,
        "CFGScale": f"{params.cfg_scale:.3g}",
        "Guidance": f"{_GUIDANCE:.3g}",
        "Seed": params.seed,
        "Size": f"{params.width}x{params.height}",
        "Sampler": sampler,
        "Clip skip": params.clip_skip,
        "Model": model,
        "Version": "KoboldCpp",
    }
    return " | ".join(f"{key}: {value}" for key, value in pairs.items())


def info(params: Params, model: str, infotexts: list[str], timestamp: str, *, img2img: bool) -> dict[str, Any]:
    """The object that goes into `info` as a JSON string; after a failure it has only the time."""
    if not infotexts:
        return {"job_timestamp": timestamp}
    made: dict[str, Any] = {
        "prompt": params.prompt,
        "negative_prompt": params.negative,
        "all_prompts": [params.prompt],
        "all_negative_prompts": [params.negative],
        "seed": params.seed,
        "all_seeds": [params.seed],
        "width": params.width,
        "height": params.height,
        "sampler_name": params.method,
        "cfg_scale": params.cfg_scale,
        "steps": params.steps,
        "sd_model_name": model,
        "extra_generation_params": {"Schedule type": params.scheduler or "default"},
        "infotexts": infotexts,
        "version": "KoboldCpp",
        "job_timestamp": timestamp,
    }
    return {**made, "denoising_strength": params.denoising} if img2img else made


def _text(body: Mapping[str, Any], key: str, default: str | None) -> str:
    value = body.get(key)
    value = default if value is None else value
    if not isinstance(value, str):
        raise UnansweredError(key)
    return value


def _whole(body: Mapping[str, Any], key: str, default: int) -> int:
    try:
        return int(body.get(key, default))
    except (TypeError, ValueError, OverflowError):
        return default


def _real(body: Mapping[str, Any], key: str, default: float) -> float:
    try:
        return float(body.get(key, default))
    except (TypeError, ValueError, OverflowError):
        return default


def _size(pixels: int) -> int:
    return max((pixels + 32) // 64 * 64, 64)


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:_PROMPT_BYTES].decode("utf-8", "ignore")


def _find_method(name: str) -> str:
    wanted = name.lower()
    known = (each for each in SAMPLERS if wanted == each.name.lower() or wanted in each.aliases)
    found = next(known, None)
    return _DEFAULT_METHOD if found is None else _METHODS[found.name]
