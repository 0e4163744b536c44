"""What a webui lacks of a request, in a sentence: all of it at once, with the nearest names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from core.errors import NotOffered
from core.request import GenerationRequest
from core.webui.catalog import Catalog
from core.webui.control import explain_misfit
from core.webui.control_types import find_control_type
from core.webui.names import nearest, shorten
from core.webui.needs import TAGS_ALONE, Need, all_lacks, first_lack, needs_of, vaes_of

ROOM: Final = 520
"""Characters of all sentences together: an answer shows 600, and some signs take two there."""


MOST_SAID: Final = 5
"""So many things are named that one webui lacks."""

Names = Callable[[], Sequence[str]]


def no_names() -> tuple[str, ...]:
    """For whoever does not know which checkpoints the server of a request shows."""
    return ()


def check_needs(request: GenerationRequest, catalog: Catalog, checkpoints: Names = no_names) -> None:
    """Raise NotOffered where something that it needs isn't there: with the nearest names, or saying what can't be done.

    `checkpoints` gives the names of checkpoints that may be said: a server may hide some, and call others as it likes.

    Everything that isn't there is in one message. Where the catalog has none of a kind, that list could not be read,
    and no name is right: some webuis would look up an unknown one on the network and download it.
    """
    if lacking := all_lacks(catalog, request):
        raise NotOffered(_sentences(lacking, catalog, checkpoints))


def check_together(request: GenerationRequest, webuis: Sequence[tuple[str, Catalog]]) -> None:
    """Raise NotOffered where several webuis (a name and what it has) can do everything, but none of them all of it."""
    needs = needs_of(request)
    if not webuis or any(first_lack(catalog, needs) is None for _, catalog in webuis):
        return
    lacking = [(name, all_lacks(catalog, request)) for name, catalog in webuis]
    name, fewest = min(lacking, key=lambda one: len(one[1]))
    listed = ", ".join(dict.fromkeys(_called(need) for need in fewest[:MOST_SAID]))
    more = "" if len(fewest) <= MOST_SAID else f" and {len(fewest) - MOST_SAID} more"
    raise NotOffered(f"No webui here has all of this together. The nearest, {name}, lacks: {listed}{more}.")


def _called(need: Need) -> str:
    if need.kind == "option":
        return LABELS.get(need.name, need.name.replace("_", " "))
    if need.kind == "task":
        return TASK_LABELS[need.name]
    return f'{KINDS.get(need.kind, need.kind)} "{shorten(need.name, 60)}"'


def no_checkpoint(wanted: str, names: Sequence[str]) -> str:
    """That there is none of this name, with the nearest of those that may be said."""
    return _unknown("checkpoint", wanted, names)


def _sentences(lacking: Sequence[Need], catalog: Catalog, checkpoints: Names) -> str:
    """The first one in any case, then those that there is room for, and the number of the others."""
    said: dict[str, None] = {}
    for number, need in enumerate(lacking):
        sentence = _sentence(need, catalog, checkpoints)
        if said and len(" ".join((*said, sentence))) > ROOM:
            left = len(lacking) - number
            return " ".join((*said, f"And {left} more {'is' if left == 1 else 'are'} not there."))
        said[sentence] = None
    return " ".join(said)


def _sentence(need: Need, catalog: Catalog, checkpoints: Names) -> str:
    if need.kind == "task":
        return f"This server's webui has no {TASK_LABELS[need.name]}."
    if need == Need("option", "control"):
        return "This server's webui has no ControlNet."
    if need == TAGS_ALONE:
        return "This server's webui can't draw from LoRAs alone; say in the prompt what you would like to see, too."
    control = find_control_type(catalog.assets.control_types, need.name) if need.kind == "control" else None
    if control is not None and need.base is not None:
        return explain_misfit(catalog.assets.control_types, control, need.base)
    if need.kind == "option":
        return f"This server's webui has no {LABELS.get(need.name, need.name.replace('_', ' '))}; leave it out."
    if need.kind == "checkpoint" and catalog.checkpoints:
        return no_checkpoint(need.name, checkpoints())
    kind, names = KINDS.get(need.kind, need.kind), _names(need.kind, catalog)
    if not names:
        return (
            f"The webui can't list its {kind}s at the moment, so none can be chosen; leave it out or try again later."
        )
    return _unknown(kind, need.name, names)


def _names(kind: str, catalog: Catalog) -> list[str]:
    """What there is of a kind, for people."""
    assets = catalog.assets
    match kind:
        case "checkpoint":
            return []
        case "sampler":
            return [named.name for named in catalog.samplers]
        case "scheduler":
            return [named.name for named in catalog.schedulers]
        case "lora":
            return [lora.name for lora in assets.loras]
        case "style":
            return list(assets.styles)
        case "vae":
            return list(vaes_of(catalog))
        case "control":
            return [control.name for control in assets.control_types]
        case _:
            return [*(assets.latent_upscalers if kind == "upscaler" else ()), *assets.upscalers]


KINDS: Final = {"vae": "VAE", "control": "control type", "enlarger": "upscaler"}
"""What a kind of need is called in a sentence, where not by its own name."""
LABELS: Final = {
    "face_fix": "way to fix faces",
    "hires_scale": "hires fix",
    "image": "way to draw over an image",
    "resize_latent": "way to resize latents",
    "mask": "way to draw only a part of an image",
    "distilled_cfg": "distilled CFG scale",
    "scheduler": "scheduler to choose",
    "refiner_checkpoint": "refiner",
    "refiner_switch_at": "refiner",
    "styles": "styles",
    "loras": "LoRAs",
    "vae": "VAE to choose",
    "modules": "way to take several VAEs",
    "hires_upscaler": "hires fix",
    "upscale_width": "way to enlarge to a size, only by a factor",
    "upscaler_2": "second upscaler",
    "upscaler_2_visibility": "second upscaler",
    "gfpgan": "GFPGAN",
    "codeformer": "CodeFormer",
    "codeformer_weight": "CodeFormer",
}
"""What a field that can't be said is called in the sentence about it."""
TASK_LABELS: Final = {
    "upscale": "upscaler",
    "describe": "way to describe an image",
    "clip": "CLIP to describe an image with",
    "deepdanbooru": "DeepDanbooru to describe an image with",
    "caption": "captioning model",
}
"""The same for what it can't do at all."""


def _unknown(kind: str, wanted: str, names: Sequence[str]) -> str:
    sentence = f'The webui has no {kind} called "{shorten(wanted, 60)}".'
    if not names:
        return sentence
    near = [f'"{shorten(name, 60)}"' for name in nearest(names, wanted)]
    listed = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} and {near[-1]}"
    return f"{sentence} The nearest {'is' if len(near) == 1 else 'are'} {listed}."
