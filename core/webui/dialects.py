"""What each kind of webui calls each thing in the JSON of txt2img, img2img and extra-single-image.

Data; contract sections 1.2, 1.9, 2 and 5.

A webui is known by what it answered (core.webui.probing); this table says how to speak to it. A line says under which
key those whose letters stand there take a thing: A1111 and reForge, Forge, SD.Next (N), stable-diffusion.cpp,
KoboldCpp, Draw Things. Where a letter is missing, it can't be said. `@key`: in `override_settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal


class Speech(StrEnum):
    """Ways of speaking, by the server that has them first."""

    A1111 = "a1111"
    FORGE = "forge"
    SDNEXT = "sdnext"
    SDCPP = "sdcpp"
    KOBOLD = "kobold"
    DRAWTHINGS = "drawthings"


# fmt: off
_TABLE: Final[tuple[tuple[str, str, str], ...]] = (
    # what it is                 its key                        who takes it
    ("prompt",                   "prompt",                       "A F N S K D"),
    ("negative_prompt",          "negative_prompt",              "A F N S K D"),
    ("styles",                   "styles",                       "A F N"),
    ("seed",                     "seed",                         "A F N S K D"),
    ("subseed",                  "subseed",                      "A F N"),
    ("subseed_strength",         "subseed_strength",             "A F N"),
    ("width",                    "width",                        "A F N S K D"),
    ("height",                   "height",                       "A F N S K D"),
    ("steps",                    "steps",                        "A F N S K D"),
    ("cfg_scale",                "cfg_scale",                    "A F N S K D"),
    ("distilled_cfg",            "distilled_cfg_scale",          "  F"),
    ("distilled_cfg",            "distilled_guidance",           "        K"),
    ("sampler",                  "sampler_name",                 "A F N S K D"),
    ("scheduler",                "scheduler",                    "A F   S K"),
    ("eta",                      "eta",                          "A F N   K"),
    ("clip_skip",                "@CLIP_stop_at_last_layers",    "A F"),
    ("clip_skip",                "clip_skip",                    "    N S K D"),
    ("checkpoint",               "@sd_model_checkpoint",         "A F N"),
    ("vae",                      "@sd_vae",                      "A   N"),
    ("modules",                  "@forge_additional_modules",    "  F"),
    ("tiling",                   "tiling",                       "A F N"),
    ("restore_faces",            "restore_faces",                "A F       D"),
    ("refiner_checkpoint",       "refiner_checkpoint",           "A F"),
    ("refiner_switch_at",        "refiner_switch_at",            "A F"),
    ("hires_scale",              "hr_scale",                     "A F N S"),
    ("hires_upscaler",           "hr_upscaler",                  "A F N S"),
    ("hires_steps",              "hr_second_pass_steps",         "A F N"),
    ("hires_steps",              "hr_steps",                     "      S"),
    ("hires_denoising_strength", "denoising_strength",           "A F   S"),
    ("hires_denoising_strength", "hr_denoising_strength",        "    N"),
    ("hires_sampler",            "hr_sampler_name",              "A F N"),
    ("hires_scheduler",          "hr_scheduler",                 "A F"),
    ("image",                    "init_images",                  "A F N S K D"),
    ("denoising_strength",       "denoising_strength",           "A F N S K"),
    ("denoising_strength",       "strength",                     "          D"),
    ("resize_mode",              "resize_mode",                  "A F N"),
    ("mask",                     "mask",                         "A F N S K"),
    ("mask_blur",                "mask_blur",                    "A F N"),
    ("inpaint_area",             "inpaint_full_res",             "A F N"),
    ("inpaint_padding",          "inpaint_full_res_padding",     "A F N"),
    ("masked_content",           "inpainting_fill",              "A F"),
    ("mask_invert",              "inpainting_mask_invert",       "A F N S K"),
    ("task_id",                  "force_task_id",                "A F"),
    ("upscale_factor",           "upscaling_resize",             "A F N   K"),
    ("upscale_width",            "upscaling_resize_w",           "A F N"),
    ("upscale_height",           "upscaling_resize_h",           "A F N"),
    ("upscaler",                 "upscaler_1",                   "A F N"),
    ("upscaler_2",               "upscaler_2",                   "A F N"),
    ("upscaler_2_visibility",    "extras_upscaler_2_visibility", "A F N"),
    ("gfpgan",                   "gfpgan_visibility",            "A F"),
    ("codeformer",               "codeformer_visibility",        "A F"),
    ("codeformer_weight",        "codeformer_weight",            "A F"),
)
# fmt: on


_RESIZE_MODES: Final[Mapping[str, int]] = MappingProxyType({"stretch": 0, "crop": 1, "fill": 2, "latent": 3})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to speak to one kind of webui. `keys`: our fields and its keys.

    `always` goes with every request, `hires` with a second pass, `image` with an image, `inpaint` with a mask: what the
    API would take otherwise is not what its page takes. `resize_modes` are its numbers for ours. `loras` are tags in
    the prompt, or an array of paths. `exact_image`: an image has to have the picture's size.
    """

    keys: Mapping[str, str]
    always: Mapping[str, Any] = field(default_factory=dict)
    hires: Mapping[str, Any] = field(default_factory=dict)
    image: Mapping[str, Any] = field(default_factory=dict)
    inpaint: Mapping[str, Any] = field(default_factory=dict)
    resize_modes: Mapping[str, int] = field(default_factory=lambda: _RESIZE_MODES)
    loras: Literal["tags", "array"] | None = "tags"
    exact_image: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a request that can be said, some in a round-about way."""
        more = {"vae"} if "modules" in self.keys else set()
        more |= {"face_fix"} if "restore_faces" in self.keys else set()
        more |= set() if self.loras is None else {"loras"}
        more |= {"tags_alone"} if self.loras == "tags" else set()  # else nothing would be left of such a prompt
        more |= {"resize_latent"} if "resize_mode" in self.keys and "latent" in self.resize_modes else set()
        return frozenset(self.keys) | more


_A_ALWAYS: Final = {"send_images": True, "save_images": False}
# Forge ends a second pass with an error without the first, and draws it at CFG 1 without `hr_cfg` (contract 0.8); the
# others of its family ignore what they don't know.
# Without a strength Forge and reForge fail in the second pass, too; 0.7 is where the page's slider stands.
_A_HIRES: Final = {"enable_hr": True, "hr_additional_modules": ["Use same choices"], "denoising_strength": 0.7}
_A_INPAINT: Final = {"inpainting_fill": 1, "inpaint_full_res": False, "inpaint_full_res_padding": 32}
_SDNEXT_HIRES: Final = {"enable_hr": True, "hr_resize_mode": 1, "hr_force": True, "hr_denoising_strength": 0.7}
# Its 0, which its API takes where nothing is said, leaves an image and with it the picture in the image's own size.
_SDNEXT_RESIZE_MODES: Final = {"stretch": 1, "crop": 2, "fill": 3}
_SDCPP_HIRES: Final = {"enable_hr": True, "denoising_strength": 0.7}


def _keys(letter: str) -> Mapping[str, str]:
    return MappingProxyType({name: key for name, key, who in _TABLE if letter in who})


DIALECTS: Final[Mapping[Speech, Dialect]] = MappingProxyType(
    {
        Speech.A1111: Dialect(keys=_keys("A"), always=_A_ALWAYS, hires=_A_HIRES, inpaint=_A_INPAINT),
        Speech.FORGE: Dialect(keys=_keys("F"), always=_A_ALWAYS, hires=_A_HIRES, inpaint=_A_INPAINT),
        Speech.SDNEXT: Dialect(
            keys=_keys("N"),
            always=_A_ALWAYS,
            hires=_SDNEXT_HIRES,
            image={"resize_mode": _SDNEXT_RESIZE_MODES["stretch"]},
            inpaint={"inpaint_full_res_padding": 32},
            resize_modes=_SDNEXT_RESIZE_MODES,
        ),
        Speech.SDCPP: Dialect(keys=_keys("S"), hires=_SDCPP_HIRES, loras="array"),
        Speech.KOBOLD: Dialect(keys=_keys("K")),
        Speech.DRAWTHINGS: Dialect(keys=_keys("D"), loras=None, exact_image=True),
    }
)

OVERRIDE_KEYS: Final = frozenset(key[1:] for _, key, _ in _TABLE if key.startswith("@"))
"""The only options of a webui that a request may override: any other key could change files on its machine."""

LASTING_KEYS: Final = frozenset(
    {"sd_model_checkpoint", "sd_vae", "forge_additional_modules", "CLIP_stop_at_last_layers"}
)
"""The only options of a webui that are ever set for good, by an admin: see core.webui.options."""
