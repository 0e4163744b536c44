"""What a family is built on, and what is made for that and nothing else, such as a ControlNet. Pure; it knows names.

A checkpoint's base is its family's. These patterns are for what has no family: the names of ControlNet's models, and
of checkpoints that are not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from core.families.names import Name, Pattern, any_in, parse_pattern

BASES: Final[Mapping[str, str]] = {
    "flux2": "Flux.2",
    "chroma": "Chroma",
    "flux": "Flux",
    "zimage": "Z-Image",
    "qwen": "Qwen-Image",
    "lumina": "Lumina",
    "sd3": "SD 3",
    "auraflow": "AuraFlow",
    "hidream": "HiDream",
    "hunyuandit": "Hunyuan-DiT",
    "pixart": "PixArt",
    "sana": "Sana",
    "cascade": "Stable Cascade",
    "kolors": "Kolors",
    "sdxl": "SDXL",
    "sd2": "SD 2",
    "sd15": "SD 1.5",
}
"""Every base, and how people read it."""
_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "flux2": ("flux2*",),
    "chroma": ("chroma", "chroma1*"),
    "flux": ("flux*", "*flux"),
    "zimage": ("z-image*", "*zimage"),
    "qwen": ("qwen*",),
    "sd3": ("sd3", "sd3.5*", "stable-diffusion-3*"),
    "auraflow": ("auraflow*", "pony v7*", "ponydiffusionv7*"),
    "hunyuandit": ("hunyuandit*",),
    "kolors": ("kolors*",),
    "sdxl": ("sdxl*", "*xl", "*xl10", "*pony*", "pny", "pdxl", "*illustri*", "*noobai*", "stable-diffusion-xl*"),
    "sd2": ("sd2", "sd2.1", "sd2.0", "v2-1_512*", "v2-1_768*", "768-v*", "stable-diffusion-2*"),
    "sd15": ("sd1.5*", "sd1.4", "sd1", "sd-v1*", "v1-5-pruned*", "stable-diffusion-v1*", "stable-diffusion-1*"),
}
"""What in a name tells it; the first that is found counts."""
_HASH = re.compile(r"\s*\[[0-9a-f]+\]\s*$")


def _parsed(written: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(pattern for one in written if (pattern := parse_pattern(one)) is not None)


_PATTERNS: Final = {base: _parsed(written) for base, written in _WRITTEN.items()}


@lru_cache(maxsize=4096)
def told_base(name: str) -> str | None:
    """The base that a file's name tells; None where it tells none."""
    found = Name(_HASH.sub("", name))
    return next((base for base, patterns in _PATTERNS.items() if any_in(patterns, found)), None)
