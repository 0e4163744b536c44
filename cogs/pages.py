"""The words of `/queue` and `/status`. Pure: it turns facts into Discord markdown that breaks no limit.

People are named by mentions that ring for nobody; people of other servers are not named, and no host name is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cogs import say
from cogs.said import title
from core.jobs.model import JobState
from core.scheduling.forecast import Expectation, Turn
from core.scheduling.scheduler import Reason
from core.studio import MyJob, QueuePage
from core.webui.catalog import find_checkpoint
from core.webui.pool import BackendView, Circuit, Health, Mode

TURNS_SHOWN = 10
PROMPT_ROOM = 60
TURNS_ROOM = 1000
MINE_ROOM = 550
WEBUIS_ROOM = 1500
MORE_ROOM = len("-# and 1000000 more\n")

WHY = {
    Reason.FAIR: "got the least so far",
    Reason.LOADED: "the checkpoint is loaded already",
    Reason.WANTED: "the checkpoint is loaded next",
    Reason.PATIENCE: "waited long enough for the checkpoint",
    Reason.ALONE: "nobody else waits for this webui",
}

_HEALTH = {
    Health.UNKNOWN: "not heard of yet",
    Health.DOWN: "can't be reached",
    Health.UNAUTHORISED: "refuses the bot's login",
    Health.NO_API: "starting, or without its API",
}


def queue(page: QueuePage, person_id: str, guild_id: str | None) -> str:
    """The queue as one person sees it: whose turn is next and why, then their own jobs."""
    shown = page.turns[:TURNS_SHOWN]
    lines = [_turn(number, turn, page, person_id, guild_id) for number, turn in enumerate(shown, 1)]
    head = _waiting(page.waiting) if page.obstacle is not None or not shown else "**Next**"
    obstacle = "" if page.obstacle is None else say.plain(page.obstacle, 300)
    return say.assemble(head, obstacle, *_fitting(lines, TURNS_ROOM, page.waiting), *_mine(page.mine))


def _turn(number: int, turn: Turn, page: QueuePage, person_id: str, guild_id: str | None) -> str:
    if turn.owner_id == person_id:
        who = "**you**"
    elif guild_id is not None and page.guilds.get(turn.job_id) == guild_id:
        who = f"<@{turn.owner_id}>"
    else:
        who = "somebody elsewhere"
    return f"{number}. {who} · {start(turn.starts_at)} · {WHY[turn.reason]}"


def _mine(mine: Sequence[MyJob]) -> Iterable[str]:
    if mine:
        yield "**Yours**"
        ordered = sorted(mine, key=lambda one: 0 if one.expectation is None else one.expectation.place)
        lines = [f"- {_stand(one)} · {say.plain(title(one.job.request), PROMPT_ROOM)}" for one in ordered]
        yield from _fitting(lines, MINE_ROOM, len(lines))
        yield "-# `/queue cancel:` ends one of them, or all."


def _stand(one: MyJob) -> str:
    if one.job.state is not JobState.QUEUED:
        return f"being drawn, {one.waiting} more to come" if one.waiting else "being drawn"
    return "waiting" if one.expectation is None else place(one.expectation)


def place(expectation: Expectation) -> str:
    """`3rd in the queue · starts in 2 minutes`, as Discord renders it."""
    where = "next in line" if expectation.place == 1 else f"{say.ordinal(expectation.place)} in the queue"
    return where if expectation.starts_at is None else f"{where} · {start(expectation.starts_at)}"


def start(at: float) -> str:
    """When a job begins, in the reader's own words and time."""
    return f"starts <t:{int(at)}:R>"


def status(
    views: Sequence[BackendView], waiting: int, obstacle: str | None, is_hidden: Callable[[str], bool] = lambda _: False
) -> str:
    """Every webui: whether it draws, and what it has loaded, unless that checkpoint `is_hidden` from the reader."""
    lines = _fitting([_webui(view, is_hidden) for view in views], WEBUIS_ROOM, len(views))
    return say.assemble(_waiting(waiting), "" if obstacle is None else say.plain(obstacle, 300), *lines)


def _webui(view: BackendView, is_hidden: Callable[[str], bool]) -> str:
    facts = [_state(view)]
    title = None if view.catalog is None else view.catalog.loaded_checkpoint
    if title is not None and (loaded := _loaded(view)) is not None and not is_hidden(title):
        facts.append(say.code(loaded))
    return f"- **{say.plain(view.name, 60)}** · {' · '.join(facts)}"


def _loaded(view: BackendView) -> str | None:
    """The loaded checkpoint by the name of its file, as captions have it."""
    if view.catalog is None or view.catalog.loaded_checkpoint is None:
        return None
    found = find_checkpoint(view.catalog, view.catalog.loaded_checkpoint)
    return view.catalog.loaded_checkpoint if found is None else found.stem or found.plain_title


def _state(view: BackendView) -> str:
    busy = view.job_id is not None
    if view.closing:
        return "being restarted"
    if view.switching:
        return "changing its model, once its picture is done" if _draws(view) else "changing its model"
    if view.mode is Mode.PAUSED:
        return "paused, finishing its picture" if busy else "paused"
    if view.mode is Mode.DRAINING:
        return "draining, finishing its picture" if busy else "drained: it can be switched off"
    if view.health is not Health.UP:
        return _HEALTH[view.health]
    if view.circuit is Circuit.OPEN:
        return "failing, left alone for a moment"
    if view.circuit is Circuit.HALF_OPEN:
        return "being tried again" if busy else "to be tried with one picture"
    return "drawing" if busy else "idle"


def _draws(view: BackendView) -> bool:
    return view.job_id is not None and ":" in view.job_id


def switched(view: BackendView, mode: Mode) -> str:
    """What an admin did."""
    name = f"**{say.plain(view.name, 60)}**"
    busy = " The picture it draws now is finished." if view.job_id is not None else ""
    match mode:
        case Mode.OPEN:
            return f"{name} gets pictures again."
        case Mode.PAUSED:
            return f"{name} is paused: it gets no new picture until it is resumed.{busy}"
        case Mode.DRAINING:
            return f"{name} is drained: it gets no new picture, and can be switched off once it is idle.{busy}"


def _waiting(jobs: int) -> str:
    match jobs:
        case 0:
            return "**Nobody is waiting**"
        case 1:
            return "**1 job is waiting**"
        case _:
            return f"**{jobs} jobs are waiting**"


def _fitting(lines: Sequence[str], room: int, total: int) -> Iterator[str]:
    """As many lines as there is room for, and how many of the `total` are missing: no line is cut in the middle."""
    room -= MORE_ROOM
    shown = 0
    for line in lines:
        room -= say.units(line) + 1
        if room < 0:
            break
        shown += 1
        yield line
    if lines and total > shown:
        yield f"-# and {total - shown} more"
