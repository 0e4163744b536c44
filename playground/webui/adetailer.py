"""The ADetailer extension: its models, its schema, and what its always-on script makes of its arguments. No HTTP.

Source: section 8 of the contract. A unit with a key that is not in the schema counts for nothing, and nobody is told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from playground.webui.errors import InvalidError
from playground.webui.fields import Field, read_model

TITLE = "adetailer"
VERSION = "25.3.0"
MODELS = (
    "face_yolov8n.pt",
    "face_yolov8s.pt",
    "hand_yolov8n.pt",
    "person_yolov8n-seg.pt",
    "mediapipe_face_full",
    "mediapipe_face_mesh",
)
_UNITS = 4
_ORDINALS = ("", " 2nd", " 3rd", " 4th")


def _fraction(name: str, default: float) -> Field:
    return Field(name, "float", default, nullable=False, low=0, high=1)


def _switch(name: str, default: bool = False) -> Field:
    return Field(name, "bool", default, nullable=False)


def _text(name: str, default: str = "") -> Field:
    return Field(name, "str", default, nullable=False)


def _count(name: str, default: int, low: int | None = 0) -> Field:
    return Field(name, "int", default, nullable=False, low=low)


FIELDS = (
    _text("ad_model", "None"),
    _text("ad_model_classes"),
    _switch("ad_tab_enable", True),
    _text("ad_prompt"),
    _text("ad_negative_prompt"),
    _fraction("ad_confidence", 0.3),
    Field("ad_mask_filter_method", "str", "Area", nullable=False, choices=("Area", "Confidence")),
    _count("ad_mask_k", 0),
    _fraction("ad_mask_min_ratio", 0.0),
    _fraction("ad_mask_max_ratio", 1.0),
    _count("ad_dilate_erode", 4, None),
    _count("ad_x_offset", 0, None),
    _count("ad_y_offset", 0, None),
    Field("ad_mask_merge_invert", "str", "None", nullable=False, choices=("None", "Merge", "Merge and Invert")),
    _count("ad_mask_blur", 4),
    _fraction("ad_denoising_strength", 0.4),
    _switch("ad_inpaint_only_masked", True),
    _count("ad_inpaint_only_masked_padding", 32),
    _switch("ad_use_inpaint_width_height"),
    _count("ad_inpaint_width", 512, 1),
    _count("ad_inpaint_height", 512, 1),
    _switch("ad_use_steps"),
    _count("ad_steps", 28, 1),
    _switch("ad_use_cfg_scale"),
    Field("ad_cfg_scale", "float", 7.0, nullable=False, low=0),
    _switch("ad_use_checkpoint"),
    Field("ad_checkpoint", "str"),
    _switch("ad_use_vae"),
    Field("ad_vae", "str"),
    _switch("ad_use_sampler"),
    _text("ad_sampler", "DPM++ 2M Karras"),
    _text("ad_scheduler", "Use same scheduler"),
    _switch("ad_use_noise_multiplier"),
    Field("ad_noise_multiplier", "float", 1.0, nullable=False, low=0.5, high=1.5),
    _switch("ad_use_clip_skip"),
    Field("ad_clip_skip", "int", 1, nullable=False, low=1, high=12),
    _switch("ad_restore_face"),
    _text("ad_controlnet_model", "None"),
    _text("ad_controlnet_module", "None"),
    _fraction("ad_controlnet_weight", 1.0),
    _fraction("ad_controlnet_guidance_start", 0.0),
    _fraction("ad_controlnet_guidance_end", 1.0),
    _switch("is_api", True),
)
_KNOWN = frozenset(field.name for field in FIELDS)
_ALWAYS_SAID = (
    ("ad_model", "model"),
    ("ad_confidence", "confidence"),
    ("ad_dilate_erode", "dilate erode"),
    ("ad_mask_blur", "mask blur"),
    ("ad_denoising_strength", "denoising strength"),
)
_SAID_WHERE_CHANGED = (
    ("ad_prompt", "prompt"),
    ("ad_negative_prompt", "negative prompt"),
    ("ad_mask_k", "mask only top k"),
    ("ad_mask_min_ratio", "mask min ratio"),
    ("ad_mask_max_ratio", "mask max ratio"),
    ("ad_restore_face", "restore face"),
)
_SEPARATE = (
    ("ad_use_steps", "use separate steps", "ad_steps", "steps"),
    ("ad_use_cfg_scale", "use separate CFG scale", "ad_cfg_scale", "CFG scale"),
    ("ad_use_checkpoint", "use separate checkpoint", "ad_checkpoint", "checkpoint"),
    ("ad_use_sampler", "use separate sampler", "ad_sampler", "sampler"),
    ("ad_use_clip_skip", "use separate CLIP skip", "ad_clip_skip", "CLIP skip"),
)
_JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def schema() -> dict[str, Any]:
    """The JSON Schema of one unit, as GET /adetailer/v1/schema gives it."""
    return {
        "title": "ADetailerArgs",
        "type": "object",
        "properties": {field.name: _property(field) for field in FIELDS},
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    limits = {"minimum": field.low, "maximum": field.high}
    return {
        "title": field.name.replace("_", " ").title(),
        "default": field.default,
        "type": _JSON_TYPES[field.kind],
        **{key: value for key, value in limits.items() if value is not None},
        **({"enum": list(field.choices)} if field.choices else {}),
    }


def pairs_of(args: Sequence[Any]) -> dict[str, Any]:
    """What the infotext says of the units that are on and valid; {} when nothing is done."""
    switches = [arg for arg in args[:2] if isinstance(arg, bool)]
    if switches and not switches[0]:
        return {}
    units = [arg for arg in args if isinstance(arg, dict)][:_UNITS]
    pairs: dict[str, Any] = {}
    for index, raw in enumerate(units):
        unit = _valid(raw)
        if unit is not None:
            pairs |= {f"ADetailer {key}{_ORDINALS[index]}": value for key, value in _said(unit).items()}
    if pairs:
        pairs["ADetailer version"] = VERSION
    return pairs


def _valid(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    if not set(raw) <= _KNOWN:
        return None
    try:
        unit = read_model(FIELDS, raw)
    except InvalidError:
        return None
    return unit if unit["ad_tab_enable"] and unit["ad_model"] in MODELS else None


def _said(unit: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in FIELDS}
    said = {label: unit[key] for key, label in _ALWAYS_SAID}
    said |= {label: unit[key] for key, label in _SAID_WHERE_CHANGED if unit[key] != defaults[key]}
    if unit["ad_inpaint_only_masked"]:
        said |= {"inpaint only masked": True, "inpaint padding": unit["ad_inpaint_only_masked_padding"]}
    for switch, switch_label, key, label in _SEPARATE:
        if unit[switch]:
            said |= {switch_label: True, label: unit[key]}
    return said
