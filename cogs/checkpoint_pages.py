"""The words of `/checkpoint`. Pure: it turns facts into Discord markdown that breaks no limit and shows no path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cogs import say
from core.families.defaults import defaults_for
from core.families.detect import family_of, title_key
from core.families.family import UNKNOWN, Family
from core.families.table import Table
from core.store.notes import Note
from core.store.switches import OPEN, SwitchRow, SwitchState
from core.switch_desk import Targets
from core.switching import REFRESH
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint
from core.webui.options import Setting
from core.webui.pool import BackendView

PAGE_LINES = 20
PAGE_ROOM = 1600
NAME_ROOM = 60
REASON_ROOM = 300
LINES_ROOM = 1700

NotesOf = Callable[[Checkpoint], Note]

_NOW = {
    SwitchState.WISHED: "asked for",
    SwitchState.WAITING: "waits until its picture is done",
    SwitchState.LOADING: "loading …",
}
_HEAD = {
    Setting.CHECKPOINT: "Checkpoint",
    Setting.VAE: "VAE",
    Setting.CLIP_SKIP: "CLIP skip",
    REFRESH: "Lists of files",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A checkpoint in a list: `facts` are in `/checkpoint info`, too, `marks` are what the list is looked at for."""

    short_name: str
    friendly_name: str
    facts: tuple[str, ...]
    marks: tuple[str, ...]

    def full(self) -> str:
        return f"- {' · '.join((self._name(), *self.facts, *self.marks))}"

    def brief(self, room: int) -> str:
        """Without its facts, and with whatever else gives way."""
        name = self._name()
        if say.units(name) > room // 2:
            name = say.plain(self.friendly_name or self.short_name, room // 2)
        return say.cut(f"- {' · '.join((name, *self.marks))}", room)

    def _name(self) -> str:
        name = say.code(self.short_name)
        return f"**{say.plain(self.friendly_name, NAME_ROOM)}** {name}" if self.friendly_name else name


def listing(  # facts that each come from elsewhere
    catalog: Catalog,
    views: Sequence[BackendView],
    notes: NotesOf,
    families: Table | None,
    corrections: Mapping[str, str],
    page: int,
    *,
    for_admin: bool,
    last: str = "",
) -> str:
    """One page of the checkpoints: loaded ones are marked, with hash and family. A page past the last is the last."""
    shown = [one for one in catalog.checkpoints if for_admin or not notes(one).hidden]
    if not shown:
        return "No webui has listed a checkpoint yet." if not catalog.checkpoints else "None is shown on this server."
    pages = -(-len(shown) // PAGE_LINES)
    number = min(max(page, 1), pages)
    places, lookup = _places(views), catalog.checkpoint_lookup
    lines = []
    for one in shown[(number - 1) * PAGE_LINES : number * PAGE_LINES]:
        note, facts = notes(one), [say.code(known[:10]) for known in one.hashes[:1]]
        if families is not None and (family := family_of(one, families, corrections)).name != UNKNOWN.name:
            facts.append(say.plain(str(family), NAME_ROOM))
        marks = [*places.get(_key(one), ()), *(["hidden"] if note.hidden else [])]
        lines.append(_Line(lookup.short_name(one), note.friendly_name, tuple(facts), tuple(marks)))
    more = f" · page {number} of {pages}, `/checkpoint list page:` shows another" if pages > 1 else ""
    return say.assemble(f"**{_counted(len(shown))}**{more}", *_as_long_as_fits(lines), last)


def details(
    one: Checkpoint, note: Note, views: Sequence[BackendView], families: Table | None, corrections: Mapping[str, str]
) -> str:
    """Everything that is known of one, as far as it is anybody's affair."""
    facts = [say.code(one.file_name or _base(one.plain_title))]
    facts += [f"hash {say.code(known[:10])}" for known in one.hashes[:1]]
    facts += [f"SHA-256 {say.code(one.sha256)}"] if one.sha256 in one.hashes and one.sha256 else []
    family = UNKNOWN if families is None else family_of(one, families, corrections)
    corrected = ", as this server says" if corrections.get(_key(one)) else ""
    words = f"**Trigger words**{say.quote(note.trigger_words, 400)}" if note.trigger_words else ""
    has = [view for view in views if view.catalog is not None and _has(view.catalog, one)]
    marks = _places(views).get(_key(one), [])
    return say.assemble(
        f"**{say.plain(note.friendly_name or one.stem or _base(one.plain_title), NAME_ROOM)}**",
        say.small(facts),
        f"Family: {say.plain(str(family), NAME_ROOM)}{corrected}",
        _defaults(family),
        f"On {', '.join(say.plain(view.name, NAME_ROOM) for view in has[:10])}" if has else "",
        say.small(marks) if marks else "",
        words,
    )


def progress(
    setting: str, wanted: str, targets: Targets, rows: Sequence[SwitchRow], names: Mapping[str, str], person_id: int
) -> str:
    """How a wish stands, webui by webui; `names` are those of the webuis by their keys."""
    what = "" if setting == REFRESH else f" {say.code(wanted)}"
    ended = bool(rows) and not any(row.state in OPEN for row in rows)
    by = f" · by <@{person_id}>" if ended and setting != REFRESH else ""
    lines = [f"- **{say.plain(names.get(row.backend, 'a webui'), NAME_ROOM)}** · {_stand(row)}" for row in rows]
    lines += [
        f"- **{say.plain(view.name, NAME_ROOM)}** · left out: {say.plain(why, REASON_ROOM)}"
        for view, why in targets.left_out
    ]
    return say.assemble(f"**{_head(setting)}**{what}{by}", *_fitting(lines, LINES_ROOM))


def noted(short_name: str, note: Note, family: Family | None) -> str:
    """What holds from now on of the checkpoint that people know as `short_name`."""
    facts = []
    if note.friendly_name:
        facts.append(f"called **{say.plain(note.friendly_name, NAME_ROOM)}**")
    if family is not None:
        facts.append(f"family {say.plain(str(family), NAME_ROOM)}")
    if note.trigger_words:
        facts.append(f"trigger words {say.code(note.trigger_words)}")
    if note.hidden is not None:
        facts.append("hidden" if note.hidden else "shown")
    where = "on this server" if note.guild_id else "on every server"
    said = " · ".join(facts) if facts else "as the webui names it, with nothing said of it"
    return say.assemble(f"{say.code(short_name)} {where}: {said}.")


def _head(setting: str) -> str:
    return next((head for known, head in _HEAD.items() if known == setting), "Setting")


def _stand(row: SwitchRow) -> str:
    match row.state:
        case SwitchState.DONE:
            return f"done: {say.plain(row.sentence, REASON_ROOM)}"
        case SwitchState.FAILED:
            return f"not done: {say.plain(row.sentence, REASON_ROOM)}"
        case _:
            return _NOW[row.state]


def _places(views: Sequence[BackendView]) -> dict[str, list[str]]:
    """By checkpoint: where it is loaded, and where it draws what names none."""
    loaded: dict[str, list[str]] = {}
    chosen: dict[str, list[str]] = {}
    for view in views:
        if view.catalog is None:
            continue
        now = _find(view.catalog, view.catalog.loaded_checkpoint)
        default = _find(view.catalog, view.default_checkpoint) or now
        for places, found in ((loaded, now), (chosen, default if default != now else None)):
            if found is not None:
                places.setdefault(_key(found), []).append(view.name)
    marks = {key: [_mark("**loaded**", names, len(views))] for key, names in loaded.items()}
    for key, names in chosen.items():
        marks.setdefault(key, []).append(_mark("the default", names, len(views)))
    return marks


def _mark(word: str, names: Sequence[str], webuis: int) -> str:
    if webuis == 1:
        return word
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{word} on {', '.join(say.plain(name, NAME_ROOM) for name in names[:3])}{more}"


def _defaults(family: Family) -> str:
    said = dict(defaults_for(family))
    parts = [f"{said.pop('width')}×{said.pop('height')}"] if {"width", "height"} <= said.keys() else []
    parts += [f"{name.replace('_', ' ')} {say.plain(str(value), NAME_ROOM)}" for name, value in said.items()]
    return say.small(["where nobody says otherwise:", *parts]) if parts else ""


def last_switch(row: SwitchRow, guild_id: str | None) -> str:
    """What was set last, and by whom: people of other servers are not named."""
    what = f"{_head(row.setting)} {say.code(row.wanted)}"
    who = f"by <@{row.person_id}>" if row.guild_id == guild_id else "by somebody elsewhere"
    return say.small([f"set last: {what}", who, f"<t:{int(row.created_at)}:R>"])


def _as_long_as_fits(lines: Sequence[_Line]) -> list[str]:
    """All of them: pages are of so many checkpoints, so that nothing is worked out for those of other pages."""
    full = [line.full() for line in lines]
    if sum(say.units(line) + 1 for line in full) <= PAGE_ROOM:
        return full
    room = PAGE_ROOM // len(lines) - 1
    return [whole if say.units(whole) <= room else line.brief(room) for line, whole in zip(lines, full, strict=True)]


def _fitting(lines: Sequence[str], room: int) -> Iterable[str]:
    for number, line in enumerate(lines):
        room -= say.units(line) + 1
        if room < 0:
            yield f"-# and {len(lines) - number} more"
            return
        yield line


def _counted(number: int) -> str:
    return "1 checkpoint" if number == 1 else f"{number} checkpoints"


def _has(catalog: Catalog, one: Checkpoint) -> bool:
    return find_checkpoint(catalog, one.plain_title) is not None


def _find(catalog: Catalog, name: str | None) -> Checkpoint | None:
    return None if name is None else find_checkpoint(catalog, name)


def _key(one: Checkpoint) -> str:
    return title_key(one.plain_title)


def _base(title: str) -> str:
    return PurePosixPath(_slashed(title)).name


def _slashed(title: str) -> str:
    return title.replace("\\", "/")
