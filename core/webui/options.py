"""A webui's lasting options: what may be set for good, on which webui, and whether it was. It sends nothing itself.

AUTOMATIC1111 answers 200 with null whether or not the checkpoint could be loaded, SD.Next with a word for each key, and
Forge at once, since it loads with its next picture (contract 4.2): what counts is what the options say afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.errors import NotOffered, UnreadableAnswer, WebuiError
from core.request import GenerationRequest
from core.several import split_names
from core.webui.assets import find
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint
from core.webui.client import PROGRESS, WebuiClient
from core.webui.dialects import DIALECTS, Speech
from core.webui.lacking import check_needs
from core.webui.needs import vaes_of
from core.webui.own import are_same_modules
from core.webui.progress import is_idle

CLIP_SKIPS: Final = (1, 12)
BUILT_IN: Final = "built-in"
"""What people say, where a webui takes modules, for none: what the checkpoint's file holds."""
OWN_WORDS: Final = (BUILT_IN, "none", "automatic")
REFRESHED: Final = ("loras", "vae", "checkpoints")
"""The lists that a webui reads from its folders; on A1111 the last two wait behind the running job."""

_OPTIONS = "/sdapi/v1/options"
_NO_SWITCH: Final = {
    Speech.SDCPP: "stable-diffusion.cpp draws with the model that it was started with",
    Speech.KOBOLD: "KoboldCpp draws with the model that it was started with",
    Speech.DRAWTHINGS: "Draw Things draws with the model that is chosen in its own window",
}


class Setting(StrEnum):
    """What may be set for good. The values are kept in the database."""

    CHECKPOINT = "checkpoint"
    VAE = "vae"
    CLIP_SKIP = "clip_skip"


@dataclass(frozen=True, slots=True)
class Change:
    """One option with its value, of the type that the webui keeps; `said` is the value as people read it."""

    key: str
    value: str | int | list[str]
    said: str


def build_change(setting: Setting, wanted: str, catalog: Catalog) -> Change:
    """The option for this webui; NotOffered where it can't be set there, or the webui doesn't list what is wanted."""
    if (sentence := cannot_switch(catalog)) is not None:
        raise NotOffered(sentence)
    match setting:
        case Setting.CHECKPOINT:
            checkpoint = _checkpoint(wanted, catalog)
            return Change("sd_model_checkpoint", checkpoint.title, checkpoint.stem or checkpoint.plain_title)
        case Setting.VAE:
            return _vae_change(wanted, catalog)
        case Setting.CLIP_SKIP:
            return _clip_skip_change(wanted, catalog)


def cannot_switch(catalog: Catalog) -> str | None:
    """Why nothing of this webui can be set for good, as a sentence; None where it can."""
    speech = catalog.capabilities.speech
    if (why := _NO_SWITCH.get(speech)) is not None:
        return f"It can't be switched from here: {why}."
    if not catalog.capabilities.override_settings:
        return "It can't be switched from here: it lets nobody set its options."
    return None


def loads_later(catalog: Catalog) -> bool:
    """Whether a checkpoint that is chosen is only loaded with the next picture."""
    return catalog.capabilities.speech is Speech.FORGE


def refused_keys(answer: Any) -> frozenset[str]:
    """The keys of which SD.Next said that it did not take them: `{"updated": [{"key": false}]}`."""
    updated = answer.get("updated") if isinstance(answer, dict) else None
    each = [item for item in updated if isinstance(item, dict)] if isinstance(updated, list) else []
    return frozenset(key for item in each for key, taken in item.items() if taken is False)


def is_set(change: Change, options: Mapping[str, Any], catalog: Catalog) -> bool:
    """Whether the options say what was wanted, however this webui spells it; `catalog` was read after the change."""
    found = options.get(change.key)
    match change.value:
        case int():
            return isinstance(found, int | float) and not isinstance(found, bool) and found == change.value
        case list():
            return are_same_modules(found if isinstance(found, list) else [], change.value)
        case str() if change.key == "sd_model_checkpoint":
            wanted = find_checkpoint(catalog, change.value)
            return wanted is not None and isinstance(found, str) and find_checkpoint(catalog, found) == wanted
        case _:
            return found == change.value


async def fetch_options(client: WebuiClient) -> Mapping[str, Any]:
    """All its options; they hold paths and, on some, secrets: nothing of them is logged or shown. WebuiError."""
    answer = await client.get(_OPTIONS)
    if not isinstance(answer, dict):
        raise UnreadableAnswer("the options are not an object")
    return answer


async def is_at_work(client: WebuiClient, catalog: Catalog) -> bool:
    """Whether it draws for anybody, over its own page, too; False where it can't tell. WebuiError."""
    return catalog.capabilities.progress and not is_idle(await client.get(PROGRESS))


async def refresh_lists(client: WebuiClient, budget: float) -> None:
    """Let it look for new files, for at most `budget` seconds. One that has no such route looks by itself."""
    await asyncio.gather(*(_refresh(client, kind, budget) for kind in REFRESHED))


async def _refresh(client: WebuiClient, kind: str, budget: float) -> None:
    with contextlib.suppress(WebuiError):
        await client.refresh(kind, budget)


def _checkpoint(wanted: str, catalog: Catalog) -> Checkpoint:
    found = find_checkpoint(catalog, wanted)
    if found is None:
        check_needs(GenerationRequest(prompt="", checkpoint=wanted), catalog)
        raise NotOffered("The webui does not list this checkpoint any more.")
    return found


def _vae_change(wanted: str, catalog: Catalog) -> Change:
    """A1111's VAE is one name, Forge's modules are a list: VAE and text encoders, or none for what the file holds."""
    keys = DIALECTS[catalog.capabilities.speech].keys
    takes_modules = "modules" in keys
    if takes_modules and wanted.strip().casefold() in OWN_WORDS:
        return Change("forge_additional_modules", [], BUILT_IN)
    names = split_names(wanted)
    if not names:
        raise NotOffered("Say which VAE.")
    check_needs(GenerationRequest(prompt="", vae=wanted), catalog)
    found = [vae for name in names if (vae := find(vaes_of(catalog), name)) is not None]
    if takes_modules:
        return Change("forge_additional_modules", found, ", ".join(found))
    return Change("sd_vae", found[0], found[0])


def _clip_skip_change(wanted: str, catalog: Catalog) -> Change:
    if catalog.capabilities.clip_skip is None:
        raise NotOffered("It has no lasting CLIP skip; say it with each /draw.")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 3 else 0
    lowest, highest = CLIP_SKIPS
    if not lowest <= number <= highest:
        raise NotOffered(f"CLIP skip is a whole number from {lowest} to {highest}.")
    return Change("CLIP_stop_at_last_layers", number, str(number))
