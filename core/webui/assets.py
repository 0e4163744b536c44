"""What a webui has besides checkpoints, samplers and schedulers: LoRAs, VAEs, upscalers, styles. Data and look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import PurePosixPath

from core.webui.names import CHOICE_LENGTH, NameIndex, utf16_length


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
    ADetailer's, `scripts` the titles of what runs with every picture, in small letters.
    """

    loras: tuple[Lora, ...] = ()
    vaes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    upscalers: tuple[str, ...] = ()
    latent_upscalers: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    face_models: tuple[str, ...] = ()
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
    def vae_names(self) -> NameIndex:
        return name_index((*self.vaes, *self.modules))

    @cached_property
    def _loras_by_name(self) -> dict[str, Lora]:
        found: dict[str, Lora] = {}
        for lora in self.loras:
            for name in (lora.name, lora.alias, PurePosixPath(lora.name).stem):
                found.setdefault(name.casefold(), lora)
        return found

    def find_lora(self, wanted: str) -> Lora | None:
        """The LoRA of that name or alias, any case, with or without its file ending."""
        return self._loras_by_name.get(wanted.strip().casefold())

    def prepare(self) -> None:
        """Build the look-up tables now."""
        _ = self.lora_names, self._loras_by_name, self.style_names, self.upscaler_names, self.vae_names


def find(names: Iterable[str], wanted: str) -> str | None:
    """The name as the webui spells it, any case, with or without a model file's ending."""
    folded = _bare(wanted)
    return next((name for name in names if _bare(name) == folded), None)


def name_index(names: Sequence[str]) -> NameIndex:
    """A search over names; those too long for a choice's value are left out."""
    return NameIndex(names, lambda number: names[number] if utf16_length(names[number]) <= CHOICE_LENGTH else None)


def merge_assets(every: Sequence[Assets]) -> Assets:
    """The union of several webuis' lists; the first spelling counts."""
    if len(every) == 1:
        return every[0]
    loras = {lora.name.casefold(): lora for assets in reversed(every) for lora in assets.loras}
    names = {
        one.name: tuple({name.casefold(): name for assets in every for name in getattr(assets, one.name)}.values())
        for one in fields(Assets)
        if one.name not in ("loras", "scripts")
    }
    scripts = frozenset().union(*(assets.scripts for assets in every))
    return Assets(loras=tuple(loras.values()), scripts=scripts, **names)


_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".sft", ".gguf", ".bin")


def _bare(name: str) -> str:
    folded = name.strip().replace("\\", "/").casefold()
    return next((folded.removesuffix(ending) for ending in _ENDINGS if folded.endswith(ending)), folded)
