"""What a picture costs before it is drawn, and the order that a person's own jobs take. Pure; no clock, no I/O."""

from __future__ import annotations

from msgspec import UNSET

from core.request import GenerationRequest

API_SIDE = 512
API_STEPS = 50
"""What the webui's txt2img takes where the request says nothing (its API's defaults, not those of its page)."""

NOMINAL_SECONDS = 0.2
"""Seconds for a megapixel-step until a backend's own are learned: a mid-range card with an SDXL model."""

NOMINAL_LOAD_SECONDS = 10.0
"""Seconds for loading another checkpoint until a backend's own are learned."""

PATIENCE_SECONDS = 120.0
PATIENCE_LOADS = 20.0
"""How long a picture whose turn it is may be passed over for what is loaded: so many seconds, or so many times what
loading takes where that is longer. With fewer than a dozen loads there is too little to gain from what is loaded."""

PATIENCE_FACTOR = 4.0
"""How many times its own length a job gives way to later, shorter ones of its owner."""

UPSCALE_STEPS = 2.0
"""An upscale takes about as long as so many steps of a picture of its finished size: it is one pass, tile by tile."""
DESCRIBE_WORK = 5.0
"""Megapixel-steps of a description: a second on a mid-range card, whatever the image; models shrink it first."""

CONTROL_SHARE = 0.4
"""What a control image adds to each step in which it counts. A ControlNet is a copy of the half of the model that
comes before its middle; of SD 1.5's and SDXL's a step then takes about 1.4 times as long. Adapters add less, and
references more; a webui doesn't say which it is before it draws."""

_MEGAPIXEL = 1_000_000


def work(
    width: float, height: float, steps: float, *, hires_scale: float | None = None, hires_steps: float = 0
) -> float:
    """Megapixel-steps of one picture. Sides are those of the first pass, in pixels.

    The second pass draws `hires_scale` times the side; its steps are those of the first where `hires_steps` is 0, as
    the webui counts.
    """
    pixels = width * height / _MEGAPIXEL
    second = 0.0 if hires_scale is None else pixels * hires_scale**2 * (hires_steps or steps)
    return pixels * steps + second


def work_of(request: GenerationRequest) -> float:
    """Megapixel-steps of one picture of this request, or what takes as long; of a comparison, of an average one."""
    if request.comparison is not UNSET:
        return sum(work_of(request.of(number)) for number in range(request.pictures)) / request.pictures
    if request.task == "describe":
        return DESCRIBE_WORK
    if request.task == "upscale":
        width, height = (
            API_SIDE if side is UNSET else side for side in (request.upscale_width, request.upscale_height)
        )
        return work(width, height, UPSCALE_STEPS)
    both_passes = work(
        API_SIDE if request.width is UNSET else request.width,
        API_SIDE if request.height is UNSET else request.height,
        API_STEPS if request.steps is UNSET else request.steps,
        hires_scale=None if request.hires_scale is UNSET else request.hires_scale,
        hires_steps=0 if request.hires_steps is UNSET else request.hires_steps,
    )
    return both_passes * (1 + CONTROL_SHARE * _controlled(request))


def _controlled(request: GenerationRequest) -> float:
    """How many control images count in a step, on average; in both passes, as they are sent."""
    return 0.0 if request.control is UNSET else sum(max(0.0, use.end - use.start) for use in request.control)


def rank_of(created_at: float, work: float, pictures: int) -> float:
    """A job's place among its owner's own, in seconds: small ones come before, but not for ever.

    A job is overtaken only by those that come within PATIENCE_FACTOR times its own nominal length after it.
    """
    return created_at + PATIENCE_FACTOR * work * pictures * NOMINAL_SECONDS


def patience(load_seconds: float | None) -> float:
    """Seconds for which a backend may pass over a picture whose turn it is because of what it has loaded."""
    return PATIENCE_SECONDS if load_seconds is None else max(PATIENCE_SECONDS, PATIENCE_LOADS * load_seconds)
