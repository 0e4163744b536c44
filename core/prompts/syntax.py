r"""The syntax of prompts that hold choices, from text to nodes. Pure; it knows no wildcards and draws nothing.

{a|b}  {3::a|b}                          one of them; 3::a comes three times as often
{2$$a|b|c}  {1-3$$a|b}  {2$$ and $$a|b}  several in any order, joined with a comma, or with what stands between the $$
__name__  __folder/name__  __folder/*__  a line of a wildcard
\{  \}  \|  \__                          these characters as they stand

Braces that hold neither a | of their own nor a number with $$ are text, and so is a | within [square|brackets], which
webuis read themselves. The syntax is that of sd-dynamic-prompts (docs/SYNTAX.md there), without variables and samplers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from core.errors import UserError
from core.webui.names import shorten

JOINER = ", "
NAME = r"(?![_\s])(?:(?!__)[\w .&'+/*-]){1,100}(?<!\s)"
"""A wildcard's name or glob as a prompt can say it."""

_TOKEN = re.compile(rf"\\__|\\[{{}}|\[\]<>]|[{{}}|\[\]<>]|__{NAME}__")
_COUNT = re.compile(
    r"\s{0,9}(?:([0-9]{1,3})|([0-9]{0,3})\s{0,3}-\s{0,3}([0-9]{0,3}))\s{0,9}\$\$"
    r"(?:((?:\\[{}|]|[^{}|$]){0,50})\$\$)?"
)
_WEIGHT = re.compile(r"\s{0,9}([0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})\s{0,3}::")
_TAG = re.compile(r"[A-Za-z]{1,20}:")
_ESCAPED = re.compile(r"\\([{}|])")


@dataclass(frozen=True, slots=True)
class Text:
    """What stays as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`__name__`. `meant`: it stands where it can only be meant as a wildcard, so that it has to be known."""

    name: str
    meant: bool

    @property
    def source(self) -> str:
        """What was typed."""
        return f"__{self.name}__"


@dataclass(frozen=True, slots=True)
class Option:
    """One of a choice's alternatives; weights are relative and above 0."""

    weight: float
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """From `low` to `high` different options in any order; None: as many as there are."""

    low: int
    high: int | None
    joiner: str
    options: tuple[Option, ...]

    @property
    def sole_wildcard(self) -> Wildcard | None:
        """The wildcard whose lines are the options, as in `{2$$__colours__}`."""
        nodes = self.options[0].nodes
        return nodes[0] if len(self.options) == len(nodes) == 1 and isinstance(nodes[0], Wildcard) else None

    def counts(self, options: int) -> tuple[int, int]:
        """The least and the most that can be taken of so many options."""
        return min(self.low, options), min(options if self.high is None else self.high, options)


Node: TypeAlias = Text | Wildcard | Choice


def parse(text: str, *, depth: int, strict: bool = True) -> tuple[Node, ...]:
    """The nodes of `text`, in time that grows with its length alone.

    UserError where choices are nested more than `depth` deep and, if `strict`, where a brace is not closed that opens a
    choice. What an operator wrote into a wildcard is not read strictly: the person could not mend it.
    """
    braces = _Braces(text)
    braces.scan()
    if strict:
        braces.check_closed()
    return _Builder(text, depth, strict).build(braces)


class _Token(NamedTuple):
    """A sign or a wildcard, and where it stands; a count belongs to its brace."""

    start: int
    end: int
    in_tag: bool
    """Within `<lora:…>` or the like, where names may look like wildcards."""


@dataclass(slots=True)
class _Open:
    """A brace that is not closed yet, and the pipes at its level."""

    token: int
    counted: bool = False
    pipes: list[int] = field(default_factory=list)
    squares: list[int] = field(default_factory=list)
    """How many pipes there were when each square bracket was opened."""

    @property
    def is_choice(self) -> bool:
        return self.counted or bool(self.pipes)


class _Braces:
    """Finds which braces and pipes make choices; all others are text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack = [_Open(-1)]  # the first is the text outside of all braces
        self._in_tag = False
        self.tokens: list[_Token] = []
        self.marks: set[int] = set()
        """Numbers of the tokens that open, divide and close choices."""

    def scan(self) -> None:
        """Read the text once, from left to right."""
        position = 0
        while match := _TOKEN.search(self._text, position):
            position = match.end()
            number = len(self.tokens)
            if match[0] == "{":
                self._stack.append(_Open(number))
                if count := _COUNT.match(self._text, position):
                    self._stack[-1].counted = True
                    position = count.end()
            self.tokens.append(_Token(match.start(), position, self._in_tag))
            self._take(match[0], number, position)

    def _take(self, sign: str, number: int, end: int) -> None:
        top = self._stack[-1]
        if sign == "|":
            top.pipes.append(number)
        elif sign == "}" and len(self._stack) > 1:
            self._close(self._stack.pop(), number)
        elif sign == "[":
            top.squares.append(len(top.pipes))
        elif sign == "]" and top.squares:
            del top.pipes[top.squares.pop() :]
        elif sign == "<":
            self._in_tag = _TAG.match(self._text, end) is not None
        elif sign == ">":
            self._in_tag = False

    def _close(self, opened: _Open, number: int) -> None:
        if opened.is_choice:
            self.marks.update((opened.token, number), opened.pipes)

    def check_closed(self) -> None:
        """UserError where a brace that opens a choice is never closed."""
        for opened in self._stack[1:]:
            if opened.is_choice:
                there = shorten(self._text[self.tokens[opened.token].start :], 30)
                raise UserError(
                    f'The brace at "{there}" is never closed. Close it with }} after the last alternative, or write '
                    "\\{ for a brace that is part of the text."
                )


@dataclass(slots=True)
class _Frame:
    """A choice that is being read, or the text outside of all."""

    low: int = 1
    high: int | None = 1
    joiner: str = JOINER
    weight: float = 1.0
    options: list[Option] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def end_text(self) -> None:
        text = "".join(self.texts)
        if text:
            self.nodes.append(Text(text))
        self.texts = []

    def end_option(self) -> None:
        self.end_text()
        self.options.append(Option(self.weight, tuple(self.nodes)))
        self.nodes = []


class _Builder:
    """Makes nodes of tokens; it has a stack of its own, so that deep nesting is no deep recursion."""

    def __init__(self, text: str, depth: int, strict: bool) -> None:
        self._text = text
        self._depth = depth
        self._strict = strict
        self._stack = [_Frame()]

    def build(self, braces: _Braces) -> tuple[Node, ...]:
        position = 0
        for number, token in enumerate(braces.tokens):
            self._stack[-1].texts.append(self._text[position : token.start])
            position = token.end
            if number in braces.marks:
                position = self._mark(token)
            else:
                self._plain(token)
        frame = self._stack[-1]
        frame.texts.append(self._text[position:])
        frame.end_text()
        return tuple(frame.nodes)

    def _mark(self, token: _Token) -> int:
        """Take a token that makes a choice; where the text goes on."""
        kind = self._text[token.start]
        if kind == "{":
            self._stack[-1].end_text()
            self._stack.append(self._open(token))
            if len(self._stack) - 1 > self._depth:
                raise UserError(f"Alternatives can be nested {self._depth} deep; these are deeper.")
        else:
            self._stack[-1].end_option()
        if kind == "}":
            choice = self._choice(self._stack.pop())
            self._stack[-1].nodes.append(choice)
            return token.end
        weight = _WEIGHT.match(self._text, token.end)
        self._stack[-1].weight = float(weight[1]) if weight else 1.0
        return weight.end() if weight else token.end

    def _open(self, token: _Token) -> _Frame:
        count = _COUNT.match(self._text, token.start + 1)
        if count is None:
            return _Frame()
        exact, low, high, joiner = count.groups()
        joiner = JOINER if joiner is None else _ESCAPED.sub(r"\1", joiner)
        if exact:
            return _Frame(int(exact), int(exact), joiner)
        least, most = int(low or 1), int(high) if high else None
        return _Frame(least, most, joiner) if most is None or least <= most else _Frame(most, least, joiner)

    def _choice(self, frame: _Frame) -> Choice:
        options = [option for option in frame.options if option.weight > 0]
        if not options:
            if self._strict:
                raise UserError("All alternatives between two braces have the weight 0; give one of them another.")
            options = [Option(1.0, option.nodes) for option in frame.options]
        return Choice(frame.low, frame.high, frame.joiner, tuple(options))

    def _plain(self, token: _Token) -> None:
        """Take a token that is a wildcard, an escape, or text."""
        text = self._text[token.start : token.end]
        frame = self._stack[-1]
        if text.startswith("__"):
            frame.end_text()
            around = self._text[token.start - 1 : token.start] + self._text[token.end : token.end + 1]
            glued = any(character.isalnum() or character == "_" for character in around)
            frame.nodes.append(Wildcard(text[2:-2], meant=self._strict and not glued and not token.in_tag))
        elif text.startswith("\\"):
            frame.texts.append(text[1:] if text[1] in "{}|_" else text)
        else:
            frame.texts.append(text)
