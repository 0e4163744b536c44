"""What is allowed: clamp with a note, or refuse with a sentence. Every limit stands here, and nowhere else. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import UNSET, UnsetType

from core.defaults import SEED_MAX
from core.effects import leave_out
from core.errors import UserError
from core.prompt import check_markup, tidy
from core.request import GenerationRequest
from core.size import EXAMPLES
from core.tags import check_tags, clamp_lora_tags, lora_tags

USUAL_SIDE = 1024
"""Pixels that are assumed where nobody said a size."""
LONGEST_SHAPE = 64
"""So many times as long as the other a side may be: what is more has lost its shape when it is within the limits."""
NUMBERS = (
    ("steps", "Steps", "steps"),
    ("cfg_scale", "CFG scale", "cfg_scale"),
    ("clip_skip", "CLIP skip", "clip_skip"),
    ("count", "Count", "count"),
    ("distilled_cfg", "Distilled CFG", "distilled_cfg"),
    ("hires_scale", "Hires", "hires_scale"),
    ("hires_steps", "Hires steps", "hires_steps"),
    ("hires_denoising_strength", "Hires denoise", "strength"),
    ("denoising_strength", "Denoising strength", "strength"),
    ("subseed_strength", "Subseed strength", "strength"),
    ("refiner_switch_at", "Refiner at", "strength"),
    ("eta", "Eta", "strength"),
    ("mask_blur", "Mask blur", "mask_blur"),
    ("inpaint_padding", "Padding", "inpaint_padding"),
    ("upscale_factor", "Factor", "upscale_factor"),
    ("upscaler_2_visibility", "The second upscaler's share", "strength"),
    ("gfpgan", "GFPGAN", "strength"),
    ("codeformer", "CodeFormer", "strength"),
    ("codeformer_weight", "CodeFormer's weight", "strength"),
)
"""A field, what people call it, and which limit it has."""


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range of numbers."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def clamp(self, value: float) -> float:
        """The nearest value inside the range."""
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one server allows. Sides and pixels are those of one finished picture."""

    prompt_characters: int = 6000  # all that a Discord option can carry
    steps: Range = field(default=Range(1, 150))  # AUTOMATIC1111's own slider
    cfg_scale: Range = field(default=Range(1, 30))  # the same
    clip_skip: Range = field(default=Range(1, 12))  # a text encoder has twelve layers
    count: Range = field(default=Range(1, 10))  # Discord's attachments in one message
    distilled_cfg: Range = field(default=Range(0, 30))  # Forge's slider
    hires_scale: Range = field(default=Range(1, 4))  # the webui's slider
    hires_steps: Range = field(default=Range(0, 150))  # 0: as many as the first pass
    hires_pixels: int = 4096 * 4096
    strength: Range = field(default=Range(0, 1))  # of denoising, of a variation, of the way to the refiner, eta
    mask_blur: Range = field(default=Range(0, 64))  # the webui's slider
    inpaint_padding: Range = field(default=Range(0, 256))  # the same
    lora_weight: Range = field(default=Range(-4, 4))
    loras: int = 10  # the option's and the prompt's together
    permutations: int = 50  # five messages of ten: an app without its bot may follow up five times
    control_weight: Range = field(default=Range(0, 2))  # ControlNet refuses anything else without a word
    side: Range = field(default=Range(64, 2048))
    pixels: int = 2048 * 2048
    upscale_factor: Range = field(default=Range(1, 8))  # what every webui takes
    upscale_side: int = 8192
    upscale_pixels: int = 8192 * 4096  # an RGB picture of it is 100 MB, in a webui and wherever it is looked at
    side_multiple: int = 8  # webuis floor to it while their infotext claims otherwise


@dataclass(frozen=True, slots=True)
class Checked:
    """A request within the limits, and what was changed to get there, in sentences for the person."""

    request: GenerationRequest
    notes: tuple[str, ...]


def check(request: GenerationRequest, limits: Limits) -> Checked:
    """Bring `request` within `limits`; UserError where no nearby value could be what the person meant."""
    notes: list[str] = []
    request = _check_texts(request, limits)
    _check_seed(request)
    request = leave_out(request, notes)
    request = clamp_numbers(request, limits, notes)
    request = _fit_size(request, limits, notes)
    request = _fit_second_pass(request, limits, notes)
    request = _clamp_loras(request, limits, notes)
    request = _clamp_controls(request, limits, notes)
    _check_last_seed(request)
    return Checked(request, tuple(notes))


def _check_texts(request: GenerationRequest, limits: Limits) -> GenerationRequest:
    prompt = tidy(request.prompt)
    if not prompt:
        raise UserError("The prompt is empty: say what you would like to see.")
    negative = request.negative_prompt if request.negative_prompt is UNSET else tidy(request.negative_prompt) or UNSET
    for name, text in (("prompt", prompt), ("negative prompt", negative)):
        if text is UNSET:
            continue
        check_markup(text)
        if len(text) > limits.prompt_characters:
            raise UserError(
                f"The {name} has {len(text):,} characters; at most {limits.prompt_characters:,} are allowed here."
            )
    if request.prompts is UNSET:  # else tags may be made by choices, and are looked at in the pictures' own prompts
        check_tags(prompt)
    return replace(request, prompt=prompt, negative_prompt=negative)


def _check_seed(request: GenerationRequest) -> None:
    for seed in (request.seed, request.subseed):
        if seed is not UNSET and not -1 <= seed <= SEED_MAX:
            raise UserError(f"A seed is a whole number from 0 to {SEED_MAX} (or -1 for any).")


def _check_last_seed(request: GenerationRequest) -> None:
    last = request.pictures - 1
    subseed = UNSET if request.subseed is UNSET else request.subseed + last
    if any(seed is not UNSET and seed > SEED_MAX for seed in (request.seed_of(last), subseed)):
        raise UserError(f"Seeds count up: with {request.pictures} pictures the first can be {SEED_MAX - last} at most.")


def clamp_numbers(request: GenerationRequest, limits: Limits, notes: list[str]) -> GenerationRequest:
    """Every number that was said within its limit; a note is added for each that was not."""
    for name, label, limit in NUMBERS:
        asked: int | float | UnsetType = getattr(request, name)
        allowed: Range = getattr(limits, limit)
        if asked is UNSET or asked in allowed:
            continue
        if isinstance(asked, float) and math.isnan(asked):  # which fails at whole numbers of hundreds of digits
            raise UserError(f"{label} must be a number.")
        clamped = type(asked)(allowed.clamp(asked))
        notes.append(f"{label} set to {clamped:g}: {allowed.low:g} to {allowed.high:g} are allowed here.")
        changes: dict[str, Any] = {name: clamped}
        request = replace(request, **changes)
    return request


def _fit_second_pass(request: GenerationRequest, limits: Limits, notes: list[str]) -> GenerationRequest:
    """The size that it leads to, too, has a limit; of a size that nobody said, a usual one is assumed."""
    if request.hires_scale is UNSET:
        return request
    width = USUAL_SIDE if request.width is UNSET else request.width
    height = USUAL_SIDE if request.height is UNSET else request.height
    most = math.floor(math.sqrt(limits.hires_pixels / (width * height)) * 100) / 100
    if request.hires_scale <= most:
        return request
    notes.append(f"Hires set to {most:g}: more would be larger than is allowed here.")
    return replace(request, hires_scale=most)


def _clamp_loras(request: GenerationRequest, limits: Limits, notes: list[str]) -> GenerationRequest:
    low, high = limits.lora_weight.low, limits.lora_weight.high
    prompt = clamp_lora_tags(request.prompt, low, high)
    uses = () if request.loras is UNSET else request.loras
    names = {*lora_tags(prompt), *(use.name for use in uses)}
    if len(names) > limits.loras and request.prompts is UNSET:  # else the prompt is what the pictures' own came from
        raise UserError(f"At most {limits.loras} LoRAs can be used at once.")
    if any(math.isnan(use.weight) for use in uses):
        raise UserError("A LoRA's weight must be a number.")
    clamped = tuple(replace(use, weight=limits.lora_weight.clamp(use.weight)) for use in uses)
    if (prompt, clamped) != (request.prompt, uses):
        notes.append(f"LoRA weights are {low:g} to {high:g} here.")
    return replace(request, prompt=prompt, loras=clamped if uses else request.loras)


def _clamp_controls(request: GenerationRequest, limits: Limits, notes: list[str]) -> GenerationRequest:
    if request.control is UNSET:
        return request
    if any(math.isnan(number) for use in request.control for number in (use.weight, use.start, use.end)):
        raise UserError("A control's weight, start and end must be numbers.")
    weight, strength = limits.control_weight, limits.strength
    clamped = tuple(
        replace(use, weight=weight.clamp(use.weight), start=strength.clamp(use.start), end=strength.clamp(use.end))
        for use in request.control
    )
    if any(use.start >= use.end for use in clamped):
        raise UserError("A control starts before it ends: 0 is the first step, 1 the last.")
    if clamped != request.control:
        notes.append(f"A control's weight is {weight.low:g} to {weight.high:g} here, its start and end 0 to 1.")
    most = int(limits.count.high) - sum(use.save_map for use in clamped)
    if request.pictures > most:
        notes.append(f"Count set to {most}: the map takes the place of a picture.")
        request = replace(request, count=most)
    return replace(request, control=clamped)


def _fit_size(request: GenerationRequest, limits: Limits, notes: list[str]) -> GenerationRequest:
    if request.width is UNSET and request.height is UNSET:
        return request
    # One side alone, as a default may name it, is a square.
    given = [side for side in (request.width, request.height) if side is not UNSET]
    width, height = given[0], given[-1]
    if not _is_size(width, height, limits):
        raise UserError(f"{width}x{height} is not a size for a picture. {EXAMPLES}.")
    fitted = _fit(width, height, limits)
    if fitted != (width, height):
        notes.append(f"Size set to {fitted[0]}x{fitted[1]} instead of {width}x{height}.")
    return replace(request, width=fitted[0], height=fitted[1])


def _is_size(width: int, height: int, limits: Limits) -> bool:
    short, long = sorted((width, height))
    return short > 0 and long <= LONGEST_SHAPE * short and long <= 100 * limits.side.high


def _fit(width: int, height: int, limits: Limits) -> tuple[int, int]:
    """The same shape within the limits, as nearly as they allow it."""
    scale = min(1.0, limits.side.high / max(width, height), math.sqrt(limits.pixels / (width * height)))
    short, long = (_side(side * scale, limits) for side in sorted((width, height)))
    if short * long > limits.pixels:  # the short side was raised, and the long one has to make up for it
        long = _side(limits.pixels / short, limits)
    return (short, long) if width <= height else (long, short)


def _side(side: float, limits: Limits) -> int:
    multiple = limits.side_multiple
    least = math.ceil(limits.side.low / multiple) * multiple
    return max(int(limits.side.clamp(side)) // multiple * multiple, least)
