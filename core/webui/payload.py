"""Builds the JSON of a txt2img request and checks its names against a catalog. Pure; it sends nothing.

Only what somebody said is in a payload; null and absent are different things to several webuis (contract 1.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from core.errors import UserError
from core.request import GenerationRequest
from core.webui.catalog import Catalog, Checkpoint, Named, find_checkpoint, find_name
from core.webui.names import nearest, shorten

OVERRIDE_KEYS = frozenset({"sd_model_checkpoint", "CLIP_stop_at_last_layers"})
"""The only options of a webui that a request may override: any other key could change files on its machine."""


def build_txt2img(request: GenerationRequest, catalog: Catalog, *, task_id: str | None) -> dict[str, Any]:
    """The payload for this webui, with exact JSON types.

    Raises UserError where the webui doesn't have a name (see check_names), ValueError where the seed is not drawn yet.
    """
    if request.seed is UNSET:
        raise ValueError("the seed is drawn before a payload is built, so that a repeat makes the same picture")
    check_names(request, catalog)
    said: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "cfg_scale": UNSET if request.cfg_scale is UNSET else float(request.cfg_scale),
        "sampler_name": _spelling(catalog.samplers, request.sampler),
        "scheduler": _spelling(catalog.schedulers, request.scheduler),
    }
    payload = {key: value for key, value in said.items() if value is not UNSET}
    if request.pictures > 1:
        one_by_one = {"n_iter": request.pictures, "batch_size": 1}
        payload |= one_by_one if catalog.capabilities.n_iter else {"batch_size": request.pictures}
    payload |= {"send_images": True, "save_images": False}
    if overrides := _overrides(request, catalog):
        payload |= {"override_settings": overrides, "override_settings_restore_afterwards": True}
    if task_id is not None and catalog.capabilities.task_progress:
        payload["force_task_id"] = task_id
    return payload


def check_names(request: GenerationRequest, catalog: Catalog) -> None:
    """Raise UserError with the nearest names where a checkpoint, sampler or scheduler isn't in the catalog.

    Where the catalog has none of a kind, that list could not be read, and no name is right: some webuis would look up
    an unknown one on the network and download it.
    """
    wanted = request.checkpoint
    if wanted is not UNSET and find_checkpoint(catalog, wanted) is None:
        known = {_short_name(checkpoint): None for checkpoint in catalog.checkpoints}
        raise UserError(_unknown("checkpoint", wanted, list(known)))
    for kind, wanted, names in (
        ("sampler", request.sampler, catalog.samplers),
        ("scheduler", request.scheduler, catalog.schedulers),
    ):
        if wanted is not UNSET and find_name(names, wanted) is None:
            raise UserError(_unknown(kind, wanted, [named.name for named in names]))


def _overrides(request: GenerationRequest, catalog: Catalog) -> dict[str, Any]:
    can = catalog.capabilities
    overrides: dict[str, Any] = {}
    if not can.override_settings:
        return overrides
    if request.checkpoint is not UNSET and (found := find_checkpoint(catalog, request.checkpoint)) is not None:
        overrides["sd_model_checkpoint"] = found.title
    if can.clip_skip is not None:
        # Said in every request: a fresh install doesn't restore it after another request's override (contract 11.2.4).
        overrides["CLIP_stop_at_last_layers"] = can.clip_skip if request.clip_skip is UNSET else request.clip_skip
    return {key: value for key, value in overrides.items() if key in OVERRIDE_KEYS}


def _spelling(names: Sequence[Named], wanted: str | UnsetType) -> str | UnsetType:
    """As the webui writes it, and never anything that it didn't list."""
    found = None if wanted is UNSET else find_name(names, wanted)
    return UNSET if found is None else found.name


def _short_name(checkpoint: Checkpoint) -> str:
    return checkpoint.stem or checkpoint.plain_title


def _unknown(kind: str, wanted: str, names: Sequence[str]) -> str:
    if not names:
        return (
            f"The webui can't list its {kind}s at the moment, so none can be chosen; leave it out or try again later."
        )
    near = [f'"{shorten(name, 60)}"' for name in nearest(names, wanted)]
    listed = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} and {near[-1]}"
    verb = "is" if len(near) == 1 else "are"
    return f'The webui has no {kind} called "{shorten(wanted, 60)}". The nearest {verb} {listed}.'
