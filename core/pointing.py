"""What people type to say which picture they mean: its job and number, as its file is called, or a link. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import UserError

_LINK = re.compile(r"<?https://(?:\w+\.)?discord(?:app)?\.com/channels/(?:@me|[0-9]{1,20})/[0-9]{1,20}/([0-9]{1,20})>?")
_ID = re.compile(
    r"(?:SPOILER_)?(?:easel-)?(?P<job>[0-9]{1,20})(?:[-:# ]+(?P<number>[0-9]{1,2}))?(?:\.\w{1,5})?", re.ASCII
)


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
    named = read_id(text)
    if named is None:
        raise UserError("Say which picture: choose one that is offered, or paste the link of a message that shows it.")
    return named


def read_id(typed: str) -> Pointer | None:
    """A job's id, with or without the picture's number, as its file's name has them; None where it is none."""
    found = _ID.fullmatch(typed.strip())
    if found is None or (found["number"] is not None and int(found["number"]) < 1):
        return None
    return Pointer(found["job"], None if found["number"] is None else int(found["number"]) - 1)
