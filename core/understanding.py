"""From what a person typed to the request that is queued: choices drawn, defaults filled in, limits kept. No I/O.

The order matters: a seed first, since choices in prompts are drawn with it; limits and needs last, since a choice may
put together what nobody may say.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType

from core.comparing import compare, join
from core.defaults import merge
from core.enlarging import check_upscale
from core.errors import UserError
from core.families.defaults import defaults_for
from core.families.detect import family_of
from core.families.family import UNKNOWN, Family
from core.families.table import Table
from core.limits import Checked, Limits, check
from core.naming import Naming
from core.notes import CheckpointNotes
from core.prompts.draft import Caps
from core.prompts.expand import expand
from core.prompts.permute import count_permutations, permutations
from core.prompts.wildcards import Wildcards
from core.request import GenerationRequest
from core.shape import shaped
from core.webui.catalog import Catalog, find_checkpoint, find_name
from core.webui.lacking import check_needs
from core.webui.needs import NAMED, OPTIONS

SIZE = ("width", "height")
MAY_BE_MISSING = frozenset({*OPTIONS, *NAMED, "clip_skip"})
"""What some webui can't be told; where nobody said it, that is no reason not to draw there."""


@dataclass(slots=True)
class Understanding:
    """What is needed to read a request. `families` None: nothing is known of any checkpoint; `notes` None: no names."""

    limits: Limits = field(default_factory=Limits)
    families: Table | None = None
    wildcards: Wildcards = field(default_factory=lambda: Wildcards(None))
    rng: random.Random = field(default_factory=random.SystemRandom)
    caps: Caps = field(default_factory=Caps)
    notes: CheckpointNotes | None = None

    def read(
        self,
        asked: GenerationRequest,
        catalog: Catalog | None,
        loaded: str | None,
        guild_id: str | None = None,
    ) -> Checked:
        """The request as it is to be queued, with notes on what was changed; UserError where it can't be drawn.

        `catalog` is what the webuis offer (None while none has answered), `loaded` the checkpoint that draws where none
        is chosen, if that is known. `guild_id` is the server whose names for checkpoints, and corrections, count.
        """
        if asked.task != "draw":
            return self._read_task(asked, catalog)
        read_one = partial(self._read_one, catalog=catalog, loaded=loaded, guild_id=guild_id)
        checked = read_one(asked) if asked.comparison is UNSET else self._read_each(asked, read_one)
        if catalog is not None:
            check_needs(checked.request, catalog, partial(self._names, guild_id, catalog))
        return checked

    def _read_one(
        self, asked: GenerationRequest, *, catalog: Catalog | None, loaded: str | None, guild_id: str | None
    ) -> Checked:
        """The same, without looking whether the webuis have what it needs."""
        corrections: Mapping[str, str] = {}
        if self.notes is not None:
            corrections = self.notes.corrections(guild_id, catalog)
            asked = self.notes.apply(asked, guild_id, catalog)
        family = self._family_of(asked, catalog, loaded, corrections)
        asked, shape_notes = shaped(_based_on(asked, family), family)
        layer = {} if catalog is None else _layer(asked, catalog, family)
        filled = [name for name in layer if name in MAY_BE_MISSING and getattr(asked, name) is UNSET]
        before = () if asked.filled is UNSET else asked.filled  # where it is made from a picture
        merged = replace(merge(asked, layer, rng=self.rng), filled=(*before, *filled) or UNSET)
        checked = check(self._drawn(merged), self.limits)
        checked = replace(checked, notes=(*shape_notes, *checked.notes))
        pictures = [check(each, self.limits).request for each in _each(checked.request)]
        request = checked.request
        if request.prompts is not UNSET:
            request = _with_prompts(request, [(each.prompt, each.negative_prompt) for each in pictures])
        return replace(checked, request=request)

    def _read_each(self, asked: GenerationRequest, read_one: Callable[[GenerationRequest], Checked]) -> Checked:
        """Each picture of a comparison as if it were asked for alone, with one seed: families differ by checkpoint."""
        seeded = merge(asked, rng=self.rng)
        read = [read_one(seeded.of(number)) for number in range(seeded.pictures)]
        notes = dict.fromkeys(note for one in read for note in one.notes)
        return Checked(join(seeded, [one.request for one in read]), tuple(notes))

    def compare(self, asked: GenerationRequest, text: str) -> GenerationRequest:
        """A picture for each combination of what is to be compared; UserError where the text can't be read."""
        return merge(compare(asked, text, self.limits), rng=self.rng)

    def unfold(self, asked: GenerationRequest) -> tuple[GenerationRequest, ...]:
        """A picture for every prompt, with every negative prompt, that its choices can make; a request for each answer.

        UserError where these are more than may be asked for at once, and where a number of pictures was said, too.
        """
        if asked.count is not UNSET:
            raise UserError("With permutations there is one picture for each: leave the count out.")
        texts = [asked.prompt, "" if asked.negative_prompt is UNSET else asked.negative_prompt]
        counted = [count_permutations(text, self.wildcards, self.caps) for text in texts]
        number, most = counted[0].number * counted[1].number, self.limits.permutations
        if number > most:
            more = "" if all(count.exact for count in counted) else "more than "
            raise UserError(
                f"This prompt stands for {more}{number:,} pictures; at most {most} can be asked for at once. Leave "
                "some alternatives out, or let them be drawn by chance, without permutations."
            )
        prompts, negatives = ([*permutations(text, self.wildcards, self.caps)] for text in texts)
        seeded = merge(asked, rng=self.rng)
        whole = replace(_with_prompts(seeded, itertools.product(prompts, negatives)), count=number)
        size = int(self.limits.count.high)
        return tuple(whole.part(first, min(size, number - first)) for first in range(0, number, size))

    def _read_task(self, asked: GenerationRequest, catalog: Catalog | None) -> Checked:
        """Nothing is drawn for what works on an image alone: it has no seed, and no checkpoint's family."""
        checked = check_upscale(asked, self.limits) if asked.task == "upscale" else Checked(asked, ())
        if catalog is not None:
            check_needs(checked.request, catalog)
        return checked

    def _names(self, guild_id: str | None, catalog: Catalog) -> Sequence[str]:
        """The checkpoints that may be named on this server."""
        naming = Naming(catalog.checkpoint_lookup) if self.notes is None else self.notes.naming(guild_id, catalog)
        return naming.shown(catalog)

    def _family_of(
        self, asked: GenerationRequest, catalog: Catalog | None, loaded: str | None, corrections: Mapping[str, str]
    ) -> Family:
        """That of the checkpoint which will draw it, as far as that is known."""
        name = loaded if asked.checkpoint is UNSET else asked.checkpoint
        checkpoint = None if catalog is None or name is None else find_checkpoint(catalog, name)
        if self.families is None or checkpoint is None:
            return UNKNOWN
        return family_of(checkpoint, self.families, corrections)

    def _drawn(self, request: GenerationRequest) -> GenerationRequest:
        """With every choice in its prompts made, for each picture by that picture's seed, unless they are made."""
        if request.prompts is not UNSET:
            return request
        if request.seed is UNSET:
            raise ValueError("the seed is drawn before prompts are")
        count = int(self.limits.count.clamp(request.pictures))
        drawn = [self._draw(request, request.seed + number) for number in range(count)]
        if all(pair == (request.prompt, request.negative_prompt) for pair in drawn):
            return request
        return _with_prompts(request, drawn)

    def _draw(self, request: GenerationRequest, seed: int) -> tuple[str, Any]:
        rng = random.Random(seed)  # noqa: S311  # the same seed has to give the same prompt
        prompt = expand(request.prompt, self.wildcards, rng, self.caps)
        negative = request.negative_prompt
        return prompt, negative if negative is UNSET else expand(negative, self.wildcards, rng, self.caps)


def _layer(asked: GenerationRequest, catalog: Catalog, family: Family) -> Mapping[str, Any]:
    """What the checkpoint's family says, as far as the webuis can be told."""
    has_size = any(getattr(asked, side) is not UNSET for side in SIZE) or asked.image is not UNSET
    layer = dict(defaults_for(family, size=not has_size))
    for kind, names in (("sampler", catalog.samplers), ("scheduler", catalog.schedulers)):
        if kind in layer and find_name(names, layer[kind]) is None:
            del layer[kind]
    return {name: value for name, value in layer.items() if name in catalog.capabilities.fields}


def _based_on(asked: GenerationRequest, family: Family) -> GenerationRequest:
    """With what the checkpoint is built on in its controls, whatever an earlier request like it said."""
    if asked.control is UNSET:
        return asked
    base = family.base or UNSET
    return replace(asked, control=tuple(replace(use, base=base) for use in asked.control))


def may_take_long(asked: GenerationRequest) -> bool:
    """Whether its prompts may hold choices: drawing these for ten pictures can take a second, so use a thread."""
    negative = "" if asked.negative_prompt is UNSET else asked.negative_prompt
    return any(sign in text for text in (asked.prompt, negative) for sign in ("{", "__"))


def _with_prompts(request: GenerationRequest, drawn: Iterable[tuple[str, str | UnsetType]]) -> GenerationRequest:
    """With the prompt and negative prompt of each picture; an empty one is kept, or what was typed would be drawn."""
    prompts, negatives = zip(*((prompt, negative or "") for prompt, negative in drawn), strict=True)
    has_negative = request.negative_prompt is not UNSET
    return replace(request, prompts=prompts, negative_prompts=negatives if has_negative else UNSET)


def _each(request: GenerationRequest) -> list[GenerationRequest]:
    """The pictures one by one where their prompts differ; else the request itself."""
    return [request.of(number) for number in range(request.pictures)] if request.prompts is not UNSET else [request]
