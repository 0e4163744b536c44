"""The fields of SD.Next's requests and what a fresh SD.Next has: samplers, upscalers, options. Data only."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from playground.webui.catalog import UPSCALERS, Checkpoint, Upscaler
from playground.webui.fields import Field
from playground.webui.flavour import Flavour
from playground.webui.options import DEFAULTS
from playground.webui.sampling import Sampler

_COMMON = (
    Field("prompt", "str", ""),
    Field("negative_prompt", "str", ""),
    Field("styles", "list"),
    Field("seed", "int", -1),
    Field("subseed", "int", -1),
    Field("subseed_strength", "float", 0),
    Field("seed_resize_from_h", "int", -1),
    Field("seed_resize_from_w", "int", -1),
    Field("batch_size", "int", 1),
    Field("n_iter", "int", 1),
    Field("steps", "int", 20),
    Field("clip_skip", "int", 1),
    Field("width", "int", 1024),
    Field("height", "int", 1024),
    Field("cfg_scale", "float", 6.0),
    Field("cfg_end", "float", 1.0),
    Field("image_cfg_scale", "float"),
    Field("eta", "float"),
    Field("tiling", "bool", False),
    Field("hidiffusion", "bool", False),
    Field("detailer_enabled", "bool", False),
    Field("detailer_prompt", "str", ""),
    Field("detailer_negative", "str", ""),
    Field("detailer_steps", "int", 10),
    Field("detailer_strength", "float", 0.3),
    Field("sd_model_checkpoint", "str"),
    Field("override_settings", "dict", {}),
    Field("override_settings_restore_afterwards", "bool", True),
    Field("enable_hr", "bool", False),
    Field("hr_scale", "float", 2.0),
    Field("hr_force", "bool", False),
    Field("hr_resize_mode", "int", 0),
    Field("hr_upscaler", "str"),
    Field("hr_second_pass_steps", "int", 0),
    Field("hr_resize_x", "int", 0),
    Field("hr_resize_y", "int", 0),
    Field("hr_denoising_strength", "float", 0.0),
    Field("hr_sampler_name", "str", "Same as primary"),
    Field("refiner_steps", "int", 5),
    Field("refiner_start", "float", 0),
    Field("refiner_prompt", "str", ""),
    Field("refiner_negative", "str", ""),
    Field("sampler_index", "any", 0),
)
_SCRIPTS = (
    Field("script_name", "str", ""),
    Field("script_args", "list", [], nullable=False),
    Field("send_images", "bool", True, nullable=False),
    Field("save_images", "bool", False, nullable=False),
    Field("alwayson_scripts", "dict", {}, nullable=False),
)

SDNEXT_TXT2IMG = (
    *_COMMON,
    Field("sampler_name", "str", "Default"),
    Field("denoising_strength", "float", 0.3),
    *_SCRIPTS,
)
SDNEXT_IMG2IMG = (
    *_COMMON,
    Field("sampler_name", "str", "UniPC"),
    Field("init_images", "list"),
    Field("denoising_strength", "float", 0.5, nullable=False),
    Field("resize_mode", "int", 0),
    Field("mask", "str"),
    Field("mask_blur", "int", 4),
    Field("inpaint_full_res", "bool", False),
    Field("inpaint_full_res_padding", "int", 0),
    Field("inpainting_fill", "int", 1),
    Field("inpainting_mask_invert", "int", 0),
    Field("include_init_images", "bool", False),
    *_SCRIPTS,
)
SDNEXT_EXTRAS = (
    Field("resize_mode", "float", 0, nullable=False),
    Field("show_extras_results", "bool", True, nullable=False),
    Field("upscaling_resize", "float", 2, nullable=False, low=1, high=8),
    Field("upscaling_resize_w", "int", 512, nullable=False, low=1),
    Field("upscaling_resize_h", "int", 512, nullable=False, low=1),
    Field("upscaling_crop", "bool", True, nullable=False),
    Field("upscaler_1", "str", "None", nullable=False),
    Field("upscaler_2", "str", "None", nullable=False),
    Field("extras_upscaler_2_visibility", "float", 0, nullable=False, low=0, high=1),
    Field("image", "str", "", nullable=False),
)
SDNEXT_CAPTION = (
    Field("backend", "str", "", nullable=False, choices=("openclip", "tagger", "vlm", "analyze")),
    Field("image", "str", "", nullable=False),
    Field("model", "str"),
)
SDNEXT_IMAGE = (Field("image", "str", "", nullable=False), Field("model", "str"))

NEEDED = ("prompt", "negative_prompt", "steps", "width", "height", "batch_size", "n_iter", "cfg_scale", "clip_skip")
"""The fields for which null passes validation and is a TypeError afterwards."""

SAMPLER_CLASSES: dict[str, str] = {
    "UniPC": "UniPCMultistepScheduler",
    "DEIS": "DEISMultistepScheduler",
    "DPM++": "DPMSolverSinglestepScheduler",
    "DPM++ 2M": "DPMSolverMultistepScheduler",
    "DPM++ 2M SDE": "DPMSolverMultistepScheduler",
    "DPM++ SDE": "DPMSolverSDEScheduler",
    "Euler": "EulerDiscreteScheduler",
    "Euler a": "EulerAncestralDiscreteScheduler",
    "Heun": "HeunDiscreteScheduler",
    "LCM": "LCMScheduler",
    "DDIM": "DDIMScheduler",
    "PNDM": "PNDMScheduler",
    "LMSD": "LMSDiscreteScheduler",
    "KDPM2": "KDPM2DiscreteScheduler",
    "KDPM2 a": "KDPM2AncestralDiscreteScheduler",
}
SAMPLER_ALIASES = {"euler_a": "Euler a", "dpmpp_2m": "DPM++ 2M", "dpmpp_2m_sde": "DPM++ 2M SDE", "unipc": "UniPC"}
DEFAULT_SAMPLER = "Default"


class SdNextFlavour(Flavour):
    """What a fresh SD.Next starts with. `server_rate_limit` is off here, 300 on a real one."""

    samplers: ClassVar[Sequence[Sampler]] = tuple(
        Sampler(name, (), {"prediction_type": "epsilon"}) for name in SAMPLER_CLASSES
    )
    defaults: ClassVar[Mapping[str, Any]] = {
        **DEFAULTS,
        "samples_format": "jpg",
        "jpeg_quality": 90,
        "keep_incomplete": True,
        "server_rate_limit": 0,
        "detailer_models": ["face-yolo8n"],
        "sd_text_encoder": "Default",
    }
    checks_nans = False


SDNEXT_UPSCALERS: tuple[Upscaler, ...] = (
    *UPSCALERS,
    Upscaler("Latent Nearest", scale=1.0),
    Upscaler("Latent Bicubic", scale=1.0),
)


class SdNextCheckpoint(Checkpoint):
    """A checkpoint as SD.Next names it: no extension anywhere but in the path."""

    @property
    def title(self) -> str:
        """What `/sd-models` calls it now."""
        return f"{self.stem} [{self.short_hash}]" if self.hashed else self.stem

    @property
    def path(self) -> str:
        """Where the file is."""
        return str(Checkpoint.as_json(self)["filename"])

    def names(self) -> set[str]:
        """Every spelling it goes by, its path among them."""
        return {*Checkpoint.names(self), self.path}

    def as_json(self) -> dict[str, Any]:
        """The item of `GET /sdapi/v1/sd-models`."""
        return {**Checkpoint.as_json(self), "type": "safetensors"}
