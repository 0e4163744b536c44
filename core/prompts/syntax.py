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
from typing import TypeAlias

from core.errors import UserError
from core.webui.names import shorten

JOINER = ", "
NAME = r"(?![_\s])(?:(?!__)[\w .&'+/*-]){1,100}(?<!\s)"
"""A wildcard's name or glob as a prompt can say it."""

_COUNT = (
    r"\s{0,9}(?:([0-9]{1,3})|([0-9]{0,3})\s{0,3}-\s{0,3}([0-9]{0,3}))\s{0,9}\$\$"
    r"(?:((?:\\[{}|]|[^{}|$]){0,50})\$\$)?"
)
_WEIGHT = r"\s{0,9}([0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})\s{0,3}::"
# A brace's count and the weight behind a brace or a pipe belong to it; where it is text, they are text as well.
_TOKEN = re.compile(rf"(?:\{{(?:{_COUNT})?|\|)(?:{_WEIGHT})?" r"|[}\[\]<>]" rf"|__{NAME}__" r"|\\__|\\[{}|\[\]<>]")
_TAG = re.compile(r"[A-Za-z]{1,20}:")
_SIGNS = re.compile(r"[{}|]|__")
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
    if "{" not in text and "__" not in text and "\\" not in text:
        return (Text(text),) if text else ()
    tokens = list(_TOKEN.finditer(text))
    marks, unclosed = _find_choices(text, tokens)
    if strict and unclosed is not None:
        there = shorten(text[tokens[unclosed].start() :], 30)
        raise UserError(
            f'The brace at "{there}" is never closed. Close it with }} after the last alternative, or write \\{{ for a '
            "brace that is part of the text."
        )
    return _Builder(text, depth, strict).build(tokens, marks)


def literal(text: str) -> str:
    """`text` as it has to be written so that nothing in it is a choice or a wildcard; as it is where nothing is."""
    try:
        nodes = parse(text, depth=0)
    except UserError:
        nodes = ()
    return text if nodes == (Text(text),) else _SIGNS.sub(r"\\\g<0>", text)


@dataclass(slots=True)
class _Open:
    """A brace that is not closed yet, and the pipes at its level."""

    token: int
    counted: bool
    pipes: list[int] = field(default_factory=list)
    squares: list[int] = field(default_factory=list)
    """How many pipes there were when each square bracket was opened."""


def _find_choices(text: str, tokens: list[re.Match[str]]) -> tuple[set[int], int | None]:
    """Which tokens open, divide and close choices, and the first brace that opens one and is never closed."""
    marks: set[int] = set()
    top = _Open(-1, counted=False)  # the text outside of all braces
    stack = [top]
    for number, token in enumerate(tokens):
        sign = text[token.start()]
        if sign == "{":
            top = _Open(number, counted=token[1] is not None or token[2] is not None)
            stack.append(top)
        elif sign == "|":
            top.pipes.append(number)
        elif sign == "}" and len(stack) > 1:
            if top.counted or top.pipes:
                marks.update((top.token, number), top.pipes)
            stack.pop()
            top = stack[-1]
        elif sign == "[":
            top.squares.append(len(top.pipes))
        elif sign == "]" and top.squares:
            del top.pipes[top.squares.pop() :]
    return marks, next((brace.token for brace in stack[1:] if brace.counted or brace.pipes), None)


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
        if self.texts and (text := "".join(self.texts)):
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
        self._in_tag = False

    def build(self, tokens: list[re.Match[str]], marks: set[int]) -> tuple[Node, ...]:
        """The nodes of the whole text."""
        position = 0
        for number, token in enumerate(tokens):
            start, end = token.span()
            if start > position:
                self._stack[-1].texts.append(self._text[position:start])
            position = end
            if number in marks:
                self._mark(token)
            else:
                self._plain(start, end)
        frame = self._stack[-1]
        frame.texts.append(self._text[position:])
        frame.end_text()
        return tuple(frame.nodes)

    def _mark(self, token: re.Match[str]) -> None:
        """Take a token that opens, divides or closes a choice."""
        sign = self._text[token.start()]
        frame = self._stack[-1]
        if sign == "{":
            frame.end_text()
            if len(self._stack) > self._depth:
                raise UserError(f"Alternatives can be nested {self._depth} deep; these are deeper.")
            frame = self._open(token)
            self._stack.append(frame)
        else:
            frame.end_option()
        if sign == "}":
            self._stack.pop()
            self._stack[-1].nodes.append(self._choice(frame))
        else:
            frame.weight = float(token[5] or 1)

    def _open(self, token: re.Match[str]) -> _Frame:
        exact, low, high, joiner, _ = token.groups()
        if exact is None and low is None:
            return _Frame()
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

    def _plain(self, start: int, end: int) -> None:
        """Take a token that is a wildcard, an escape, or text."""
        text = self._text[start:end]
        frame = self._stack[-1]
        if text[0] == "_":
            frame.end_text()
            around = self._text[max(start - 1, 0) : start] + self._text[end : end + 1]
            glued = any(character.isalnum() or character == "_" for character in around)
            frame.nodes.append(Wildcard(text[2:-2], meant=self._strict and not glued and not self._in_tag))
            return
        if text[0] == "<":
            self._in_tag = _TAG.match(self._text, end) is not None
        elif text == ">":
            self._in_tag = False
        frame.texts.append(text[1:] if text[0] == "\\" and text[1] in "{}|_" else text)
