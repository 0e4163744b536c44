"""What stable-diffusion.cpp's server says about a picture: infotext and `info`. No HTTP, no drawing.

Source: recorded answers of sd-server 97d29908.
"""

import ctypes
import json
from dataclasses import dataclass
from typing import Any

_GUIDANCE = 3.5


@dataclass(frozen=True, slots=True)
class HiresParams:
    """The second pass as it was asked for; a zero means that something else decides."""

    upscaler: str
    scale: float
    width: int
    height: int
    steps: int
    denoising: float


@dataclass(frozen=True, slots=True)
class Params:
    """A request with the server's defaults and limits applied; no method or scheduler: the server's own choice."""

    prompt: str
    negative: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    batch_size: int
    clip_skip: int
    method: str | None
    scheduler: str | None
    strength: float
    hires: HiresParams | None


def dump(payload: Any) -> str:
    """JSON as the server's library writes it: keys sorted, non-ASCII kept."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def write_parameters(params: Params, model: str, index: int) -> str:
    """The infotext of the picture at that index; `model` is the file's name."""
    sampler = " ".join(part for part in (params.method or "NONE", params.scheduler) if part)
    line = (
        f"Steps: {params.steps}, CFG scale: {params.cfg_scale:.6f}, Guidance: {_GUIDANCE:.6f}, Eta: inf, "
        f"Seed: {params.seed + index}, Size: {params.width}x{params.height}, Model: {model}, RNG: cuda, "
        f"Sampler: {sampler}, "
    )
    if params.clip_skip != -1:
        line += f"Clip skip: {params.clip_skip}, "
    if params.hires is not None:
        hires = params.hires
        line += (
            f"Hires upscale: {hires.upscaler}, Hires scale: {hires.scale:.6f}, "
            f"Hires resize: {hires.width}x{hires.height}, Hires steps: {hires.steps}, "
            f"Denoising strength: {hires.denoising:.6f}, "
        )
    negative = f"Negative prompt: {params.negative}\n" if params.negative else ""
    tail = dump(_settings(params, model, index))
    return f"{params.prompt}\n{negative}{line}Version: stable-diffusion.cpp, SDCPP: {tail}"


def info(params: Params, model: str, infotexts: list[str], *, img2img: bool) -> dict[str, Any]:
    """The object that goes into `info` as a JSON string."""
    count = len(infotexts)
    made: dict[str, Any] = {
        "prompt": params.prompt,
        "seed": params.seed,
        "cfg_scale": single(params.cfg_scale),
        "width": params.width,
        "height": params.height,
        "steps": params.steps,
        "sampler_name": params.method or "NONE",
        "sd_model_name": model,
        "version": "stable-diffusion.cpp",
        "infotexts": infotexts,
        "all_prompts": [params.prompt] * count,
        "all_negative_prompts": [params.negative] * count,
        "all_seeds": [params.seed + index for index in range(count)],
    }
    if params.negative:
        made["negative_prompt"] = params.negative
    if params.clip_skip != -1:
        made["clip_skip"] = params.clip_skip
    if params.scheduler is not None:
        made["extra_generation_params"] = {"Schedule type": params.scheduler}
    if img2img:
        made["denoising_strength"] = single(params.strength)
    return made


def single(value: float) -> float:
    """The value as single precision holds it, which is what the server prints."""
    return ctypes.c_float(value).value


def _settings(params: Params, model: str, index: int) -> dict[str, Any]:
    sampling: dict[str, Any] = {
        "custom_sigmas": [],
        "eta": None,
        "extra_sample_args": "",
        "flow_shift": None,
        "guidance": {
            "distilled_guidance": _GUIDANCE,
            "img_cfg": None,
            "slg": {"end": single(0.2), "layers": [7, 8, 9], "scale": 0.0, "start": single(0.01)},
            "txt_cfg": single(params.cfg_scale),
        },
        "shifted_timestep": 0,
        "steps": params.steps,
    }
    if params.method is not None:
        sampling["method"] = params.method
    if params.scheduler is not None:
        sampling["scheduler"] = params.scheduler
    settings: dict[str, Any] = {
        "auto_resize_ref_image": True,
        "clip_skip": params.clip_skip,
        "control_strength": single(0.9),
        "generator": {"commit": "unknown", "name": "stable-diffusion.cpp", "version": "unknown"},
        "height": params.height,
        "increase_ref_index": False,
        "ip_adapter_strength": 1.0,
        "mode": "img_gen",
        "models": {"model": model},
        "prompt": {"negative": params.negative, "positive": params.prompt},
        "rng": "cuda",
        "sampling": sampling,
        "schema": "sdcpp.image.params/v1",
        "seed": params.seed + index,
        "strength": single(params.strength),
        "width": params.width,
    }
    if params.hires is not None:
        settings["hires"] = _hires_settings(params.hires)
    return settings


def _hires_settings(hires: HiresParams) -> dict[str, Any]:
    return {
        "custom_sigmas": [],
        "denoising_strength": single(hires.denoising),
        "enabled": True,
        "model": "",
        "scale": single(hires.scale),
        "steps": hires.steps,
        "target_height": hires.height,
        "target_width": hires.width,
        "upscale_tile_size": 128,
        "upscaler": hires.upscaler,
    }
