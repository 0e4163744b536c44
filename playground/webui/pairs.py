"""The infotext pairs of what is not in every picture: hires fix, refiner, settings. No seeds, no time, no HTTP."""

from collections.abc import Mapping
from typing import Any

from playground.webui.catalog import Catalog, Checkpoint
from playground.webui.errors import CrashError
from playground.webui.flavour import Flavour
from playground.webui.options import Options

_SAME = ("", "None", "Use same checkpoint", "Use same sampler", "Use same scheduler")
_NOISE = (("eta", "Eta"), ("s_churn", "Sigma churn"), ("s_tmin", "Sigma tmin"), ("s_tmax", "Sigma tmax"))


def other_checkpoint(name: str | None, catalog: Catalog) -> Checkpoint | None:
    """The checkpoint that a refiner or a second pass asks for; None for the same one.

    Raises CrashError for a name that nobody knows.
    """
    if name is None or name in _SAME:
        return None
    found = catalog.find(name)
    if found is None:
        raise CrashError("Exception", f"Could not find checkpoint with name {name}")
    return found


def hires_pairs(
    payload: Mapping[str, Any], other: Checkpoint | None, flavour: Flavour, catalog: Catalog
) -> dict[str, Any]:
    """What is said of the second pass; where it is as the first, some keys are None and some are missing."""
    own = flavour.hires(payload, catalog)
    sampler = _own(payload["hr_sampler_name"])
    pairs: dict[str, Any] = {
        "Denoising strength": payload["denoising_strength"],
        **({} if other is None else {"Hires checkpoint": other.title}),
        **({} if sampler is None else {"Hires sampler": sampler}),
        "Hires prompt": payload["hr_prompt"] or None,
        "Hires negative prompt": payload["hr_negative_prompt"] or None,
        **own,
        "Hires schedule type": _own(payload["hr_scheduler"]),
    }
    if payload["hr_resize_x"] or payload["hr_resize_y"]:
        pairs["Hires resize"] = f"{payload['hr_resize_x']}x{payload['hr_resize_y']}"
    else:
        pairs["Hires upscale"] = payload["hr_scale"]
    pairs["Hires steps"] = payload["hr_second_pass_steps"] or None
    pairs["Hires upscaler"] = payload["hr_upscaler"] or "Latent"
    return pairs


def _own(name: str | None) -> str | None:
    return None if name in _SAME else name


def refiner_pairs(payload: Mapping[str, Any], refiner: Checkpoint | None) -> dict[str, Any]:
    """What is said of the refiner."""
    if refiner is None:
        return {}
    name = f"{refiner.stem} [{refiner.short_hash}]"
    return {"Refiner": name, "Refiner switch at": payload["refiner_switch_at"]}


def settings_pairs(payload: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """What stands between the clip skip and the extras: the options that differ from the usual, and tiling."""
    delta, source = options["eta_noise_seed_delta"], options["randn_source"]
    tiling = options["tiling"] if payload["tiling"] is None else payload["tiling"]
    return {
        "ENSD": delta or None,
        "RNG": source if source != "GPU" else None,
        "Tiling": True if tiling else None,
    }


def noise_pairs(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The sampler's own numbers, where the request gives them."""
    return {label: payload[key] for key, label in _NOISE if payload[key] is not None}
