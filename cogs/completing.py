"""What autocomplete offers for `/draw`: names of the webuis', one or several in one field. It decides nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from discord import app_commands

from core.extra import ADDRESSES, WAYS, suggest_extra
from core.several import Part, quote_name, split_parts
from core.tags import read_lora_tags
from core.webui.catalog import Catalog
from core.webui.names import CHOICE_COUNT, CHOICE_LENGTH, Choice, NameIndex, fold, shorten, utf16_length

Offers = list[app_commands.Choice[str]]
MOST_COMMAS = 3
"""So many may be in a name that is typed without its quotes and found all the same."""


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
    parts = split_parts(typed, weighted=weighted)
    last = parts[-1]
    taken = {fold(_name(part, weighted).strip()) for part in parts[:-1]}
    texts = []
    for number in _beginnings(parts):
        begun = typed[parts[number].start :].strip() if number < len(parts) - 1 else last.name
        before = typed[: parts[number].start].rstrip().removesuffix(",")
        head = f"{before}, " if before else ""
        names = (choice.value for choice in index.choices(begun.strip(), CHOICE_COUNT + len(parts)))
        texts += [
            head + quote_name(name, weighted=weighted)
            for name in names
            if fold(name.strip()) not in taken and (number == len(parts) - 1 or "," in name)
        ]
    has_weight = weighted and last.text and last.lora[1] is not None
    return offer_texts(dict.fromkeys(texts) if texts or not has_weight else [typed])


def _beginnings(parts: Sequence[Part]) -> Iterable[int]:
    """Where what is being typed may begin: a name with commas may not be quoted yet."""
    last = len(parts) - 1
    bare = itertools.takewhile(lambda number: parts[number].quoted is None, range(last, -1, -1))
    return sorted(itertools.islice(bare, MOST_COMMAS + 1)) or [last]


def _name(part: Part, weighted: bool) -> str:
    tags = read_lora_tags(part.text) if weighted else ()
    return tags[0].name if tags else part.lora[0] if weighted else part.name


def offer_extra(
    catalog: Catalog | None,
    typed: str,
    checkpoints: Callable[[str], Sequence[Choice]],
    *,
    addresses: bool = False,
    ways: bool = False,
) -> Offers:
    """The word of `extra` that is being typed, its value included; `checkpoints` finds those that fit some letters.

    `addresses`: whether those of images are taken here; `ways`: whether pictures can be asked for in other ways.
    """

    def names(kind: str, wanted: str) -> Sequence[str]:
        if catalog is None:
            return ()
        indexes = {"sampler": catalog.sampler_names, "scheduler": catalog.scheduler_names}
        found = indexes[kind].choices(wanted) if kind in indexes else checkpoints(wanted)
        return [choice.value for choice in found]

    without = [*(() if addresses else ADDRESSES), *(() if ways else WAYS)]
    return offer_texts(suggest_extra(typed, names, without=without))
