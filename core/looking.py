"""What people type to find pictures of theirs, as a filter. Pure; days are those of UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.errors import UserError
from core.jobs.gallery_search import Filter
from core.webui.names import CHOICE_LENGTH

MOST_WORDS = 20
WORD_ROOM = 100
NAME_ROOM = 200
_WORD = re.compile(r"[^\W_]+")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_AGO = re.compile(r"(\d{1,5}) ?(h|d|w|m|y|hours?|days?|weeks?|months?|years?)(?: ago)?", re.ASCII)
_FILE = re.compile(r"(\.(safetensors|ckpt|gguf))?( \[[0-9a-fA-F]{6,64}\])?$", re.ASCII)
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
HOW = "Write a day as 2026-11-25, a month as 2026-11, or 7d, 2 weeks, today, yesterday."


def read_filter(
    *,
    words: str = "",
    checkpoint: str = "",
    lora: str = "",
    since: str = "",
    until: str = "",
    favourites: bool = False,
    now: float,
) -> Filter:
    """The filter; UserError with all that can't be understood. `until` a day: to its end. `now` is in unix seconds."""
    wrong: list[str] = []

    def read(name: str, text: str, *, end: bool) -> float | None:
        try:
            return _read_time(text.strip().lower(), now, end=end) if text.strip() else None
        except (ValueError, OverflowError):
            shown = text.strip()[:40]
            wrong.append(f"{name} is no date: {shown}.")
            return None

    first, last = read("since", since, end=False), read("until", until, end=True)
    if wrong:
        wrong.append(HOW)
    typed = _WORD.findall(words)
    if len(typed) > MOST_WORDS or any(len(word) > WORD_ROOM for word in typed):
        wrong.append(f"Give at most {MOST_WORDS} words of the prompt, each of at most {WORD_ROOM} letters.")
    elif words.strip() and not typed:
        wrong.append("There is no letter and no digit in what you look for.")
    for name, text in (("checkpoint", checkpoint), ("lora", lora)):
        if len(text.strip()) > NAME_ROOM:
            wrong.append(f"Give at most {NAME_ROOM} letters of the {name}'s name.")
    if first is not None and last is not None and first >= last:
        wrong.append("since is later than until: nothing is between them.")
    if wrong:
        raise UserError(" ".join(wrong))
    return Filter(
        words=" ".join(typed),
        checkpoint=_FILE.sub("", checkpoint.strip(), count=1),
        lora=lora.strip(),
        since=first,
        until=last,
        favourites=favourites,
    )


def first_words(text: str) -> str:
    """As many words as a filter takes, for somebody who is still typing."""
    return " ".join(word[:WORD_ROOM] for word in _WORD.findall(text)[:MOST_WORDS])


def begin_of(name: str) -> str:
    """As much of a name as a choice can carry: a part of one finds it, too."""
    return name.encode("utf-16-le", "surrogatepass")[: 2 * CHOICE_LENGTH].decode("utf-16-le", "ignore").strip()


def to_json(wanted: Filter) -> str:
    """As its row keeps it."""
    return msgspec.json.encode(wanted).decode()


def from_json(text: str) -> Filter:
    """Read a row's text back."""
    return msgspec.json.decode(text, type=Filter)


def in_words(wanted: Filter, code: Callable[[str], str]) -> list[str]:
    """The filter, part by part; `code` puts what was typed where nothing in it is markup."""
    said = []
    if wanted.favourites:
        said.append("favourites")
    for name, text in (("words", wanted.words), ("checkpoint", wanted.checkpoint), ("LoRA", wanted.lora)):
        if text:
            said.append(f"{name} {code(text)}")
    if wanted.since is not None:
        said.append(f"since <t:{int(wanted.since)}:d>")
    if wanted.until is not None:
        said.append(f"until <t:{int(wanted.until) - 1}:d>")
    return said


def _read_time(text: str, now: float, *, end: bool) -> float:
    """Unix seconds of a day's, month's or year's beginning, or (`end`) of its end; ValueError where it is none."""
    today = datetime.fromtimestamp(now, UTC).date()
    if text in ("today", "yesterday"):
        first = today - timedelta(days=text == "yesterday")
        return _stamp(first + timedelta(days=end))
    if found := _AGO.fullmatch(text):
        return now - int(found[1]) * _DAYS[found[2][0]] * 86_400
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day = (None if part is None else int(part) for part in found.groups())
    first = date(year or 0, month or 1, day or 1)
    if not end:
        return _stamp(first)
    if day is not None:
        return _stamp(first + timedelta(days=1))
    return _stamp(date(first.year + 1, 1, 1) if month in (None, 12) else date(first.year, first.month + 1, 1))


def _stamp(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
