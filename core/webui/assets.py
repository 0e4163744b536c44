"""What a webui has besides checkpoints, samplers and schedulers: LoRAs, VAEs, upscalers, styles. Data and look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import PurePosixPath

from core.webui.control_types import ControlType, merge_control_types
from core.webui.names import CHOICE_LENGTH, NameIndex, fold, utf16_length


@dataclass(frozen=True, slots=True)
class Lora:
    """One LoRA file: `name` is what a prompt's tag says, `path` what sd.cpp wants (its list says nothing else)."""

    name: str
    alias: str = ""
    path: str = ""


# Not slotted: the look-up tables are built once, when they are first needed.
@dataclass(frozen=True)
class Assets:
    """The lists of one webui, or of several merged; a list whose route is missing or failed is empty.

    `modules` are Forge's VAEs and text encoders; `latent_upscalers` are only for a second pass. `face_models` are
    ADetailer's, `control_types` ControlNet's, `scripts` the titles of what runs with every picture, in small letters.
    """

    loras: tuple[Lora, ...] = ()
    vaes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    upscalers: tuple[str, ...] = ()
    latent_upscalers: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    face_models: tuple[str, ...] = ()
    control_types: tuple[ControlType, ...] = ()
    scripts: frozenset[str] = frozenset()

    @cached_property
    def lora_names(self) -> NameIndex:
        return name_index([lora.name for lora in self.loras])

    @cached_property
    def style_names(self) -> NameIndex:
        return name_index(self.styles)

    @cached_property
    def upscaler_names(self) -> NameIndex:
        return name_index((*self.latent_upscalers, *self.upscalers))

    @cached_property
    def enlarger_names(self) -> NameIndex:
        return name_index(self.upscalers)

    @cached_property
    def vae_names(self) -> NameIndex:
        return name_index((*self.vaes, *self.modules))

    @cached_property
    def control_names(self) -> NameIndex:
        return name_index([control.name for control in self.control_types])

    @cached_property
    def _loras_by_name(self) -> dict[str, Lora]:
        found = {fold(lora.name): lora for lora in reversed(self.loras)}
        for others in (_alias, _without_ending, _without_folder):  # a LoRA's own name is nobody else's
            for lora in self.loras:
                if name := others(lora):
                    found.setdefault(fold(name), lora)
        return found

    def find_lora(self, wanted: str) -> Lora | None:
        """The LoRA of that name or alias, any case, with or without its file ending."""
        wanted = fold(wanted.strip())
        return self._loras_by_name.get(wanted) or self._loras_by_name.get(_bare(_fold(wanted)))

    def prepare(self) -> None:
        """Build the look-up tables now."""
        _ = self.lora_names, self._loras_by_name, self.style_names, self.upscaler_names, self.vae_names
        _ = self.enlarger_names


def find(names: Iterable[str], wanted: str) -> str | None:
    """The name as the webui spells it, any case, with or without a model file's ending; the whole name comes first."""
    folded, found = _fold(wanted), None
    bare = _bare(folded)
    for name in names:
        this = _fold(name)
        if this == folded:
            return name
        if found is None and _bare(this) == bare:
            found = name
    return found


def name_index(names: Sequence[str]) -> NameIndex:
    """A search over names; those too long for a choice's value are left out."""
    return NameIndex(names, lambda number: names[number] if utf16_length(names[number]) <= CHOICE_LENGTH else None)


def merge_assets(every: Sequence[Assets]) -> Assets:
    """The union of several webuis' lists; the first spelling counts."""
    if len(every) == 1:
        return every[0]
    loras: dict[str, Lora] = {}
    for lora in (lora for assets in every for lora in assets.loras):
        loras.setdefault(fold(lora.name), lora)
    names = {
        one.name: _union(getattr(assets, one.name) for assets in every)
        for one in fields(Assets)
        if one.name not in ("loras", "control_types", "scripts")
    }
    control_types = merge_control_types(assets.control_types for assets in every)
    scripts = frozenset().union(*(assets.scripts for assets in every))
    return Assets(loras=tuple(loras.values()), control_types=control_types, scripts=scripts, **names)


_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".sft", ".gguf", ".bin")


def _union(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    union: dict[str, str] = {}
    for name in (name for names in lists for name in names):
        union.setdefault(fold(name), name)
    return tuple(union.values())


def _alias(lora: Lora) -> str:
    return lora.alias


def _without_ending(lora: Lora) -> str:
    return _bare(_fold(lora.name))


def _without_folder(lora: Lora) -> str:
    return PurePosixPath(_without_ending(lora)).name


def _fold(name: str) -> str:
    return fold(name.strip().replace("\\", "/"))


def _bare(folded: str) -> str:
    return next((folded.removesuffix(ending) for ending in _ENDINGS if folded.endswith(ending)), folded)
