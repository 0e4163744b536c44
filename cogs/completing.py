"""What autocomplete offers for `/draw`: names of the webuis', one or several in one field. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from discord import app_commands

from core.extra import suggest_extra
from core.webui.catalog import Catalog
from core.webui.names import CHOICE_COUNT, CHOICE_LENGTH, Choice, NameIndex, shorten, utf16_length

Offers = list[app_commands.Choice[str]]


def offer(found: Iterable[Choice]) -> Offers:
    """Choices as Discord takes them."""
    return [app_commands.Choice(name=shorten(choice.name), value=choice.value) for choice in found]


def offer_texts(texts: Iterable[str]) -> Offers:
    """Whole texts of the field; those that are too long for a choice are left out."""
    fitting = (text for text in texts if 0 < utf16_length(text) <= CHOICE_LENGTH)
    return [app_commands.Choice(name=text, value=text) for _, text in zip(range(CHOICE_COUNT), fitting, strict=False)]


def offer_names(index: NameIndex, typed: str) -> Offers:
    """One name."""
    return offer(index.choices(typed))


def offer_last(index: NameIndex, typed: str, *, weighted: bool = False) -> Offers:
    """Several names with commas between them: the last one is being typed, the others stay.

    `weighted`: a name may have `:0.8` behind it; once somebody types that, nothing is offered but what they typed.
    """
    before, comma, last = typed.rpartition(",")
    head = f"{before}, " if comma else ""
    if weighted and ":" in last:
        return offer_texts([typed])
    parts = [part.strip() for part in before.split(",")]
    taken = {(part.partition(":")[0] if weighted else part).casefold() for part in parts}
    names = (choice.value for choice in index.choices(last.strip(), CHOICE_COUNT + len(parts)))
    # A name with a comma in it would be read as two.
    return offer_texts(head + name for name in names if name.casefold() not in taken and "," not in name)


def offer_extra(catalog: Catalog | None, typed: str, checkpoints: Callable[[str], Sequence[Choice]]) -> Offers:
    """The word of `extra` that is being typed, its value included; `checkpoints` finds those that fit some letters."""

    def names(kind: str, wanted: str) -> Sequence[str]:
        if catalog is None:
            return ()
        indexes = {"sampler": catalog.sampler_names, "scheduler": catalog.scheduler_names}
        found = indexes[kind].choices(wanted) if kind in indexes else checkpoints(wanted)
        return [choice.value for choice in found]

    return offer_texts(suggest_extra(typed, names))
