"""The files a webui has: checkpoints, VAEs, LoRAs, upscalers, and the names by which it finds them. No HTTP."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

INSTALL_DIR = "/opt/stable-diffusion-webui"
LATENT_MODES = (
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
)
_EXTENSION = ".safetensors"
_LORA_TAG = re.compile(r"<lora:([^:>]+)[^>]*>")


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint file. Its hash is unknown (None) until it was loaded once, and so its title changes then."""

    file: str
    hashed: bool = False

    @property
    def stem(self) -> str:
        """The name in infotexts and `model_name`."""
        return self.file.removesuffix(_EXTENSION)

    @property
    def sha256(self) -> str:
        """The digest the file would have."""
        return hashlib.sha256(self.file.encode()).hexdigest()

    @property
    def short_hash(self) -> str:
        """The 10 hex digits shown in titles and infotexts."""
        return self.sha256[:10]

    @property
    def title(self) -> str:
        """What `/sd-models` calls it now."""
        return f"{self.file} [{self.short_hash}]" if self.hashed else self.file

    def names(self) -> set[str]:
        """Every spelling `sd_model_checkpoint` takes for it."""
        names = {self.file, self.stem}
        if self.hashed:
            short = self.short_hash
            names |= {self.title, self.sha256, short, f"{self.stem} [{short}]"}
        return names

    def as_json(self) -> dict[str, Any]:
        """The item of `GET /sdapi/v1/sd-models`."""
        return {
            "title": self.title,
            "model_name": self.stem,
            "hash": self.short_hash if self.hashed else None,
            "sha256": self.sha256 if self.hashed else None,
            "filename": f"{INSTALL_DIR}/models/Stable-diffusion/{self.file}",
            "config": None,
        }


@dataclass(frozen=True, slots=True)
class Upscaler:
    """An upscaler; `model` is where its weights come from, None for the two plain resizers."""

    name: str
    model: str | None = None
    scale: float = 4.0


UPSCALERS: tuple[Upscaler, ...] = (
    Upscaler("None"),
    Upscaler("Lanczos"),
    Upscaler("Nearest"),
    Upscaler("ESRGAN_4x", f"{INSTALL_DIR}/models/ESRGAN/ESRGAN_4x.pth"),
    Upscaler("R-ESRGAN 4x+", f"{INSTALL_DIR}/models/RealESRGAN/RealESRGAN_x4plus.pth"),
    Upscaler("R-ESRGAN 4x+ Anime6B", f"{INSTALL_DIR}/models/RealESRGAN/RealESRGAN_x4plus_anime_6B.pth"),
)


@dataclass(slots=True)
class Catalog:
    """What this webui has. `styles` maps a style's name to its prompt and negative prompt."""

    checkpoints: list[Checkpoint]
    loras: list[str] = field(default_factory=list)
    vaes: list[str] = field(default_factory=lambda: ["vae-ft-mse-840000-ema-pruned.safetensors"])
    upscalers: Sequence[Upscaler] = UPSCALERS
    styles: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"watercolour": ("watercolour painting, soft edges", "photo")}
    )

    def find(self, name: Any) -> Checkpoint | None:
        """The checkpoint that goes by this name, exactly and case-sensitively."""
        return next((each for each in self.checkpoints if name in each.names()), None)

    def has_upscaler(self, name: str, *, latent: bool = False) -> bool:
        """Whether the name is an upscaler, or with `latent` a latent upscale mode."""
        return any(each.name == name for each in self.upscalers) or (latent and name in LATENT_MODES)

    def lora_hashes(self, prompt: str) -> str | None:
        """The infotext's "Lora hashes" for the known `<lora:...>` tags of a prompt; unknown ones are ignored."""
        known = dict.fromkeys(name for name in _LORA_TAG.findall(prompt) if name in self.loras)
        pairs = [f"{name}: {hashlib.sha256(name.encode()).hexdigest()[:12]}" for name in known]
        return ", ".join(pairs) or None

    def apply_styles(self, prompt: str, negative: str, names: Sequence[str]) -> tuple[str, str]:
        """Both texts with the known styles merged in; unknown styles are ignored."""
        for name in names:
            extra, extra_negative = self.styles.get(name, ("", ""))
            prompt = _join(prompt, extra)
            negative = _join(negative, extra_negative)
        return prompt, negative


def _join(text: str, style: str) -> str:
    if "{prompt}" in style:
        return style.replace("{prompt}", text)
    return ", ".join(part for part in (text.strip(), style.strip()) if part) if style else text
