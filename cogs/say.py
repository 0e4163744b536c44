"""The words of a job's message. Pure: it turns facts into Discord markdown that breaks no limit and mentions nobody."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping

from discord.utils import escape_mentions
from msgspec import UNSET

from cogs.facts import asked_facts, drawn_facts, listed
from cogs.said import DOING, LACKING
from core.jobs.model import Drawing, Glimpse, Job, JobState, Ticket
from core.request import GenerationRequest

CONTENT_LIMIT = 2000
"""Discord's characters in a message's content, for bots."""
PROMPT_ROOM = 900
NEGATIVE_ROOM = 300
NOTES_ROOM = 400
NOTE_ROOM = 250
MORE_ROOM = len("-# … and 9,999 more notes\n")
NAME_ROOM = 100
SENTENCE_ROOM = 1200
REFUSED_ROOM = 1200
"""What a refusal's reason and the prompt under it have at most; the prompt gives way to a long reason."""
PING_ROOM = len("<@18446744073709551615>\n")
"""What a late answer wants before its words."""
BAR_CELLS = 16
PICTURES_ALONE = "Your pictures. (The server's rules did not let me repeat the prompt.)"

PICTURE_ELSEWHERE = {
    "channel": "The picture is below.",
    "dm": "The picture is in your direct messages.",
    "kept": "The picture is drawn and kept; it could not be posted here.",
}
"""What is left to say in a reply whose pictures went there."""
REST_ELSEWHERE = {
    "channel": "The other pictures are below.",
    "dm": "The other pictures are in your direct messages.",
    "kept": "The other pictures are drawn and kept; they could not be posted here.",
}
"""The same in a reply that shows some of them."""
REASON_ELSEWHERE = {"channel": "The reason is below.", "dm": "The reason is in your direct messages."}
"""The same for the reason why there is no picture."""

# Links are defused too: discord.py's own escape_markdown leaves them, and the second of two masked links, alive.
_MARKUP = re.compile(r"[\\*_~|`<>\[\]]|^[#-]|:(?=//)")
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""What turns the direction in which the rest of a line is read, our own words among it."""
_FENCES = len("```\n\n```")
_NEGATIVE = "Negative prompt"


def plain(text: str, room: int) -> str:
    """`text` on one line, at most `room` units, with nothing that Discord would read as markup, link or mention."""
    return _fit(one_line(text), room, lambda part: escape_mentions(_MARKUP.sub(r"\\\g<0>", part)))


def one_line(text: str) -> str:
    """`text` on one line, which it does not turn round."""
    return " ".join(text.translate(_TURNS).split())


def cut(text: str, room: int) -> str:
    """`text` shortened to `room` UTF-16 units, as Discord counts emoji, with an ellipsis where something is missing."""
    if units(text) <= room:
        return text
    kept = text[:room].encode("utf-16-le", "surrogatepass")[: 2 * max(room - 1, 0)]
    return kept.decode("utf-16-le", "ignore").rstrip() + "…"  # what is ignored is half of a character


def units(text: str) -> int:
    """The length in UTF-16 code units, the larger of the two ways in which Discord may count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def code(name: str) -> str:
    """A webui's name for something, as it is spelled: in a code span underscores and stars stay what they are."""
    return f"`{_fit(one_line(name), NAME_ROOM, _without_backticks) or '?'}`"


def quote(text: str, room: int) -> str:
    """`text` in a code block, at most `room` units of it: nothing inside is markup, and it can be copied as it is."""
    return f"```\n{_fit(text, room, _without_backticks)}\n```"


def prompts(request: GenerationRequest, room: int) -> str:
    """The prompt, and the negative prompt if there is one, each in a block of its own, in `room` units together."""
    room -= _FENCES
    negative = ""
    if request.negative_prompt is not UNSET:
        room -= _FENCES + len(_NEGATIVE)
        negative = _NEGATIVE + quote(request.negative_prompt, min(NEGATIVE_ROOM, room // 3))
        room -= units(negative) - _FENCES - len(_NEGATIVE)
    return quote(request.prompt, min(PROMPT_ROOM, room)) + negative


def _without_backticks(text: str) -> str:
    return escape_mentions(text.replace("`", "ˋ"))


def _fit(text: str, room: int, escape: Callable[[str], str]) -> str:
    """`text` escaped and shortened to `room` units: escaping makes it longer, and cutting afterwards would undo it."""
    left = room
    while (excess := units(escaped := escape(cut(text, left))) - room) > 0 and left > 0:
        left -= max(excess // 2, 1)
    return escaped


def accepted(ticket: Ticket) -> str:
    """What was understood and the place in the queue."""
    head = _standing(ticket.place, ticket.starts_at, ticket.obstacle)
    return _about(ticket.request, head, asked_line(ticket.request), ticket.notes)


def queued(job: Job, place: int, starts_at: float | None, obstacle: str | None) -> str:
    """The same later on, when the place has changed."""
    return _about(job.request, _standing(place, starts_at, obstacle), asked_line(job.request), job.notes)


def _standing(place: int, starts_at: float | None, obstacle: str | None) -> str:
    """The place in the queue with the estimated start, in unix seconds, or what is in the way."""
    if obstacle is not None:
        return f"**Waiting** · {plain(obstacle, 300)}"
    where = "Next in line" if place == 1 else f"{ordinal(place)} in the queue"
    return f"**{where}**" + (f" · starts <t:{int(starts_at)}:R>" if starts_at is not None else "")


def drawing(job: Job, glimpse: Glimpse) -> str:
    """How far the picture is, as far as the webui says."""
    picture = f" · picture {glimpse.picture} of {glimpse.pictures}" if glimpse.picture and glimpse.pictures else ""
    step = f" · step {glimpse.step}/{glimpse.steps}" if glimpse.step is not None and glimpse.steps else ""
    bar = "…" if glimpse.fraction is None else _bar(min(max(glimpse.fraction, 0.0), 1.0))
    head = f"**{DOING[job.request.task]}** {bar}{picture}{step}"
    return _about(job.request, head, asked_line(job.request), job.notes)


def _bar(done: float) -> str:
    cells = round(done * BAR_CELLS)
    return f"`{'█' * cells}{'░' * (BAR_CELLS - cells)}` {done:.0%}"


def waiting(job: Job, sentence: str) -> str:
    """Back in the queue, and why."""
    return _about(job.request, f"**Waiting** · {plain(sentence, 300)}", asked_line(job.request))


def partly(job: Job, so_far: Drawing, remarks: Iterable[str] = ()) -> str:
    """The caption of the pictures that are there while others are being drawn."""
    remarks = (*job.notes, *so_far.warnings, *remarks)
    head = f"**Drawing** {len(so_far.pictures)} of {job.request.pictures} done"
    return _about(job.request, head, facts_line(job.request, so_far), remarks)


def finished(job: Job, result: Drawing, remarks: Iterable[str] = (), made_from: str = "") -> str:
    """The caption of the pictures, and above them why there are fewer than were asked for. `made_from` is a line."""
    head = ""
    if job.sentence is not None:
        head = f"**{len(result.pictures)} of {job.request.pictures} pictures** · {plain(job.sentence, 300)}"
    warnings = (warning for warning in result.warnings if warning != job.sentence)
    remarks = (*job.notes, *warnings, *remarks)
    return _about(job.request, head, assemble(facts_line(job.request, result), made_from), remarks)


def each_once(remarks: Mapping[int, str], pictures: int) -> list[str]:
    """Remarks on numbered pictures, equal ones once: with the numbers, where there is more than one picture."""
    if pictures == 1:
        return list(remarks.values())
    numbers: dict[str, list[int]] = {}
    for number, remark in sorted(remarks.items()):
        numbers.setdefault(remark, []).append(number)
    return [f"picture{'s' * (len(of) > 1)} {listed(of)}: {remark}" for remark, of in numbers.items()]


def refused(sentence: str, prompt: str, again_at: float | None = None) -> str:
    """Why a command was not carried out, with the prompt so that nobody has to type it again.

    `again_at` (unix seconds) is when to try again, if that is known.
    """
    again = "" if again_at is None else f"Try again <t:{int(again_at)}:R>."
    said = [plain(sentence, SENTENCE_ROOM), again]
    room = CONTENT_LIMIT - _FENCES - sum(units(block) + 1 for block in said)
    return assemble(*said, quote(prompt, min(REFUSED_ROOM, room)) if prompt.strip() else "")


def was_cancelled(was: JobState) -> str:
    """What became of a job that was in this state."""
    return "Cancelled before it was begun." if was is JobState.QUEUED else "Cancelled while it was being drawn."


def cancelled(job: Job, sentence: str) -> str:
    """The owner changed their mind."""
    return _about(job.request, f"**{plain(sentence, 200)}**", asked_line(job.request))


def ended(job: Job, sentence: str, *, partly: bool = False) -> str:
    """Why there is no picture, or (`partly`) no further one, with the prompt so that nobody has to type it again."""
    head = f"{_no_picture(partly, LACKING[job.request.task])} · {plain(sentence, 400)}"
    return _about(job.request, head, asked_line(job.request))


def ended_elsewhere(where: str, *, partly: bool) -> str | None:
    """What is left to say in a reply whose reason went there; None where it could go nowhere."""
    return f"{_no_picture(partly)} · {REASON_ELSEWHERE[where]}" if where in REASON_ELSEWHERE else None


def _no_picture(partly: bool, what: str = "picture") -> str:
    return "**No further picture**" if partly else f"**No {what}**"


def facts_line(request: GenerationRequest, result: Drawing | None) -> str:
    """The settings as the webui used them where something is drawn, else as they were understood."""
    if result is None or not result.pictures:
        return asked_line(request)
    return small(drawn_facts(request, result, code))


def asked_line(request: GenerationRequest) -> str:
    """The settings as they were understood."""
    return small(asked_facts(request, code))


def notes(sentences: Iterable[str], room: int) -> str:
    """Remarks, one a line, as many as there is room for, and how many more there are."""
    lines = [small([plain(sentence, NOTE_ROOM)]) for sentence in sentences]
    lengths = [*itertools.accumulate(units(line) + 1 for line in lines)]
    if not lines or lengths[-1] <= room:
        return "\n".join(lines)
    shown = sum(length <= room - MORE_ROOM for length in lengths)
    more = len(lines) - shown
    return "\n".join([*lines[:shown], small([f"… and {more} more note{'s' * (more > 1)}"])])


def small(parts: Iterable[str]) -> str:
    """Facts in one line of Discord's small print."""
    return "-# " + " · ".join(parts)


def _about(request: GenerationRequest, head: str, facts: str, remarks: Iterable[str] = ()) -> str:
    """A message of head, prompts and facts: it is the prompts that give way, so that no block is ever left open.

    Remarks have what the prompts leave, and never less than NOTES_ROOM.
    """
    room = CONTENT_LIMIT - PING_ROOM - sum(units(block) + 1 for block in (head, facts))
    if request.task != "draw":
        return assemble(head, facts, notes(remarks, room))
    said = notes(remarks, max(NOTES_ROOM, room - units(prompts(request, room)) - 1))
    return assemble(head, prompts(request, room - units(said) - 1), facts, said)


def assemble(*blocks: str) -> str:
    """The blocks below each other, never longer than a message may be."""
    return cut("\n".join(block for block in blocks if block), CONTENT_LIMIT)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, … 11th, … 21st."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
