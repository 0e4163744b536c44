"""The text of prompts: what is tidied and what is refused before any webui sees it. Pure."""

from __future__ import annotations

import math
import re
import unicodedata

from core.errors import UserError

_EXTRA_ARGS = re.compile(r"<\s*/?\s*sd_cpp_extra_args", re.IGNORECASE)


def tidy(text: str) -> str:
    """The prompt without control characters (newlines stay), in NFC, without blanks around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (character for character in text if character == "\n" or unicodedata.category(character) not in {"Cc", "Cs"})
    # At last, since a letter and its accent may have become neighbours only now.
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def check_markup(text: str) -> None:
    """Refuse markup that would steer a server rather than a picture.

    stable-diffusion.cpp reads native parameters out of `<sd_cpp_extra_args>` in a prompt. Control characters and
    invisible format characters are looked through, so that they can't hide the tag.
    """
    visible = "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cf"})
    if _EXTRA_ARGS.search(visible) or _EXTRA_ARGS.search(unicodedata.normalize("NFKC", visible)):
        raise UserError("The tag <sd_cpp_extra_args> is not allowed in a prompt; leave it out and try again.")


_LORA = re.compile(r"<\s*(?:lora|lyco)\s*:\s*([^:<>]+?)\s*(?::\s*([^:<>]*?)\s*)?(?::[^<>]*)?>", re.IGNORECASE)


def lora_tags(text: str) -> tuple[str, ...]:
    """The names in the prompt's `<lora:name:weight>` tags, in their order."""
    return tuple(dict.fromkeys(found[1] for found in _LORA.finditer(text)))


def take_lora_tags(text: str) -> tuple[str, tuple[tuple[str, float], ...]]:
    """The prompt without its LoRA tags, and what they said; a weight that is no number is 1."""
    found = tuple((tag[1], _weight(tag[2])) for tag in _LORA.finditer(text))
    return re.sub(r" {2,}", " ", _LORA.sub(" ", text)).strip(), found


def clamp_lora_tags(text: str, low: float, high: float) -> str:
    """The prompt with its LoRA tags' weights inside of these; words in their place stay: some webuis read them."""

    def clamp(tag: re.Match[str]) -> str:
        try:
            said = float(tag[2] or 1.0)
        except ValueError:
            return tag[0]
        inside = min(max(_weight(tag[2]), low), high)
        if said == inside:
            return tag[0]
        start, end = (place - tag.start() for place in tag.span(2))
        return f"{tag[0][:start]}{inside:g}{tag[0][end:]}"

    return _LORA.sub(clamp, text)


def _weight(text: str | None) -> float:
    try:
        weight = float(text or 1.0)
    except ValueError:
        return 1.0
    return weight if math.isfinite(weight) else 1.0
