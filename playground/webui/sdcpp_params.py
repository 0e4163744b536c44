"""How stable-diffusion.cpp's server reads a request: types, defaults, limits. No HTTP, no drawing.

Source: recorded answers of sd-server 97d29908 and the order in which it reads its keys.
"""

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from playground.webui.errors import CrashError, RefusedError
from playground.webui.sdcpp_text import HiresParams, Params

METHODS = (
    *("euler", "euler_a", "heun", "dpm2", "dpm++2s_a", "dpm++2m", "dpm++2mv2", "ipndm", "ipndm_v", "lcm"),
    *("ddim_trailing", "tcd", "res_multistep", "res_2s", "er_sde", "euler_cfg_pp", "euler_a_cfg_pp", "euler_ge"),
    *("dpm++2m_sde", "dpm++2m_sde_bt", "lms"),
)
SCHEDULERS = (
    *("discrete", "normal", "karras", "exponential", "ays", "gits", "sgm_uniform", "simple", "smoothstep"),
    *("kl_optimal", "lcm", "bong_tangent", "ltx2", "logit_normal", "flux2", "flux", "beta"),
)
LATENT_MODES = (
    "Latent",
    "Latent (nearest)",
    "Latent (nearest-exact)",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
)
KEYS = frozenset(
    {
        *("prompt", "negative_prompt", "width", "height", "steps", "cfg_scale", "seed", "batch_size", "clip_skip"),
        *("sampler_name", "scheduler", "lora", "enable_hr", "hr_upscaler", "hr_scale", "hr_resize_x", "hr_resize_y"),
        *("hr_steps", "denoising_strength", "init_images", "mask", "inpainting_mask_invert", "extra_images"),
    }
)
"""The keys that it reads; all others are passed over."""
# Names of other webuis that it knows, compared without regard to case.
_ALIASES = {
    "euler a": "euler_a",
    "k_euler_a": "euler_a",
    "k_euler": "euler",
    "k_heun": "heun",
    "k_dpm_2": "dpm2",
    "ddim": "ddim_trailing",
    "dpm++ 2m": "dpm++2m",
    "k_dpmpp_2m": "dpm++2m",
    "dpm++ 2m sde": "dpm++2m_sde",
    "k_dpmpp_2m_sde": "dpm++2m_sde",
    "res multistep": "res_multistep",
    "res 2s": "res_2s",
}
_EXTRA_ARGS = re.compile(r"<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>")
_NUMBERS = (int, float)
_HUGE = 2**63 - 1  # a larger number does not fit into what it keeps one in


class Body:
    """A request's JSON object. Raises CrashError for a value of another type than asked: null is no absence here."""

    def __init__(self, raw: bytes) -> None:
        try:
            self.parsed = json.loads(raw)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
            raise _server_error(
                f"[json.exception.parse_error.101] parse error at line {line}, column {column}: syntax error while "
                "parsing value - unexpected input"
            ) from error
        if not isinstance(self.parsed, dict):
            raise _server_error(f"[json.exception.type_error.306] cannot use value() with {_kind(self.parsed)}")
        self.object: dict[str, Any] = self.parsed

    def text(self, key: str, default: str = "") -> str:
        """The string under that key."""
        return as_text(self.object.get(key, default))

    def number(self, key: str, default: float) -> float:
        """The number under that key; a boolean is one."""
        value = self.object.get(key, default)
        if not isinstance(value, _NUMBERS):
            raise _wrong_type("number", value)
        return min(max(value, -_HUGE), _HUGE)

    def whole(self, key: str, default: int) -> int:
        """The number under that key, cut off at its point."""
        return int(self.number(key, default))

    def flag(self, key: str) -> bool:
        """The boolean under that key."""
        value = self.object.get(key, False)
        if not isinstance(value, bool):
            raise _wrong_type("boolean", value)
        return value

    def items(self, key: str) -> list[Any]:
        """The array under that key, empty for anything else."""
        value = self.object.get(key)
        return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """The value if it is a string. Raises CrashError."""
    if not isinstance(value, str):
        raise _wrong_type("string", value)
    return value


def read_params(body: Body, *, img2img: bool, upscalers: Sequence[str]) -> Params:
    """The request with defaults and limits applied. Raises RefusedError (400) or CrashError (500)."""
    prompt, negative = body.text("prompt"), body.text("negative_prompt")
    width, height = body.whole("width", 512), body.whole("height", 512)
    steps, cfg_scale, seed = body.whole("steps", 20), body.number("cfg_scale", 7.0), body.whole("seed", -1)
    batch_size, clip_skip = body.whole("batch_size", 1), body.whole("clip_skip", -1)
    method, scheduler = body.text("sampler_name"), body.text("scheduler")
    if width <= 0 or height <= 0:
        raise RefusedError(400, "width and height must be positive")
    if not prompt:
        raise RefusedError(400, "prompt required")
    hires = _read_hires(body) if not img2img and body.flag("enable_hr") else None
    prompt, extra = _take_extra_args(prompt)
    strength = body.number("denoising_strength", -1.0) if img2img else -1.0
    if hires is not None and hires.upscaler not in (*LATENT_MODES, *upscalers):
        raise RefusedError(400, "invalid params")
    return Params(
        prompt=prompt,
        negative=negative,
        width=extra.get("width", width),
        height=extra.get("height", height),
        steps=min(max(steps, 1), 100),
        cfg_scale=cfg_scale,
        seed=_fixed(extra.get("seed", seed)),
        batch_size=min(max(batch_size, 1), 8),
        clip_skip=clip_skip if clip_skip > 0 else -1,
        method=_find_method(method),
        scheduler=scheduler if scheduler in SCHEDULERS else None,
        strength=min(strength, 1.0) if strength >= 0 else 0.75,
        hires=hires,
    )


def read_loras(body: Body, known: Sequence[str]) -> list[str]:
    """The paths of the LoRAs; what is no object is passed over. Raises RefusedError (400) for an unknown one."""
    paths: list[str] = []
    for item in body.items("lora"):
        if not isinstance(item, dict):
            continue
        path = as_text(item.get("path", ""))
        if not path:
            raise RefusedError(400, "lora.path required")
        if path not in known:
            raise RefusedError(400, "invalid lora path")
        paths.append(path)
    return paths


def _read_hires(body: Body) -> HiresParams:
    return HiresParams(
        upscaler=body.text("hr_upscaler", "Latent"),
        scale=body.number("hr_scale", 2.0),
        width=body.whole("hr_resize_x", 0),
        height=body.whole("hr_resize_y", 0),
        steps=body.whole("hr_steps", 0),
        denoising=body.number("denoising_strength", 0.7),
    )


def _take_extra_args(prompt: str) -> tuple[str, Mapping[str, int]]:
    """The prompt without its embedded arguments, and those of them that this server obeys."""
    found = _EXTRA_ARGS.search(prompt)
    if found is None:
        return prompt, {}
    try:
        given = json.loads(found[1])
    except json.JSONDecodeError as error:
        raise RefusedError(400, "invalid sd_cpp_extra_args") from error
    if not isinstance(given, dict):
        raise RefusedError(400, "invalid sd_cpp_extra_args")
    known = ("width", "height", "seed")
    return _EXTRA_ARGS.sub("", prompt), {key: int(given[key]) for key in known if isinstance(given.get(key), _NUMBERS)}


def _find_method(name: str) -> str | None:
    if name in METHODS:
        return name
    lower = name.lower()
    return _ALIASES.get(lower, lower if lower in ("euler", "heun", "dpm2", "lcm") else None)


def _fixed(seed: int) -> int:
    # Its random numbers start anew from the second: two requests in one second get one seed.
    return random.Random(int(time.time())).randrange(2**31) if seed < 0 else seed


def _server_error(message: str) -> CrashError:
    return CrashError("server_error", message)


def _wrong_type(wanted: str, value: Any) -> CrashError:
    return _server_error(f"[json.exception.type_error.302] type must be {wanted}, but is {_kind(value)}")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {type(None): "null", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")
