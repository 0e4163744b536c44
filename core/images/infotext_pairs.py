"""The parameter line of an infotext, cut into pairs in one pass. It knows nothing of prompts and raises nothing.

Every character is looked at a fixed number of times: a line of 100 kB from outside costs milliseconds, whatever is in
it. (A regular expression that searches for `key: value` anywhere is quadratic in a long word without a colon.)

Two kinds of value hold commas and no quotes, against the grammar: stable-diffusion.cpp's lists (`[7, 8, 9, ]`), and
JSON, as Civitai writes it.
"""

from __future__ import annotations

import json
import re

from core.images.png import clean_text

_KEY = re.compile(r"\w[\w \-/]+")
_BARE_KEY = re.compile(r"[^\W\d_][\w \-/]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_LIST = re.compile(r"\[[^\[\]\":]*+\]")
_SPACE = re.compile(r"\s*")
_RAW_JSON_KEY = "SDCPP"
_DECODER = json.JSONDecoder()


def split_pairs(line: str) -> tuple[dict[str, str], int]:
    """The pairs of one line, and how many pairs were seen (those with an empty value count, but aren't kept).

    A bare `key` stands for `key: key` and isn't counted. stable-diffusion.cpp ends its line in raw JSON after `SDCPP:`:
    the line is over there.
    """
    pairs: dict[str, str] = {}
    count = 0
    position = 0
    colons, commas = _Marks(line, ":"), _Marks(line, ",")
    values = _Values(line)
    while position < len(line):
        colon, comma = colons.next_from(position), commas.next_from(position)
        if comma <= colon:  # both are the line's end where there is none left
            _keep_bare(pairs, line[position:comma])
            position = comma + 1
            continue
        key = _key_before(line[position:colon])
        value_at = _skip_space(line, colon + 1)
        if key is None:
            position = colon + 1
        elif key == _RAW_JSON_KEY and line.startswith("{", value_at):
            break
        else:
            value, position = values.read(value_at)
            count += 1
            if value:
                pairs[key] = value
    return pairs, count


class _Marks:
    """Where one character comes next; remembered, so that asking again from a later place costs nothing."""

    def __init__(self, line: str, mark: str) -> None:
        self._line, self._mark, self._next = line, mark, -1

    def next_from(self, position: int) -> int:
        if self._next < position:
            found = self._line.find(self._mark, position)
            self._next = len(self._line) if found < 0 else found
        return self._next


def _key_before(text: str) -> str | None:
    # The key is what stands right before the colon, as far back as its characters go.
    start = len(text)
    while start and (text[start - 1] in " -/_" or text[start - 1].isalnum()):
        start -= 1
    key = text[start:].lstrip(" -/").rstrip()
    return key if _KEY.fullmatch(key) else None


def is_bare_key(text: str) -> bool:
    """Whether this can stand alone for a value of its own name: letters first, so that no number is taken for a key."""
    return bool(_BARE_KEY.fullmatch(text))


def _keep_bare(pairs: dict[str, str], text: str) -> None:
    key = text.strip()
    if is_bare_key(key):
        pairs[key] = key


def _skip_space(line: str, position: int) -> int:
    found = _SPACE.match(line, position)
    return found.end() if found else position


class _Values:
    """Reads values; of JSON without quotes only until one is broken, so that no text is parsed again and again."""

    def __init__(self, line: str) -> None:
        self._line, self._reads_json = line, True

    def read(self, position: int) -> tuple[str, int]:
        """The value that begins at `position`, and where the next pair begins."""
        line = self._line
        quoted = _QUOTED.match(line, position)
        if quoted and (after := self._next_pair(quoted.end())):
            return _unquote(quoted[0]), after
        if line.startswith(("[", "{"), position) and (end := self._find_raw_end(position)):
            return line[position:end], self._next_pair(end)
        comma = line.find(",", position)
        end = len(line) if comma < 0 else comma
        return _unquote(line[position:end].strip()), end + 1

    def _next_pair(self, value_end: int) -> int:
        """Where the next pair begins if a value can end here, else 0."""
        end = _skip_space(self._line, value_end)
        return end + 1 if end == len(self._line) or self._line[end] == "," else 0

    def _find_raw_end(self, position: int) -> int:
        """The end of a list or of JSON that begins here and fills a value, 0 where there is none."""
        found = _LIST.match(self._line, position)
        if found and self._next_pair(found.end()):
            return found.end()
        end = self._find_json_end(position) if self._reads_json else 0
        self._reads_json = bool(end and self._next_pair(end))
        return end if self._reads_json else 0

    def _find_json_end(self, position: int) -> int:
        try:
            return _DECODER.raw_decode(self._line, position)[1]
        except (ValueError, RecursionError):
            return 0


def _unquote(value: str) -> str:
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        text = json.loads(value, strict=False)
    except ValueError:
        return value
    return clean_text(text) if isinstance(text, str) else value
