"""What a person asked for, in the field's own words. It knows names and types; it sets no limits and no defaults."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One `/draw`: a field that is UNSET was not said, and is left out of the JSON and of the payload.

    Sizes are pixels of the finished picture, `seed` is that of the first picture (the following ones count up),
    `clip_skip` counts layers from the end (1 is the last one, as webuis count).
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
    spoiler: bool = False
    private: bool = False

    @property
    def pictures(self) -> int:
        """How many pictures are asked for; one where nobody said a number."""
        return 1 if self.count is UNSET else self.count

    def to_json(self) -> str:
        """The request as it is kept in a job's row."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> GenerationRequest:
        """Read a row's JSON back; msgspec.ValidationError where it isn't one of ours."""
        return msgspec.json.decode(text, type=cls)
