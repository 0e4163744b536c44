"""Who decides what nobody said: the person's word > the person's defaults > channel > server > bot. Pure.

What no layer names stays UNSET and is left to the webui's own default; only the seed is always drawn, here and once,
so that the same job drawn again after a crash is the same picture.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import UNSET

from core.request import GenerationRequest

SEED_MAX = 2**32 - 1
BOT_DEFAULTS: Mapping[str, Any] = {"count": 1}


def merge(request: GenerationRequest, *layers: Mapping[str, Any], rng: random.Random) -> GenerationRequest:
    """`request` with its UNSET fields filled from `layers`, the most personal first, and with a seed.

    A seed of -1 means "any", as in every webui. Random seeds leave room for the pictures after the first.
    """
    fields: dict[str, Any] = {}
    for layer in (*layers, BOT_DEFAULTS):
        for name, value in layer.items():
            if getattr(request, name) is UNSET:
                fields.setdefault(name, value)
    merged = replace(request, **fields)
    if merged.seed is UNSET or merged.seed == -1:
        merged = replace(merged, seed=rng.randint(0, SEED_MAX - 100))
    if merged.subseed == -1 or (merged.subseed is UNSET and merged.is_variation):
        merged = replace(merged, subseed=rng.randint(0, SEED_MAX - 100))
    return merged
