"""A webui's own settings of what requests override, and how they are told from overrides that stayed. Pure.

A fresh installation restores no option that its config.json lacks: an override is what everybody draws with from then
on (contract 11.2.4). So every request says them all, and what an option holds is the webui's own only where it is not
what we said last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from core.webui.catalog import Capabilities

_FIELDS: Final = {"CLIP_stop_at_last_layers": "clip_skip", "sd_vae": "vae", "forge_additional_modules": "modules"}
"""The options, and where Capabilities have them."""


def read_own(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Capabilities; None where the webui has no such option, or it holds nothing that could be sent."""
    vae, modules = options.get("sd_vae"), options.get("forge_additional_modules")
    are_names = isinstance(modules, list) and all(isinstance(name, str) for name in modules)
    return {
        "clip_skip": _clip_skip(options.get("CLIP_stop_at_last_layers")),
        "vae": vae if isinstance(vae, str) and vae else None,
        "modules": tuple(modules) if isinstance(modules, list) and are_names else None,
    }


def said_in(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What a request overrides of them."""
    overrides = payload.get("override_settings", {})
    return {key: overrides[key] for key in _FIELDS if key in overrides}


def without_leaks(found: Capabilities, known: Capabilities | None, *sent: Mapping[str, Any]) -> Capabilities:
    """The same, with what was `known` in place of what we `sent` ourselves."""
    kept: dict[str, Any] = {}
    for key, field in _FIELDS.items():
        before, now = getattr(known, field, None), getattr(found, field)
        if None not in (before, now) and any(key in each and _is_same(now, each[key]) for each in sent):
            kept[field] = before
    return replace(found, **kept) if kept else found


def are_same_modules(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Whether they name the same files, in any order: Forge keeps whole paths of what was set by name."""
    return sorted(map(_base, one)) == sorted(map(_base, other))


def _is_same(now: Any, sent: Any) -> bool:
    return are_same_modules(now, sent) if isinstance(now, tuple) and isinstance(sent, list) else bool(now == sent)


def _base(name: Any) -> str:
    return PurePosixPath(str(name).replace("\\", "/")).name.casefold()


def _clip_skip(value: Any) -> int | None:
    # A1111 declares whole-numbered options as floats and may say 1.0.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 1 <= value <= 12 else None
