"""ControlNet: Mikubill's extension for A1111, and the one built into Forge and reForge. Blocking: Pillow. No HTTP.

Source: section 8 of the contract. A unit that fails is forgotten: the picture comes without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from PIL import Image, ImageFilter, ImageOps

from playground.webui.controlnet_lists import FORGE_MODULES, MIKUBILL_MODULES, MODELS, Preprocessor
from playground.webui.errors import CrashError, InvalidError, RefusedError
from playground.webui.fields import Field, read_model
from playground.webui.images import decode_input
from playground.webui.inpaint import fit

TITLE = "controlnet"
UNITS = 3
RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill")
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
_HR_OPTIONS = ("Both", "Low res only", "High res only")

_UNIT = (
    Field("enabled", "bool", False, nullable=False),
    Field("module", "str", "none", nullable=False),
    Field("model", "str", "None", nullable=False),
    Field("weight", "float", 1.0, nullable=False, low=0, high=2),
    Field("image", "any"),
    Field("resize_mode", "any", RESIZE_MODES[1]),
    Field("processor_res", "int", -1, nullable=False),
    Field("threshold_a", "float", -1, nullable=False),
    Field("threshold_b", "float", -1, nullable=False),
    Field("guidance_start", "float", 0.0, nullable=False, low=0, high=1),
    Field("guidance_end", "float", 1.0, nullable=False, low=0, high=1),
    Field("pixel_perfect", "bool", False, nullable=False),
    Field("control_mode", "any", CONTROL_MODES[0]),
    Field("hr_option", "str", "Both", nullable=False, choices=_HR_OPTIONS),
    Field("save_detected_map", "bool", True, nullable=False),
)
_SAID = (
    ("Module", "module"),
    ("Model", "model"),
    ("Weight", "weight"),
    ("Resize Mode", "resize_mode"),
    ("Processor Res", "processor_res"),
    ("Threshold A", "threshold_a"),
    ("Threshold B", "threshold_b"),
    ("Guidance Start", "guidance_start"),
    ("Guidance End", "guidance_end"),
    ("Pixel Perfect", "pixel_perfect"),
    ("Control Mode", "control_mode"),
)
_DEFAULTS = {"processor_res": 512, "threshold_a": 0.5, "threshold_b": 0.5}


@dataclass(frozen=True, slots=True)
class DetectedMap:
    """A preprocessor's picture that goes back with the others: drawn when it is needed."""

    module: str
    image: Image.Image
    size: tuple[int, int]
    resize_mode: int

    def draw(self) -> Image.Image:
        """The map in the generation's size."""
        return detect(self.module, fit(self.image.convert("RGB"), self.size, self.resize_mode))


@dataclass(frozen=True, slots=True)
class Controlled:
    """What ControlNet did: pairs for the infotext, and maps."""

    pairs: dict[str, Any] = field(default_factory=dict)
    maps: list[DetectedMap] = field(default_factory=list)


def detect(module: str, image: Image.Image) -> Image.Image:
    """A picture that looks like the preprocessor's: edges, a pose's black ground, grey for depth, or the image."""
    name = module.lower()
    grey = image.convert("L")
    if name == "none" or "tile" in name or "inpaint" in name or "reference" in name:
        return image.convert("RGB")
    if "depth" in name:
        return ImageOps.autocontrast(grey.filter(ImageFilter.GaussianBlur(4))).convert("RGB")
    edges = grey.filter(ImageFilter.FIND_EDGES).point([0] * 64 + [255] * 192)
    return edges.convert("RGB")


class ControlNet:
    """Mikubill's extension, 1.1.4xx."""

    modules: ClassVar[Sequence[Preprocessor]] = MIKUBILL_MODULES
    fields: ClassVar[tuple[Field, ...]] = _UNIT
    images: ClassVar[tuple[str, ...]] = ("image", "input_image")  # the second is deprecated
    numbers: ClassVar[bool] = False  # resize_mode and control_mode as numbers, too
    has_detail: ClassVar[bool] = True  # /module_list with module_detail; also /version and /settings
    unit_decides: ClassVar[bool] = True  # save_detected_map counts
    returns_maps: ClassVar[bool] = True

    def find(self, name: str) -> Preprocessor | None:
        """The preprocessor of exactly that name."""
        return next((module for module in self.modules if module.name == name), None)

    def run(self, args: Sequence[Any], init: Image.Image | None, size: tuple[int, int], *, no_maps: bool) -> Controlled:
        """What the enabled and valid units do to a picture of that size. Blocking: it decodes images.

        `no_maps` is the option control_net_no_detectmap.
        """
        done = Controlled()
        for index, raw in enumerate(args[:UNITS]):
            unit = self._valid(raw) if isinstance(raw, dict) else None
            image = None if unit is None else self._image(raw, init)
            if unit is None or image is None:
                continue
            done.pairs[f"ControlNet {index}"] = self._said(unit)
            module = self.find(unit["module"])
            wanted = unit["save_detected_map"] or not self.unit_decides
            if self.returns_maps and wanted and not no_maps and module is not None and module.image:
                mode = RESIZE_MODES.index(unit["resize_mode"])
                done.maps.append(DetectedMap(module.name, image, size, mode))
        return done

    def _valid(self, raw: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            unit = read_model(self.fields, raw)
        except InvalidError:
            return None
        unit["resize_mode"] = self._word(unit["resize_mode"], RESIZE_MODES)
        unit["control_mode"] = self._word(unit["control_mode"], CONTROL_MODES)
        module = self.find(unit["module"])
        if not unit["enabled"] or module is None or None in (unit["resize_mode"], unit["control_mode"]):
            return None
        if unit["model"] not in MODELS and not (module.model_free and unit["model"] == "None"):
            return None
        return unit if unit["guidance_start"] <= unit["guidance_end"] else None

    def _word(self, value: Any, words: tuple[str, ...]) -> str | None:
        if self.numbers and isinstance(value, int) and 0 <= value < len(words):
            return words[value]
        return value if value in words else None

    def _image(self, raw: Mapping[str, Any], init: Image.Image | None) -> Image.Image | None:
        given = next((raw[key] for key in self.images if raw.get(key)), None)
        if isinstance(given, dict):
            given = given.get("image")
        if isinstance(given, list) and given:
            given = given[0]
        if given is None:
            return init
        try:
            return decode_input(given) if isinstance(given, str) else None
        except (RefusedError, CrashError):
            return None

    def _said(self, unit: Mapping[str, Any]) -> str:
        known = {**unit, **{key: value for key, value in _DEFAULTS.items() if unit[key] < 0}}
        return ", ".join(f"{label}: {known[key]}" for label, key in _SAID)


class BuiltInControlNet(ControlNet):
    """Forge's own: units are on unless they say otherwise, numbers name modes, an option alone decides on maps."""

    modules = FORGE_MODULES
    fields = (
        replace(_UNIT[0], default=True),
        replace(_UNIT[1], default="None"),
        *_UNIT[2:],
    )
    images = ("image",)
    numbers = True
    has_detail = False
    unit_decides = False


class SilentControlNet(BuiltInControlNet):
    """reForge's: its maps never leave the server over the API."""

    returns_maps = False
