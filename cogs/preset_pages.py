"""The words of `/preset`. Pure: it turns presets into Discord markdown that breaks no limit and mentions nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from msgspec import UNSET

from cogs import say
from core.command_text import as_options
from core.jobs.gallery import Entry
from core.presets import MOST, Preset, Shelf
from core.request import GenerationRequest
from core.store.preferences import PERSON, SERVER
from core.webui.names import Choice, shorten

NAME_ROOM = 130
"""A name's characters, with what keeps them from being markup."""
FACTS_ROOM = 120
HALF = 850
"""Room for one of two lists; the other one may have left some of its own."""
MORE_ROOM = len("-# … and 100 more\n")
PROMPT_ROOM = 600
NEGATIVE_ROOM = 250
SETTINGS_ROOM = 450
NOTES_ROOM = 250

IsHidden = Callable[[str], bool]
"""Whether the reader is not to be told of that checkpoint."""


def saved(preset: Preset, notes: Iterable[str], *, replaced: bool) -> str:
    """What was kept, whole."""
    before = " It takes the place of the one that you had under that name." if replaced else ""
    head = f"{_name(preset)} is kept.{before}"
    return say.assemble(head, *_all_of(preset.request), say.notes(notes, NOTES_ROOM), _how_to_use())


def shown(preset: Preset, is_hidden: IsHidden) -> str:
    """Everything of one."""
    whose = f"this server's, shared by <@{preset.maker_id}>" if preset.is_server_s else "yours"
    return say.assemble(f"{_name(preset)} · {whose}", *_all_of(_without_hidden(preset, is_hidden)), _how_to_use())


def shared(preset: Preset, *, replaced: bool) -> str:
    """What everybody reads."""
    what = "has been changed" if replaced else "is for everybody on this server now"
    return say.assemble(f"The preset {_name(preset)} {what}.", _how_to_use())


def deleted(preset: Preset) -> str:
    """What is gone."""
    whose = "this server's" if preset.is_server_s else "your"
    return f"{whose.capitalize()} preset {_name(preset)} is gone."


def listing(shelf: Shelf, is_hidden: IsHidden) -> str:
    """One's own and the server's, as many as there is room for."""
    if not shelf.all:
        return "There are no presets here yet. `/preset save` keeps the settings of a picture, or any that you say."
    least = min(_room_for(shelf.servers, is_hidden), HALF)
    mine = _section("Yours", shelf.mine, MOST[PERSON], 2 * HALF - least, is_hidden)
    servers = _section("This server's", shelf.servers, MOST[SERVER], 2 * HALF - say.units(mine), is_hidden)
    return say.assemble(mine, servers, say.small(["`/preset show` tells everything of one", "`/draw preset:` draws"]))


def picture_choice(entry: Entry) -> Choice | None:
    """One of somebody's pictures as autocomplete offers it; None for one that was not drawn from words."""
    request = entry.request
    words = " ".join(request.of(entry.number).prompt.split()) if request.task == "draw" else ""
    if not words:
        return None
    of_several = f" · picture {entry.number + 1}" if entry.pictures > 1 else ""
    checkpoint = "" if entry.checkpoint is None else f" · {shorten(entry.checkpoint, 24)}"
    return Choice(f"{shorten(words, 55)}{of_several}{checkpoint}", f"{entry.job_id}:{entry.number + 1}")


def _name(preset: Preset) -> str:
    return f"**{say.plain(preset.name, NAME_ROOM)}**"


def _how_to_use() -> str:
    return say.small(["`/draw preset:` draws with it; what you say there comes before it"])


def _all_of(request: GenerationRequest) -> list[str]:
    blocks = []
    if request.prompt:
        blocks.append("Prompt" + say.quote(request.prompt, PROMPT_ROOM))
    if request.negative_prompt is not UNSET:
        blocks.append("Negative prompt" + say.quote(request.negative_prompt, NEGATIVE_ROOM))
    if options := as_options(request):
        blocks.append(say.quote("\n".join(f"{name}: {text}" for name, text in options.items()), SETTINGS_ROOM))
    return blocks


def _section(title: str, presets: Sequence[Preset], most: int, room: int, is_hidden: IsHidden) -> str:
    if not presets:
        return ""
    lines = [f"**{title}** ({len(presets)} of {most})"]
    room -= say.units(lines[0]) + MORE_ROOM
    for number, preset in enumerate(presets):
        line = _line(preset, is_hidden)
        room -= say.units(line) + 1
        if room < 0:
            lines.append(say.small([f"… and {len(presets) - number} more"]))
            break
        lines.append(line)
    return "\n".join(lines)


def _room_for(presets: Sequence[Preset], is_hidden: IsHidden) -> int:
    return sum(say.units(_line(preset, is_hidden)) + 1 for preset in presets) + 2 * MORE_ROOM if presets else 0


def _line(preset: Preset, is_hidden: IsHidden) -> str:
    request = _without_hidden(preset, is_hidden)
    facts = [f"{name} {text}" for name, text in as_options(request).items()]
    words = [request.prompt] if request.prompt else []
    return f"- {_name(preset)} · {say.plain(', '.join([*words, *facts]), FACTS_ROOM)}"


def _without_hidden(preset: Preset, is_hidden: IsHidden) -> GenerationRequest:
    """One's own checkpoints are no secret from oneself."""
    request = preset.request
    if not preset.is_server_s:
        return request
    names = (request.checkpoint, request.refiner_checkpoint)
    checkpoint, refiner = ("(hidden)" if name is not UNSET and is_hidden(name) else name for name in names)
    return replace(request, checkpoint=checkpoint, refiner_checkpoint=refiner)
