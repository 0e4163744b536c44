"""What a person asked for, in the field's own words. It knows names and types; it sets no limits and no defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

ResizeMode = Literal["stretch", "crop", "fill", "latent"]
"""How an image comes to the picture's size; "latent" stretches it after it was encoded."""
InpaintArea = Literal["whole", "masked"]
"""Whether the whole picture is drawn anew, or the surroundings of the mask alone, at full size."""
MaskedContent = Literal["fill", "original", "noise", "nothing"]
"""What is under the mask when drawing begins."""
Task = Literal["draw", "upscale", "describe"]
"""What is asked for: pictures, a larger one of an image, or words about an image."""
Describer = Literal["clip", "deepdanbooru", "caption"]
"""What finds the words: A1111's two interrogators, or a model made for captions."""


@dataclass(frozen=True, slots=True)
class LoraUse:
    """A LoRA by its name, and how strongly it takes part."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlUse:
    """An image that guides a picture, by the key of a stored input, and how: ControlNet's type ("depth").

    `weight` is 0 to 2; it counts from `start` to `end` of the steps, both 0 to 1. Without `preprocess` the image is a
    map already. `save_map`: the preprocessor's map is shown, too. `base` is what the checkpoint is built on (`sdxl`),
    and so what ControlNet's model has to be made for; UNSET where that isn't known.
    """

    type: str
    image: str = ""
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    preprocess: bool = True
    save_map: bool = False
    base: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What one picture of a comparison has for itself: fields of its request, in the place of the whole job's."""

    checkpoint: str | UnsetType = UNSET
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    steps: int | UnsetType = UNSET
    cfg_scale: float | UnsetType = UNSET
    sampler: str | UnsetType = UNSET
    scheduler: str | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    clip_skip: int | UnsetType = UNSET
    loras: tuple[LoraUse, ...] | UnsetType = UNSET
    vae: str | UnsetType = UNSET
    distilled_cfg: float | UnsetType = UNSET
    hires_scale: float | UnsetType = UNSET
    hires_upscaler: str | UnsetType = UNSET
    hires_steps: int | UnsetType = UNSET
    hires_denoising_strength: float | UnsetType = UNSET
    denoising_strength: float | UnsetType = UNSET
    filled: tuple[str, ...] | UnsetType = UNSET

    @property
    def fields(self) -> dict[str, Any]:
        """What it has."""
        return {name: value for name in VARIED if (value := getattr(self, name)) is not UNSET}


VARIED: tuple[str, ...] = tuple(field.name for field in fields(Variant))


@dataclass(frozen=True, slots=True)
class Axis:
    """What is compared: the key as people type it, and the values that they gave it, one for each column or row."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pictures with one seed that differ in one or two things: the columns' axis, the rows', and each picture's own.

    The pictures are counted row by row.
    """

    axes: tuple[Axis, ...]
    variants: tuple[Variant, ...]

    @property
    def varied(self) -> frozenset[str]:
        """The fields in which its pictures differ."""
        return frozenset(name for variant in self.variants for name in variant.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One `/draw`, `/upscale` or `/describe`.

    A field that is UNSET was not said, and is left out of the JSON and of the payload.

    Sizes are pixels of the finished picture, `seed` is that of the first picture (the following ones count up),
    `clip_skip` counts layers from the end (1 is the last one, as webuis count). `vae` may be several names with commas
    between them, where a webui takes a VAE and text encoders. `image` and `mask` are keys of stored inputs: the image
    that is drawn over with `denoising_strength` (0 to 1), and where (white is drawn). `hires_…` is the second pass,
    `hires_scale` times the side. `face_fix` draws faces anew, or restores them, whatever the webui can. `prompts` and
    `negative_prompts` are those of the single pictures, where choices in the prompt made them differ. `control` are
    images that guide it. `filled` names fields that nobody said: a webui that can't be told them draws without. `shape`
    is a width and a height, as of an image, in whose ratio the picture is, until its size is known; no row has it.
    With a `comparison` what its pictures differ in is there alone. `sheet`: all pictures are shown on one more, too.

    An upscale and a description have no prompt, and `width` and `height` are those of their image. `upscale_width` and
    `upscale_height` are the finished picture's: with an `upscale_factor` they follow from it, else the picture is cut
    to them. How visible the second upscaler, GFPGAN and CodeFormer are, and CodeFormer's weight, is 0 to 1.
    """

    prompt: str
    negative_prompt: str | UnsetType = UNSET
    checkpoint: str | UnsetType = UNSET
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    steps: int | UnsetType = UNSET
    cfg_scale: float | UnsetType = UNSET
    sampler: str | UnsetType = UNSET
    scheduler: str | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    count: int | UnsetType = UNSET
    clip_skip: int | UnsetType = UNSET
    styles: tuple[str, ...] | UnsetType = UNSET
    loras: tuple[LoraUse, ...] | UnsetType = UNSET
    vae: str | UnsetType = UNSET
    distilled_cfg: float | UnsetType = UNSET
    hires_scale: float | UnsetType = UNSET
    hires_upscaler: str | UnsetType = UNSET
    hires_steps: int | UnsetType = UNSET
    hires_denoising_strength: float | UnsetType = UNSET
    hires_sampler: str | UnsetType = UNSET
    hires_scheduler: str | UnsetType = UNSET
    image: str | UnsetType = UNSET
    denoising_strength: float | UnsetType = UNSET
    resize_mode: ResizeMode | UnsetType = UNSET
    mask: str | UnsetType = UNSET
    mask_blur: int | UnsetType = UNSET
    mask_invert: bool | UnsetType = UNSET
    masked_content: MaskedContent | UnsetType = UNSET
    inpaint_area: InpaintArea | UnsetType = UNSET
    inpaint_padding: int | UnsetType = UNSET
    face_fix: bool | UnsetType = UNSET
    refiner_checkpoint: str | UnsetType = UNSET
    refiner_switch_at: float | UnsetType = UNSET
    tiling: bool | UnsetType = UNSET
    subseed: int | UnsetType = UNSET
    subseed_strength: float | UnsetType = UNSET
    eta: float | UnsetType = UNSET
    control: tuple[ControlUse, ...] | UnsetType = UNSET
    shape: tuple[int, int] | UnsetType = UNSET
    prompts: tuple[str, ...] | UnsetType = UNSET
    negative_prompts: tuple[str, ...] | UnsetType = UNSET
    comparison: Comparison | UnsetType = UNSET
    sheet: bool | UnsetType = UNSET
    filled: tuple[str, ...] | UnsetType = UNSET
    task: Task = "draw"
    upscale_factor: float | UnsetType = UNSET
    upscale_width: int | UnsetType = UNSET
    upscale_height: int | UnsetType = UNSET
    upscaler: str | UnsetType = UNSET
    upscaler_2: str | UnsetType = UNSET
    upscaler_2_visibility: float | UnsetType = UNSET
    gfpgan: float | UnsetType = UNSET
    codeformer: float | UnsetType = UNSET
    codeformer_weight: float | UnsetType = UNSET
    describe_with: Describer | UnsetType = UNSET
    spoiler: bool = False
    private: bool = False

    @property
    def pictures(self) -> int:
        """How many pictures are asked for; one where nobody said a number."""
        return 1 if self.count is UNSET else self.count

    @property
    def input_keys(self) -> tuple[str, ...]:
        """The keys of the stored images that it needs, each once."""
        controls = () if self.control is UNSET else tuple(use.image for use in self.control)
        return tuple(dict.fromkeys(key for key in (self.image, self.mask, *controls) if key is not UNSET and key))

    @property
    def as_said(self) -> GenerationRequest:
        """The same without what was filled in."""
        if self.filled is UNSET:
            return self
        nothing: dict[str, Any] = dict.fromkeys((*self.filled, "filled"), UNSET)
        return replace(self, **nothing)

    @property
    def is_variation(self) -> bool:
        """Whether its pictures are variations of one seed: webuis then count the subseed up, and not the seed."""
        return self.subseed_strength is not UNSET and self.subseed_strength > 0

    def seed_of(self, number: int) -> int | UnsetType:
        """The seed of one of its pictures, from 0."""
        if self.comparison is not UNSET:
            own = self.comparison.variants[number].seed
            return self.seed if own is UNSET else own
        return self.seed if self.seed is UNSET or self.is_variation else self.seed + number

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those of its pictures; none where the first is not known yet."""
        return tuple(seed for number in range(self.pictures) if (seed := self.seed_of(number)) is not UNSET)

    def of(self, number: int) -> GenerationRequest:
        """One of its pictures, from 0, as a request of its own: with the seed that one webui would have used for it.

        Maps of control images come with the first one: they are the same for all.
        """
        control = self.control
        if control is not UNSET and number:
            control = tuple(replace(use, save_map=False) for use in control)
        return replace(
            self,
            **self._own(number),
            count=UNSET,
            prompt=self.prompt if self.prompts is UNSET else self.prompts[number],
            negative_prompt=self.negative_prompt
            if self.negative_prompts is UNSET
            else self.negative_prompts[number] or UNSET,
            control=control,
            prompts=UNSET,
            negative_prompts=UNSET,
            comparison=UNSET,
            sheet=UNSET,
        )

    def _own(self, number: int) -> dict[str, Any]:
        """What differs from picture to picture: of a comparison not even the noise, unless that is compared."""
        if self.comparison is not UNSET:
            return self.comparison.variants[number].fields
        return {
            "seed": self.seed_of(number),
            "subseed": UNSET if self.subseed is UNSET else self.subseed + number,
        }

    def part(self, first: int, pictures: int) -> GenerationRequest:
        """So many of its pictures, from number `first` on, as a request of its own; `seed` and prompts as they were."""
        end = first + pictures
        return replace(
            self,
            seed=self.seed_of(first),
            subseed=UNSET if self.subseed is UNSET else self.subseed + first,
            count=pictures,
            prompts=UNSET if self.prompts is UNSET else self.prompts[first:end],
            negative_prompts=UNSET if self.negative_prompts is UNSET else self.negative_prompts[first:end],
        )

    def to_json(self) -> str:
        """The request as it is kept in a job's row."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> GenerationRequest:
        """Read a row's JSON back; msgspec.ValidationError where it isn't one of ours."""
        return msgspec.json.decode(text, type=cls)
