"""How far a prompt may unfold, and the text that grows within these bounds. Pure: it counts steps, not seconds."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UserError
from core.prompts.syntax import Node, Wildcard, parse
from core.prompts.wildcards import Values, Wildcards


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one prompt may cost: alternatives in wildcards in alternatives, characters, steps, permutations."""

    depth: int = 16
    length: int = 6000  # what a prompt may have that somebody types: core.limits
    steps: int = 30_000  # about a tenth of a second; what people write takes some hundreds
    permutations: int = 1_000_000


class Draft:
    """One prompt that is being put together: its text so far, and the work it took."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._left = caps.steps
        self._room = caps.length
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._texts)

    def step(self, work: int = 1) -> None:
        """Count work; UserError where it gets too much."""
        self._left -= work
        if self._left < 0:
            raise UserError("This prompt unfolds into too many parts; leave some alternatives or wildcards out.")

    def write(self, text: str) -> None:
        """Add to the text; UserError where it gets too long."""
        self.step()
        self._room -= len(text)
        if self._room < 0:
            raise UserError(
                f"With its alternatives and wildcards filled in, the prompt has more than {self._caps.length:,} "
                "characters; make it shorter."
            )
        self._texts.append(text)

    def look_up(self, node: Wildcard, wildcards: Wildcards) -> Values | None:
        """What a wildcard stands for; None where it is text. UserError where it is meant, and isn't known."""
        self.step(wildcards.work(node.name))
        values = wildcards.find(node.name)
        if values is None and node.meant and wildcards.configured:
            raise wildcards.unknown(node.name)
        return values

    def parse_value(self, value: str, node: Wildcard, depth: int) -> tuple[Node, ...]:
        """The nodes of a wildcard's value, which is `depth` deep; UserError where that is too deep."""
        self.step(1 + len(value) // 4)
        if depth > self._caps.depth:
            raise too_deep(node, self._caps)
        return parse(value, depth=self._caps.depth, strict=False)


def too_deep(node: Wildcard, caps: Caps) -> UserError:
    """The sentence about a wildcard that leads on and on."""
    return UserError(
        f"The wildcard {node.source} leads to others more than {caps.depth} deep; it may lead back to itself. Whoever "
        "runs the bot can mend that."
    )
