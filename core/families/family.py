"""One family of checkpoints as a value. It knows no table and no names of files."""

from __future__ import annotations

from dataclasses import dataclass

SETTINGS = ("width", "height", "steps", "cfg_scale", "sampler", "scheduler", "clip_skip", "distilled_cfg")
"""What a family may say, by the names that a request has for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A base (SDXL) with or without a variant (Lightning). A setting of None is the webui's own to decide.

    Sides are in pixels, and shapes are rounded to `multiple` of them. `distilled` checkpoints draw in few steps. `base`
    is one of core.families.bases.BASES, None where nobody says it.
    """

    name: str
    title: str
    variant: str = ""
    variant_title: str = ""
    distilled: bool = False
    base: str | None = None
    multiple: int = 64
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    clip_skip: int | None = None
    distilled_cfg: float | None = None

    @property
    def key(self) -> str:
        """`sdxl` or `sdxl/lightning`: how a correction names it."""
        return f"{self.name}/{self.variant}" if self.variant else self.name

    @property
    def pixels(self) -> int | None:
        """How many pixels a picture has that nobody gave a size for; None where the family says nothing of it."""
        return self.width * self.height if self.width and self.height else None

    def __str__(self) -> str:
        return f"{self.title} {self.variant_title}".strip()


UNKNOWN = Family(name="unknown", title="unknown")
"""Says nothing: everything is left to the webui."""
