"""What an answer says that its picture was made with: the only sign of what may fail without a word. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.images import infotext


def said_of(info: Mapping[str, Any], text: str | None) -> frozenset[str] | None:
    """The keys of what the webui wrote down; None where it writes nothing down. `text` is a picture's infotext."""
    extra = info.get("extra_generation_params")
    if not isinstance(extra, dict) and not text:
        return None
    return frozenset(extra if isinstance(extra, dict) else ()).union(infotext.parse(text).fields if text else ())
