"""What can be made from a picture that is there: requests from requests. Pure; nothing is looked up.

What nobody typed for the new picture is as it was for the old one, and so are its spoiler and its privacy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from msgspec import UNSET

from core.errors import UserError
from core.prompts.syntax import literal
from core.request import GenerationRequest

Strength = Literal["subtle", "strong"]

SUBSEED_STRENGTH: dict[Strength, float] = {"subtle": 0.1, "strong": 0.35}
"""How far a variation goes from its picture's noise to another's."""
HIRES_SCALE = 2.0
HIRES_DENOISING = 0.4
"""Less than a webui's own 0.7, with which the second pass draws another picture."""
UPSCALE_FACTOR = 2.0
USE_DENOISING = 0.5
_OF_ITS_OWN = ("seed", "subseed", "hires_", "mask", "inpaint_", "resize_", "control")
"""How the names of fields begin that were about another picture than the one which is drawn over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture that something is made from.

    `request` is its whole job's, `number` which of its pictures it is, from 0. `seed` and `checkpoint` are what the
    webui said it used, `width` and `height` the finished picture's, in pixels; None where nobody knows.
    """

    request: GenerationRequest
    number: int = 0
    seed: int | None = None
    checkpoint: str | None = None
    width: int | None = None
    height: int | None = None


def again(source: Source) -> GenerationRequest:
    """The whole job once more, with another seed."""
    return replace(_drawn_by(source, source.request), seed=UNSET, subseed=UNSET)


def vary(source: Source, strength: Strength) -> GenerationRequest:
    """A picture like this one: its seed, and a little of another's noise."""
    return replace(the_same(source), subseed=UNSET, subseed_strength=SUBSEED_STRENGTH[strength])


def with_hires(source: Source) -> GenerationRequest:
    """The same picture with a second pass; UserError where it has one, or can have none."""
    same = the_same(source)
    if same.hires_scale is not UNSET:
        raise UserError("This picture has had its second pass already. Upscale enlarges it further.")
    if same.image is not UNSET:
        raise UserError("This picture was drawn over an image, and there is no second pass then. Upscale enlarges it.")
    return replace(same, hires_scale=HIRES_SCALE, hires_denoising_strength=HIRES_DENOISING)


def enlarged(source: Source, image: str) -> GenerationRequest:
    """The very picture, enlarged; `image` is the key under which it is stored."""
    if source.width is None or source.height is None:
        raise ValueError("the size of an image that is enlarged is known")
    return GenerationRequest(
        prompt="",
        task="upscale",
        image=image,
        width=source.width,
        height=source.height,
        upscale_factor=UPSCALE_FACTOR,
        spoiler=source.request.spoiler,
        private=source.request.private,
    )


def drawn_over(source: Source, image: str) -> GenerationRequest:
    """A picture over this one, with its words; `image` is the key under which it is stored.

    One that was not drawn from a prompt has no words, and may be far too large to be drawn: it gives its shape alone.
    """
    if source.request.task != "draw":
        return GenerationRequest(
            prompt="",
            image=image,
            shape=UNSET if source.width is None or source.height is None else (source.width, source.height),
            denoising_strength=USE_DENOISING,
            spoiler=source.request.spoiler,
            private=source.request.private,
        )
    same = _with_nothing_else(the_same(source))
    if source.width is not None and source.height is not None:
        same = replace(same, width=source.width, height=source.height)
    return replace(same, image=image, denoising_strength=USE_DENOISING)


def the_same(source: Source) -> GenerationRequest:
    """This one picture, with the seed that it has, and its prompt as it was drawn: choices are made once."""
    if source.request.task != "draw":
        raise UserError("This picture was not drawn from a prompt, so it can't be drawn another time.")
    one = source.request.of(source.number)
    seed = one.seed if source.seed is None else source.seed
    same = replace(_drawn_by(source, one), seed=seed, count=1)
    return same if source.request.prompts is UNSET else _as_it_stands(same)


def _as_it_stands(request: GenerationRequest) -> GenerationRequest:
    negative = request.negative_prompt
    negative = negative if negative is UNSET else literal(negative)
    return replace(request, prompt=literal(request.prompt), negative_prompt=negative)


def _drawn_by(source: Source, request: GenerationRequest) -> GenerationRequest:
    """What was left to the webui then may be something else by now."""
    if request.task != "draw":
        raise UserError("This picture was not drawn from a prompt, so it can't be drawn another time.")
    if request.checkpoint is not UNSET or source.checkpoint is None:
        return request
    return replace(request, checkpoint=source.checkpoint)


def _with_nothing_else(request: GenerationRequest) -> GenerationRequest:
    """Without seeds, other images, all that was said of these, and a second pass, which is not done over an image."""
    names = [name for name in GenerationRequest.__slots__ if name.startswith(_OF_ITS_OWN)]
    nothing: dict[str, Any] = dict.fromkeys(names, UNSET)
    return replace(request, **nothing)
