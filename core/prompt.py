"""The text of prompts: what is tidied and what is refused before any webui sees it. Pure; tags are core.tags'."""

from __future__ import annotations

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
