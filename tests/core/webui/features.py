"""What can be asked of a webui, and what of that works on each kind: found out by asking a local one of each."""

from __future__ import annotations

from typing import Any

import aiohttp

from core.request import ControlUse, GenerationRequest, LoraUse
from core.webui.catalog import Catalog
from core.webui.needs import first_lack, needs_of
from playground.webui import (
    LocalDrawThings,
    LocalForge,
    LocalForgeNeo,
    LocalKobold,
    LocalReForge,
    LocalSdCpp,
    LocalSdNext,
    LocalWebui,
)
from tests.core.webui.conftest import client_for

WEBUIS: dict[str, type[LocalWebui]] = {
    "A1111": LocalWebui,
    "reForge": LocalReForge,
    "Forge": LocalForge,
    "Forge Neo": LocalForgeNeo,
    "SD.Next": LocalSdNext,
    "sd.cpp": LocalSdCpp,
    "KoboldCpp": LocalKobold,
    "Draw Things": LocalDrawThings,
}
EXTENSIONS: dict[str, dict[str, Any]] = {"A1111": {"controlnet": True}, "KoboldCpp": {"vision": True, "esrgan": True}}
"""What people install or load there; Forge and reForge have ControlNet built in."""
FEATURES: dict[str, GenerationRequest] = {
    "`styles`": GenerationRequest(prompt="x", styles=("a",)),
    "`loras`, `<lora:…>`": GenerationRequest(prompt="x", loras=(LoraUse("inkwash"),)),
    "`hires`, `hires_upscaler`": GenerationRequest(prompt="x", hires_scale=2.0, hires_upscaler="a"),
    "`distilled_cfg`": GenerationRequest(prompt="x", distilled_cfg=3.5),
    "`image`, `denoising_strength`": GenerationRequest(prompt="x", image="i", denoising_strength=0.5),
    "`mask`": GenerationRequest(prompt="x", image="i", mask="m"),
    "`face_fix`": GenerationRequest(prompt="x", face_fix=True),
    "`extra`: refiner": GenerationRequest(prompt="x", refiner_switch_at=0.8),
    "`extra`: tiling, subseed": GenerationRequest(prompt="x", tiling=True, subseed=1),
    "`extra`: area, padding, mask_blur": GenerationRequest(prompt="x", inpaint_area="masked", mask_blur=4),
    "`/control`": GenerationRequest(prompt="x", control=(ControlUse(type="depth"),)),
    "`/upscale`": GenerationRequest(prompt="", task="upscale", image="i", upscale_factor=2.0),
    "`/upscale` with `size`": GenerationRequest(prompt="", task="upscale", upscale_width=64, upscale_height=64),
    "`upscaler_2`": GenerationRequest(prompt="", task="upscale", upscale_factor=2.0, upscaler_2="a"),
    "`gfpgan`, `codeformer`": GenerationRequest(prompt="", task="upscale", upscale_factor=2.0, gfpgan=1.0),
    "`/describe`": GenerationRequest(prompt="", task="describe", image="i"),
    "`/describe`: CLIP, DeepDanbooru": GenerationRequest(prompt="", task="describe", describe_with="clip"),
    "`/describe`: captions": GenerationRequest(prompt="", task="describe", describe_with="caption"),
}
"""Without names: these are looked up in each webui's own lists."""


def works(catalog: Catalog, request: GenerationRequest) -> bool:
    """Whether that webui can be told all of it, whatever names it has."""
    return first_lack(catalog, tuple(need for need in needs_of(request) if need.kind in ("option", "task"))) is None


def local(name: str) -> LocalWebui:
    """One of that kind whose steps take no time, with all that it can be given."""
    return WEBUIS[name](seconds_per_step=0.0, cheap_pictures=True, **EXTENSIONS.get(name, {}))


async def catalogs(session: aiohttp.ClientSession) -> dict[str, Catalog]:
    """The catalog of a local webui of each kind."""
    found: dict[str, Catalog] = {}
    for name in WEBUIS:
        async with local(name) as webui:
            found[name] = await client_for(webui.url, session).fetch_catalog()
    return found


def table(found: dict[str, Catalog]) -> str:
    """Markdown, a line for each feature."""
    rows: dict[str, list[bool]] = {
        feature: [works(catalog, request) for catalog in found.values()] for feature, request in FEATURES.items()
    }
    for field in ("checkpoint", "scheduler", "vae"):
        rows[f"`{field}`"] = [field in catalog.capabilities.fields for catalog in found.values()]
    rows["`clip_skip`"] = [catalog.capabilities.sets_clip_skip for catalog in found.values()]
    rows["cancel stops the webui"] = [catalog.capabilities.task_progress for catalog in found.values()]
    lines = [f"| `/draw` | {' | '.join(found)} |", f"| --- |{' :-: |' * len(found)}"]
    lines += [f"| {name} | {' | '.join('yes' if can else '–' for can in row)} |" for name, row in rows.items()]
    return "\n".join(lines)
