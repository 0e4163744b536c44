"""The infotext: written and read by the grammar of webui 1.10.1. Knows no image format and no HTTP."""

import json
import re
from collections.abc import Mapping
from typing import Any

VERSION = "v1.10.1"
_VALUE = r'"(?:[^"\\]|\\.)+"|[^,]*'
_PAIR = re.compile(rf"(?P<key>\w[\w /-]+):\s*(?P<value>{_VALUE})\s*(?:,\s*|$)")
_SIZE = re.compile(r"(\d+)x(\d+)")
_LABEL = "Negative prompt:"

# What the server adds to a parsed text although it never stood in it.
READ_DEFAULTS: dict[str, Any] = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Cache FP16 weight for LoRA": False,
    "Emphasis": "Original",
    "Refiner switch by sampling steps": False,
}


def write_infotext(prompt: str, negative: str, pairs: Mapping[str, Any]) -> str:
    """Prompt lines, the negative prompt's lines if there are any, and one line of pairs; None values are left out."""
    line = ", ".join(_write_pair(key, value) for key, value in pairs.items() if value is not None)
    middle = f"\n{_LABEL} {negative}" if negative else ""
    return f"{prompt}{middle}\n{line}".strip()


def _write_pair(key: str, value: Any) -> str:
    return key if key == value else f"{key}: {_quote(str(value))}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ",\n:") else text


def read_infotext(text: str, defaults: Mapping[str, Any] = READ_DEFAULTS) -> dict[str, Any]:
    """The `parameters` of `/png-info`: the pairs as strings, the two prompts, and the server's own additions."""
    *lines, last = text.strip().split("\n")
    if len(_PAIR.findall(last)) < 3:  # fewer pairs than that are taken for a line of the prompt
        lines.append(last)
        last = ""
    values = _read_pairs(last)
    prompt, negative = _read_prompts(lines)
    values["Prompt"], values["Negative prompt"] = prompt, negative
    return values | {key: value for key, value in defaults.items() if key not in values}


def _read_pairs(line: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, raw in _PAIR.findall(line):
        value = _unquote(raw)
        if size := _SIZE.fullmatch(value):
            values[f"{key}-1"], values[f"{key}-2"] = size.groups()
        elif value:
            values[key] = value
    return values


def _unquote(raw: str) -> str:
    if not (len(raw) > 1 and raw.startswith('"') and raw.endswith('"')):
        return raw
    try:
        return str(json.loads(raw))
    except ValueError:
        return raw


def _read_prompts(lines: list[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    target = prompt
    for line in (each.strip() for each in lines):
        if line.startswith(_LABEL):
            target = negative
            target.append(line.removeprefix(_LABEL).strip())
        else:
            target.append(line)
    return "\n".join(prompt), "\n".join(negative)
