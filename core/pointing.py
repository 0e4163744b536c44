"""What people type to say which picture they mean: a job's id, with the picture's number, or a link. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import UserError

_LINK = re.compile(r"<?https://(?:\w+\.)?discord(?:app)?\.com/channels/(?:@me|[0-9]{1,20})/[0-9]{1,20}/([0-9]{1,20})>?")
_ID = re.compile(r"([0-9]{1,20})(?:[:# ]+([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class Pointer:
    """An id, and which of its pictures, from 0 (None: none was said). `of_message`: it can't be a job's."""

    id: str
    number: int | None = None
    of_message: bool = False


def read_pointer(typed: str) -> Pointer:
    """What is meant; UserError where that can't be read."""
    text = typed.strip()
    if link := _LINK.fullmatch(text):
        return Pointer(link[1], of_message=True)
    named = _ID.fullmatch(text)
    if named is None or named[2] == "0":
        raise UserError("Say which picture: choose one that is offered, or paste the link of a message that shows it.")
    return Pointer(named[1], None if named[2] is None else int(named[2]) - 1)
