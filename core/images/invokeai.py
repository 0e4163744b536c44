"""InvokeAI's keys: `invokeai_metadata`, before that `sd-metadata`, before that `Dream`. It reads texts, raises nothing.

The two older ones have no negative prompt of their own: it stands in square brackets inside the prompt. `Dream` is a
line of its command line: the prompt in quotes, then `-s 50 -S 1234 -W 512 ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from core.images.generation import Metadata, as_list, as_object, as_text, keep_said, pick, read_object, size_of

SOURCE = "InvokeAI"

_FIELDS = {
    "steps": "Steps",
    "scheduler": "Sampler",
    "cfg_scale": "CFG scale",
    "guidance": "Distilled CFG Scale",
    "cfg_rescale_multiplier": "CFG rescale",
    "seed": "Seed",
}
_LATER_FIELDS = {"strength": "Denoising strength", "rand_device": "RNG", "generation_mode": "Mode"}
_OLD_FIELDS = {"steps": "Steps", "sampler": "Sampler", "cfg_scale": "CFG scale", "seed": "Seed"}
_OLD_LATER_FIELDS = {"strength": "Denoising strength", "type": "Mode"}
_DREAM_FIELDS = {"s": "Steps", "A": "Sampler", "C": "CFG scale", "S": "Seed"}
_DREAM_OPTION = re.compile(r"(?:^|\s)-([A-Za-z])\s*([^\s-]\S*)")
_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def read(texts: Mapping[str, str]) -> Metadata | None:
    """What InvokeAI wrote, from the newest key that can be read; None where there is none."""
    for key, read_key in (("invokeai_metadata", _read_newest), ("sd-metadata", _read_old)):
        raw = texts.get(key, "")
        values = read_object(raw)
        if values:
            return read_key(values, raw)
    dream = texts.get("Dream", "") or texts.get("dream", "")
    return _read_dream(dream) if dream.strip() else None


def _read_newest(values: Mapping[str, object], raw: str) -> Metadata:
    fields = pick(values, _FIELDS) | keep_said(_models(values)) | pick(values, _LATER_FIELDS)
    prompts = (as_text(values.get(key)) for key in ("positive_prompt", "positive_style_prompt"))
    negatives = (as_text(values.get(key)) for key in ("negative_prompt", "negative_style_prompt"))
    return Metadata(
        SOURCE, _joined(prompts), _joined(negatives), MappingProxyType(fields | keep_said([_version(values)])), raw
    )


def _models(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield "Size", size_of(values)
    model = as_object(values.get("model"))
    yield "Model", _name(model)
    yield "Model hash", as_text(model.get("hash"))
    yield "VAE", _name(as_object(values.get("vae")))
    loras = (as_object(lora) for lora in as_list(values.get("loras")))
    yield "LoRA", ", ".join(f"{name}: {as_text(lora.get('weight')) or '1'}" for lora in loras if (name := _lora(lora)))
    skip = as_text(values.get("clip_skip"))
    yield "Clip skip", "" if skip == "0" else skip


def _name(model: Mapping[str, object]) -> str:
    return as_text(model.get("name")) or as_text(model.get("model_name"))


def _lora(lora: Mapping[str, object]) -> str:
    return _name(as_object(lora.get("lora"))) or _name(as_object(lora.get("model")))


def _version(values: Mapping[str, object]) -> tuple[str, str]:
    version = as_text(values.get("app_version"))
    return "Version", f"{SOURCE} {version}" if version else ""


def _joined(texts: Iterator[str]) -> str:
    return "\n".join(dict.fromkeys(text for text in texts if text))


def _read_old(values: Mapping[str, object], raw: str) -> Metadata:
    image = as_object(values.get("image"))
    written = image.get("prompt")
    parts = [as_text(as_object(part).get("prompt")) for part in as_list(written)]
    prompt, negative = _split_negative(as_text(written) or ", ".join(part for part in parts if part))
    further = (
        ("Size", size_of(image)),
        ("Model", as_text(values.get("model_weights")) or as_text(values.get("model"))),
        ("Model hash", as_text(values.get("model_hash"))),
        _version(values),
    )
    fields = pick(image, _OLD_FIELDS) | keep_said(further) | pick(image, _OLD_LATER_FIELDS)
    return Metadata(SOURCE, prompt, negative, MappingProxyType(fields), raw)


def _read_dream(raw: str) -> Metadata:
    text = raw.strip()
    quoted, found, options = text.rpartition('" -') if text.startswith('"') else text.partition(" -")
    if not found:
        quoted, options = text, ""
    prompt, negative = _split_negative(quoted.strip('"'))
    values: dict[str, object] = dict(_DREAM_OPTION.findall("-" + options))
    size = size_of({"width": values.get("W"), "height": values.get("H")})
    fields = pick(values, _DREAM_FIELDS) | keep_said([("Size", size), ("Denoising strength", as_text(values.get("f")))])
    return Metadata(SOURCE, prompt, negative, MappingProxyType(fields), raw)


def _split_negative(text: str) -> tuple[str, str]:
    negative = ", ".join(part.strip(" ,") for part in _IN_BRACKETS.findall(text) if part.strip(" ,"))
    return _IN_BRACKETS.sub("", text).replace(" ,", ",").strip(" ,") if negative else text.strip(), negative
