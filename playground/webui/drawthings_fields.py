"""Draw Things' parameters: keys, aliases, ranges, defaults, and how a request is checked against them. No HTTP.

Source: Draw Things' public HTTPAPIServer and Invocation modules. The wording of type errors is its language's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.webui.errors import RefusedError

Kind = Literal["String", "Int", "Double", "Bool", "Array", "Choice"]
SAMPLERS = (
    *("DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "DPM++ SDE Karras", "PLMS", "LCM", "Euler A Substep"),
    *("DPM++ SDE Substep", "TCD", "Euler A Trailing", "DPM++ SDE Trailing", "DPM++ 2M AYS", "Euler A AYS"),
    *("DPM++ SDE AYS", "DPM++ 2M Trailing", "DDIM Trailing"),
)
SEED_MODES = ("Legacy", "Torch CPU Compatible", "Scale Alike", "NVIDIA GPU Compatible")
OTHER_KEYS = ("restore_faces", "init_images")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter under its own key; a request uses that or one of the aliases, not both."""

    key: str
    kind: Kind
    default: Any = None
    low: float = 0
    high: float = 0
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What errors call it."""
        return self.key.replace("_", " ").capitalize()


def _text(key: str, default: str | None = None) -> Parameter:
    return Parameter(key, "String", default)


def _flag(key: str, default: bool = False, *aliases: str) -> Parameter:
    return Parameter(key, "Bool", default, aliases=aliases)


def _whole(key: str, default: int, low: int, high: int, *aliases: str) -> Parameter:
    return Parameter(key, "Int", default, low, high, aliases)


def _real(key: str, default: float, low: float, high: float, *aliases: str) -> Parameter:
    return Parameter(key, "Double", default, low, high, aliases)


PARAMETERS: tuple[Parameter, ...] = (
    _text("model"),
    _whole("width", 512, 128, 8192),
    _whole("height", 512, 128, 8192),
    _whole("seed", -1, -1, 2**32 - 1),
    _real("guidance_scale", 4.5, 0, 50, "cfg_scale"),
    Parameter("seed_mode", "Choice", "Scale Alike", choices=SEED_MODES),
    _whole("steps", 20, 1, 150),
    _whole("batch_count", 1, 1, 100, "n_iter"),
    _whole("batch_size", 1, 1, 4),
    Parameter("sampler", "Choice", "DPM++ 2M Karras", aliases=("sampler_name", "sampler_index"), choices=SAMPLERS),
    _real("strength", 0.7, 0, 1, "denoising_strength"),
    _whole("clip_skip", 1, 1, 23),
    _real("image_guidance", 1.5, 0, 25),
    _real("mask_blur", 1.5, 0, 25),
    _whole("mask_blur_outset", 0, -100, 1000),
    _real("sharpness", 0.0, 0, 30),
    _real("clip_weight", 1.0, 0, 1),
    _flag("negative_prompt_for_image_prior", True),
    _whole("image_prior_steps", 5, 3, 60),
    _text("prompt", ""),
    _text("negative_prompt", ""),
    _flag("hires_fix", False, "enable_hr"),
    _whole("hires_fix_width", 512, 128, 2048, "firstphase_width"),
    _whole("hires_fix_height", 512, 128, 2048, "firstphase_height"),
    _real("hires_fix_strength", 0.7, 0, 1),
    _flag("tiled_decoding"),
    _whole("decoding_tile_width", 640, 128, 2048),
    _whole("decoding_tile_height", 640, 128, 2048),
    _whole("decoding_tile_overlap", 128, 64, 1024),
    *(
        _whole(f"{what}_{side}", 512, 128, 2048)
        for what in ("original", "target", "negative_original")
        for side in ("width", "height")
    ),
    _whole("crop_top", 0, 0, 1024),
    _whole("crop_left", 0, 0, 1024),
    _real("aesthetic_score", 6.0, 0, 10),
    _real("negative_aesthetic_score", 2.5, 0, 10),
    _flag("zero_negative_prompt"),
    _text("refiner_model"),
    _real("refiner_start", 0.7, 0, 1),
    _whole("num_frames", 14, 1, 201),
    _whole("fps", 5, 1, 30),
    _whole("motion_scale", 127, 0, 255),
    _real("guiding_frame_noise", 0.02, 0, 1),
    _real("start_frame_guidance", 1.0, 0, 25),
    _real("shift", 1.0, 0.1, 8),
    _real("stage_2_guidance", 1.0, 0, 25),
    _real("stage_2_shift", 1.0, 0.1, 5),
    Parameter("loras", "Array", []),
    Parameter("controls", "Array", []),
    _real("stochastic_sampling_gamma", 0.3, 0, 1),
    _flag("preserve_original_after_inpaint", True),
    _flag("tiled_diffusion"),
    _whole("diffusion_tile_width", 1024, 128, 2048),
    _whole("diffusion_tile_height", 1024, 128, 2048),
    _whole("diffusion_tile_overlap", 128, 64, 1024),
    _text("upscaler"),
    _whole("upscaler_scale", 0, 0, 4, "upscaler_scale_factor"),
    _flag("t5_text_encoder_decoding", True),
    _flag("separate_clip_l"),
    _text("clip_l_text"),
    _flag("separate_open_clip_g"),
    _text("open_clip_g_text"),
    _flag("speed_up_with_guidance_embed", True),
    _real("guidance_embed", 3.5, 0, 25),
    _flag("resolution_dependent_shift", True),
    _whole("tea_cache_start", 5, 0, 1000),
    _whole("tea_cache_end", 0, 0, 1000),
    _real("tea_cache_threshold", 0.06, 0, 1),
    _whole("tea_cache_max_skip_steps", 3, 1, 1000),
    _flag("tea_cache"),
    _flag("separate_t5"),
    _text("t5_text"),
    _whole("causal_inference", 0, 0, 1000),
)


def read_body(raw: bytes, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter by its own key, plus `restore_faces`, and `init_images` where given.

    Raises RefusedError (422) for the first mistake; keys that nothing knows come last.
    """
    try:
        body = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise refuse('dataCorrupted(Swift.DecodingError.Context(codingPath: [], debugDescription: "The given data '
                     'was not valid JSON."))') from error  # fmt: skip
    if not isinstance(body, dict):
        raise _mismatch("Dictionary<String, Any>", "")
    values: dict[str, Any] = {"restore_faces": _read("restore_faces", "Bool", body.get("restore_faces")) or False}
    if "init_images" in body:
        values["init_images"] = _read_images(body["init_images"])
    known = set(OTHER_KEYS)
    for parameter in PARAMETERS:
        spellings = (parameter.key, *parameter.aliases)
        present = [key for key in spellings if key in body]
        if len(present) > 1:
            names = quoted(spellings)
            raise refuse(f"More than one key for {parameter.title} specified (must only specify one of {names})")
        values[parameter.key] = defaults[parameter.key]
        if present:
            known.add(present[0])
            values[parameter.key] = _value(parameter, present[0], body[present[0]], defaults[parameter.key])
    if unknown := [key for key in body if key not in known]:
        raise refuse(f"Unrecognized keys: {quoted(unknown)}")
    return values


def refuse(detail: str) -> RefusedError:
    """Every failure is a 422."""
    return RefusedError(422, detail)


def quoted(names: Any) -> str:
    """A list as its language prints it."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _value(parameter: Parameter, key: str, value: Any, default: Any) -> Any:
    if parameter.kind == "Choice":
        if not isinstance(value, str):
            raise _mismatch("String", key)
        if value not in parameter.choices:
            raise refuse(f"Invalid value for {key} (options: {quoted(parameter.choices)})")
        return value
    read = _read(key, parameter.kind, value)
    if read is None:
        return None if parameter.kind == "String" else default
    if parameter.kind in ("Int", "Double") and not parameter.low <= read <= parameter.high:
        low, high = (int if parameter.kind == "Int" else float)(parameter.low), parameter.high
        high = int(high) if parameter.kind == "Int" else float(high)
        raise refuse(f"Value for {parameter.title} must be between {low} and {high}, inclusive (was {read})")
    return read


def _read(key: str, kind: str, value: Any) -> Any:
    """The value as that type; null stays None."""
    if value is None:
        return None
    wanted: Any = {"String": str, "Bool": bool, "Array": list}.get(kind, (int, float))
    if not isinstance(value, wanted) or (kind in ("Int", "Double") and isinstance(value, bool)):
        raise _mismatch(kind, key)
    if kind == "Int":
        if isinstance(value, float) and not value.is_integer():
            raise refuse(f"dataCorrupted(Parsed JSON number <{value}> does not fit in Int.)")
        return int(value)
    return float(value) if kind == "Double" else value


def _read_images(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _mismatch("Array<Data>", "init_images")
    return value


def _mismatch(kind: str, key: str) -> RefusedError:
    path = f'[JSONKey(stringValue: "{key}")]' if key else "[]"
    return refuse(f"typeMismatch(Swift.{kind}, Swift.DecodingError.Context(codingPath: {path}))")
