"""The files a webui has: checkpoints, VAEs, LoRAs, upscalers, and the names by which it finds them. No HTTP."""

import hashlib
import re
from collections.abc import Iterable, Sequence
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
MODULES = ("ae.safetensors", "clip_l.safetensors", "t5xxl_fp16.safetensors")
_EXTENSION = ".safetensors"
_LORA_TAG = re.compile(r"<lora:([^:>]+)(?::([^:>]*))?[^>]*>")


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint file. Its hash is unknown (None) until it was loaded once, and so its title changes then.

    `broken`: loading it fails. `distilled`: a model with its own guidance, as Flux. `modules`: the text encoders and
    the VAE without which a Forge draws black.
    """

    file: str
    hashed: bool = False
    broken: bool = False
    distilled: bool = False
    modules: tuple[str, ...] = ()

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
    modules: list[str] = field(default_factory=lambda: list(MODULES))
    embeddings: list[str] = field(default_factory=lambda: ["EasyNegative"])
    upscalers: Sequence[Upscaler] = UPSCALERS
    styles: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"watercolour": ("watercolour painting, soft edges", "photo")}
    )
    _arrived: list[tuple[str, str]] = field(default_factory=list, init=False)

    def arrive(self, kind: str, file: str) -> None:
        """Put a file into its folder; the lists show it after the next refresh of that kind.

        `kind` is "checkpoints", "loras", "vae" or "embeddings", as in the routes /refresh-….
        """
        self._arrived.append((kind, file))

    def refresh(self, kind: str) -> None:
        """Read the folder of that kind again."""
        for file in [file for arrived, file in self._arrived if arrived == kind]:
            if kind == "checkpoints":
                self.checkpoints.append(Checkpoint(file))
            else:
                {"loras": self.loras, "vae": self.vaes, "embeddings": self.embeddings}[kind].append(file)
        self._arrived = [each for each in self._arrived if each[0] != kind]

    def find(self, name: Any) -> Checkpoint | None:
        """The checkpoint that goes by this name, exactly and case-sensitively."""
        return next((each for each in self.checkpoints if name in each.names()), None)

    def has_upscaler(self, name: str, *, latent: bool = False) -> bool:
        """Whether the name is an upscaler, or with `latent` a latent upscale mode."""
        return any(each.name == name for each in self.upscalers) or (latent and name in LATENT_MODES)

    def lora_hashes(self, prompt: str) -> str | None:
        """The infotext's "Lora hashes" for the known `<lora:...>` tags of a prompt; unknown ones are ignored."""
        return _hashes(dict.fromkeys(name for name, _ in lora_tags(prompt) if name in self.loras))

    def embedding_hashes(self, *texts: str) -> str | None:
        """The infotext's "TI hashes" for the embeddings whose names stand in the texts as words."""
        words = set(re.findall(r"[\w.-]+", " ".join(texts)))
        return _hashes(dict.fromkeys(name for name in self.embeddings if name in words))

    def find_module(self, name: str) -> str | None:
        """The module that a name or path means; only its last part counts."""
        base = name.replace("\\", "/").rpartition("/")[2]
        return next((each for each in self.modules if base in (each, stem(each))), None)

    def apply_styles(self, prompt: str, negative: str, names: Sequence[str]) -> tuple[str, str]:
        """Both texts with the known styles merged in; unknown styles are ignored."""
        for name in names:
            extra, extra_negative = self.styles.get(name, ("", ""))
            prompt = _join(prompt, extra)
            negative = _join(negative, extra_negative)
        return prompt, negative


def stem(file: str) -> str:
    """The file's name without its extension."""
    return file.removesuffix(_EXTENSION)


def lora_tags(prompt: str) -> list[tuple[str, str]]:
    """The name and the weight's text ("" if there is none) of every `<lora:name:weight>` in a prompt."""
    return _LORA_TAG.findall(prompt)


def _hashes(names: Iterable[str]) -> str | None:
    pairs = [f"{name}: {hashlib.sha256(name.encode()).hexdigest()[:12]}" for name in names]
    return ", ".join(pairs) or None


def _join(text: str, style: str) -> str:
    if "{prompt}" in style:
        return style.replace("{prompt}", text)
    return ", ".join(part for part in (text.strip(), style.strip()) if part) if style else text
