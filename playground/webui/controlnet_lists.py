"""The preprocessors, models and control types that the local ControlNets have. Data and its lookup only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """A preprocessor ("module"). `model_free` ones work without a model; `image` says whether a map comes out of it."""

    name: str
    model_free: bool = False
    image: bool = True
    sliders: tuple[str, ...] = ("Resolution",)

    def detail(self) -> dict[str, Any]:
        """The item of `module_detail`."""
        return {"model_free": self.model_free, "sliders": [_slider(name) for name in self.sliders]}


def _slider(name: str) -> dict[str, Any]:
    if name == "Resolution":
        return {"name": name, "value": 512, "min": 64, "max": 2048, "step": 8}
    return {"name": name, "value": 100 if name == "Low Threshold" else 200, "min": 1, "max": 255, "step": 1}


_CANNY = ("Resolution", "Low Threshold", "High Threshold")

MIKUBILL_MODULES = (
    Preprocessor("none", sliders=()),
    Preprocessor("canny", sliders=_CANNY),
    Preprocessor("depth_midas"),
    Preprocessor("depth_anything_v2"),
    Preprocessor("openpose"),
    Preprocessor("openpose_full"),
    Preprocessor("dw_openpose_full"),
    Preprocessor("lineart_realistic"),
    Preprocessor("lineart_anime"),
    Preprocessor("softedge_pidinet"),
    Preprocessor("scribble_pidinet"),
    Preprocessor("tile_resample", sliders=()),
    Preprocessor("inpaint_only", sliders=()),
    Preprocessor("reference_only", model_free=True, sliders=()),
    Preprocessor("ip-adapter-auto", image=False, sliders=()),
)

FORGE_MODULES = (
    Preprocessor("None"),
    Preprocessor("canny"),
    Preprocessor("depth_midas"),
    Preprocessor("depth_anything_v2"),
    Preprocessor("openpose_full"),
    Preprocessor("lineart_realistic"),
    Preprocessor("lineart_anime"),
    Preprocessor("softedge_pidinet"),
    Preprocessor("scribble_pidinet"),
    Preprocessor("tile_resample"),
    Preprocessor("inpaint_only"),
    Preprocessor("reference_only", model_free=True),
    Preprocessor("CLIP-ViT-H (IPAdapter)", image=False),
    Preprocessor("InsightFace+CLIP-H (IPAdapter)", image=False),
)

MODELS = (
    "control_v11p_sd15_canny [d14c016b]",
    "control_v11f1p_sd15_depth [cfd03158]",
    "diffusers_xl_depth_full [2f51180b]",
    "control_v11p_sd15_openpose [cab727d4]",
    "control_v11p_sd15_lineart [43d4be0d]",
    "control_v11p_sd15_softedge [a8575a2a]",
    "control_v11p_sd15_scribble [d4ba51ff]",
    "control_v11f1e_sd15_tile [a371b31b]",
    "control_v11p_sd15_inpaint [ebff9138]",
    "ip-adapter_sd15 [6a3f6166]",
)

# A type's name, and the word that its preprocessors and models have in their names.
_TYPES = {
    "Canny": "canny",
    "Depth": "depth",
    "OpenPose": "openpose",
    "Lineart": "lineart",
    "SoftEdge": "softedge",
    "Scribble": "scribble",
    "Tile": "tile",
    "Inpaint": "inpaint",
    "Reference": "reference",
    "IP-Adapter": "adapter",
}


def control_types(modules: Sequence[Preprocessor]) -> dict[str, Any]:
    """The object under `control_types`: for each type what fits it, and what is taken first."""
    none = modules[0].name
    everything = [module.name for module in modules]
    types = {"All": _type(everything, list(MODELS), none, "None")}
    for label, word in _TYPES.items():
        fitting = [name for name in everything if word in name.lower().replace("-", "") or word in name.lower()]
        models = [name for name in MODELS if word in name]
        types[label] = _type([none, *fitting], models, fitting[0] if fitting else none, models[0] if models else "None")
    return types


def _type(modules: list[str], models: list[str], option: str, model: str) -> dict[str, Any]:
    return {
        "module_list": modules,
        "model_list": ["None", *models],
        "default_option": option,
        "default_model": model,
    }
