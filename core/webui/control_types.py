"""What a webui's ControlNet can be asked for: its types, each with a preprocessor and models. Reads JSON; pure.

A type is what people say ("depth"); module and model are what a unit names (contract, section 8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import Any, Final

from core.families.bases import told_base

SCRIPT: Final = "controlnet"
"""Its title among a webui's scripts."""
_EVERYTHING = "all"
_NOTHING = "none"
_SHORTEST = 3
"""Letters of a type's name that are enough where no other one has them."""
_WORDS: Final = {
    "Canny": "canny",
    "Depth": "depth",
    "OpenPose": "openpose",
    "Lineart": "lineart",
    "SoftEdge": "softedge",
    "Scribble": "scribble",
    "Tile": "tile",
    "NormalMap": "normal",
    "MLSD": "mlsd",
    "Segmentation": "seg",
    "Shuffle": "shuffle",
    "Inpaint": "inpaint",
    "Reference": "reference",
    "Recolor": "recolor",
    "IP-Adapter": "ipadapter",
}
"""Types, and what is in the names of their modules and models: for a webui that doesn't say it."""
_FREE = ("reference", "revision")
"""Modules that need no model, for a webui that doesn't say it."""


@dataclass(frozen=True, slots=True)
class ControlType:
    """One type. `module` is its preprocessor, `unprocessed` the one that leaves an image as it is.

    `models` are those that fit, the webui's own choice first; none where the module works without.
    """

    name: str
    module: str
    models: tuple[str, ...] = ()
    unprocessed: str = _NOTHING


def find_control_type(types: Iterable[ControlType], wanted: str) -> ControlType | None:
    """The type of that name, any case, hyphens or none; else the only one that has it in its name ("pose")."""
    folded = _fold(wanted)
    within: list[ControlType] = []
    for one in types:
        name = _fold(one.name)
        if name == folded:
            return one
        if len(folded) >= _SHORTEST and folded in name:
            within.append(one)
    return within[0] if len(within) == 1 else None


def model_for(models: Iterable[str], base: str) -> str | None:
    """The first that is made for this base, else the first that doesn't tell its own; None if all are for others."""
    told = {model: told_base(model) for model in models}
    return next((model for wanted in (base, None) for model in told if told[model] == wanted), None)


def fits(control: ControlType, base: str) -> bool:
    """Whether it can guide a checkpoint that is built on this."""
    return not control.models or model_for(control.models, base) is not None


def read_control_types(types: Any, modules: Any, models: Any) -> tuple[ControlType, ...]:
    """From `/controlnet/control_types`; where that is missing, by names from `module_list` and `model_list`.

    A type that nothing is installed for is left out. Any of the three may be something else than JSON of that shape.
    """
    free = _model_free(modules)
    told = types.get("control_types") if isinstance(types, dict) else None
    if isinstance(told, dict):
        found = (_told(name, body, free) for name, body in told.items() if isinstance(body, dict))
        return tuple(one for one in found if one is not None)
    names, files = _texts(modules, "module_list"), _texts(models, "model_list")
    return tuple(one for label, word in _WORDS.items() if (one := _by_name(label, word, names, files, free)))


def merge_control_types(every: Iterable[Iterable[ControlType]]) -> tuple[ControlType, ...]:
    """The union of several webuis' types, each with all its models; with none where it works without them on one."""
    found: dict[str, ControlType] = {}
    for one in (one for types in every for one in types):
        known = found.setdefault(_fold(one.name), one)
        models = tuple(dict.fromkeys((*known.models, *one.models))) if known.models and one.models else ()
        if models != known.models:
            found[_fold(one.name)] = replace(known, models=models)
    return tuple(found.values())


def _told(name: str, body: dict[str, Any], free: frozenset[str]) -> ControlType | None:
    modules, models = _texts(body, "module_list"), _texts(body, "model_list")
    module, model = body.get("default_option"), body.get("default_model")
    if _fold(name) == _EVERYTHING or not isinstance(module, str):
        return None
    first = [model] if isinstance(model, str) else []
    return _usable(name, module, (*first, *models), modules, free)


def _by_name(
    label: str, word: str, modules: Sequence[str], models: Sequence[str], free: frozenset[str]
) -> ControlType | None:
    module = next((name for name in modules if word in _fold(name)), None)
    fitting = [name for name in models if word in _fold(name)]
    return _usable(label, module or _nothing(modules), fitting, modules, free)


def _usable(
    name: str, module: str, models: Iterable[str], modules: Sequence[str], free: frozenset[str]
) -> ControlType | None:
    fitting = tuple(dict.fromkeys(intern(one) for one in models if _fold(one) != _NOTHING))
    is_free = module in free or any(word in _fold(module) for word in _FREE)
    if not fitting and not is_free:
        return None
    return ControlType(intern(name), intern(module), fitting, intern(_nothing(modules)))


def _nothing(modules: Sequence[str]) -> str:
    """The module that leaves an image as it is, as this webui spells it."""
    return next((name for name in modules if _fold(name) == _NOTHING), _NOTHING)


def _model_free(modules: Any) -> frozenset[str]:
    detail = modules.get("module_detail") if isinstance(modules, dict) else None
    items = detail.items() if isinstance(detail, dict) else ()
    return frozenset(name for name, told in items if isinstance(told, dict) and told.get("model_free") is True)


def _texts(body: Any, key: str) -> list[str]:
    names = body.get(key) if isinstance(body, dict) else None
    return [name for name in (names if isinstance(names, list) else ()) if isinstance(name, str) and name]


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
