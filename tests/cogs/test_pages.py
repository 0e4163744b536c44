"""The words of /queue and /status break no limit, name nobody who is elsewhere, and smuggle no markup."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogs import pages, say
from core.jobs.model import JobState
from core.request import GenerationRequest
from core.scheduling.forecast import Expectation, Turn
from core.scheduling.scheduler import Reason
from core.studio import MyJob, QueuePage
from core.webui.catalog import Catalog, Checkpoint
from core.webui.pool import BackendView, Circuit, Health, Mode
from tests.cogs.test_say import job_of
from tests.core.requests import NAUGHTY

ME, BEA, DAN = "80351110224678912", "80351110224678913", "80351110224678914"
HERE, THERE = "41771983423143936", "41771983423143937"
TIME = re.compile(r"<t:[0-9]+:R>")
PERSON = re.compile(r"<@([0-9]+)>")
SPAN_OR_ESCAPE = re.compile(r"`[^`\n]+`|\\[^A-Za-z0-9\s]")


def assert_harmless(text: str) -> None:
    """So far within the limit that no line was cut; every span closed; only the bot's own markup and mentions."""
    assert say.units(text) < say.CONTENT_LIMIT - 10
    bare = SPAN_OR_ESCAPE.sub("x", PERSON.sub("x", TIME.sub("x", text)))
    assert not re.search(r"@(everyone|here)|<(@|#|:|a:|/|t:|id:)", bare)
    for forbidden in ("`", "://", "||", "~~"):
        assert forbidden not in bare
    assert bare.replace("**", "").count("*") == 0


# /queue


def turn(job_id: str, owner_id: str = BEA, reason: Reason = Reason.FAIR, starts_at: float = 100.0) -> Turn:
    return Turn(job_id, owner_id, "one", starts_at, reason)


def page(*turns: Turn, mine: tuple[MyJob, ...] = (), obstacle: str | None = None, waiting: int = -1) -> QueuePage:
    """`waiting`: as many as there are turns, unless said."""
    return QueuePage(
        waiting=len(turns) if waiting < 0 else waiting,
        turns=turns,
        guilds={one.job_id: HERE if one.owner_id != DAN else THERE for one in turns},
        mine=mine,
        obstacle=obstacle,
    )


def waiting_job(prompt: str, place: int = 1, starts_at: float | None = 100.0) -> MyJob:
    job = replace(job_of(GenerationRequest(prompt=prompt)), state=JobState.QUEUED)
    return MyJob(job=job, expectation=Expectation(place, starts_at))


turns = st.builds(
    turn,
    st.integers(0, 2**64 - 1).map(str),
    st.sampled_from((ME, BEA, DAN)) | st.integers(2**63, 2**64 - 1).map(str),
    st.sampled_from(Reason),
    st.floats(0, 1e11),
)
mine = st.builds(waiting_job, NAUGHTY, st.integers(1, 10**6), st.none() | st.floats(0, 1e11))
queue_pages = st.builds(
    lambda turns, mine, obstacle, more: page(*turns, mine=tuple(mine), obstacle=obstacle, waiting=len(turns) + more),
    st.lists(turns, max_size=25),
    st.lists(mine, max_size=30),
    st.none() | NAUGHTY,
    st.integers(0, 10**6),
)
LONGEST = page(
    *(turn(str(2**63 + n), str(2**64 - 1 - n), Reason.PATIENCE, 1e11) for n in range(25)),
    mine=tuple(waiting_job("_" * 100, 10**6, 1e11) for _ in range(30)),
    obstacle="_" * 500,
    waiting=10**6,
)


@given(queue_pages, st.none() | st.sampled_from((HERE, THERE)))
@example(LONGEST, HERE)
def test_the_queue_is_shown_harmlessly(shown: QueuePage, guild_id: str | None) -> None:
    assert_harmless(pages.queue(shown, ME, guild_id))


@given(queue_pages, st.none() | st.sampled_from((HERE, THERE)))
def test_only_people_of_the_same_server_are_named(shown: QueuePage, guild_id: str | None) -> None:
    named = set(PERSON.findall(pages.queue(shown, ME, guild_id)))
    assert named <= {
        one.owner_id for one in shown.turns if guild_id is not None and shown.guilds[one.job_id] == guild_id
    }
    assert ME not in named


def test_a_turn_says_who_when_and_why() -> None:
    shown = page(turn("1", ME), turn("2", BEA, Reason.LOADED), turn("3", DAN, Reason.WANTED))
    assert pages.queue(shown, ME, HERE).splitlines() == [
        "**Next**",
        "1. **you** · starts <t:100:R> · got the least so far",
        f"2. <@{BEA}> · starts <t:100:R> · the checkpoint is loaded already",
        "3. somebody elsewhere · starts <t:100:R> · the checkpoint is loaded next",
    ]


def test_every_reason_has_its_words() -> None:
    assert pages.WHY.keys() == set(Reason)


def test_in_direct_messages_nobody_else_is_named() -> None:
    text = pages.queue(page(turn("1", BEA), turn("2", ME)), ME, None)
    assert "somebody elsewhere" in text
    assert "**you**" in text


def test_an_empty_queue_says_so() -> None:
    assert pages.queue(page(), ME, HERE) == "**Nobody is waiting**"


def test_while_nothing_can_be_drawn_the_reason_is_said_and_how_many_wait() -> None:
    shown = page(obstacle="The webui can't be reached.", waiting=3, mine=(waiting_job("a fox", 2, None),))
    assert pages.queue(shown, ME, HERE).splitlines() == [
        "**3 jobs are waiting**",
        "The webui can't be reached.",
        "**Yours**",
        "- 2nd in the queue · a fox",
        "-# `/queue cancel:` ends one of them, or all.",
    ]


def test_what_does_not_fit_is_counted() -> None:
    lines = pages.queue(page(*(turn(str(n)) for n in range(25)), waiting=40), ME, HERE).splitlines()
    assert len(lines) == 1 + pages.TURNS_SHOWN + 1
    assert lines[-1] == "-# and 30 more"


def test_one_s_own_jobs_say_where_they_stand_in_the_order_of_their_places() -> None:
    drawn = MyJob(job=job_of(GenerationRequest(prompt="an owl")), expectation=None)
    text = pages.queue(page(mine=(waiting_job("a fox", 3), waiting_job("a hare", 1), drawn)), ME, HERE)
    assert text.splitlines()[1:-1] == [
        "**Yours**",
        "- being drawn · an owl",
        "- next in line · starts <t:100:R> · a hare",
        "- 3rd in the queue · starts <t:100:R> · a fox",
    ]


# /status


def view(name: str = "webui 1", health: Health = Health.UP, loaded: str | None = "fox.safetensors") -> BackendView:
    catalog = None if loaded is None else Catalog((), (), (), loaded_checkpoint=loaded)
    return BackendView("http://gpu-box:7860", name, health, True, catalog, None)


views = st.builds(
    lambda name, health, loaded, circuit, mode, job_id: replace(
        view(name, health, loaded), circuit=circuit, mode=mode, job_id=job_id, idle=job_id is None
    ),
    NAUGHTY,
    st.sampled_from(Health),
    st.none() | NAUGHTY,
    st.sampled_from(Circuit),
    st.sampled_from(Mode),
    st.none() | st.just("1"),
)


@given(st.lists(views, max_size=40), st.integers(0, 10**6), st.none() | NAUGHTY)
@example([view("_" * 100, loaded="x" * 200)] * 40, 10**6, "_" * 500)
def test_the_webuis_are_shown_harmlessly(every: list[BackendView], waiting: int, obstacle: str | None) -> None:
    text = pages.status(every, waiting, obstacle)
    assert_harmless(text)
    assert "gpu-box" not in text


@given(views, st.sampled_from(Mode))
def test_what_an_admin_did_is_said_harmlessly(one: BackendView, mode: Mode) -> None:
    assert_harmless(pages.switched(one, mode))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "idle"),
        ({"job_id": "1"}, "drawing"),
        ({"health": Health.DOWN}, "can't be reached"),
        ({"health": Health.UNAUTHORISED}, "refuses the bot's login"),
        ({"circuit": Circuit.OPEN}, "failing, left alone for a moment"),
        ({"circuit": Circuit.HALF_OPEN}, "to be tried with one picture"),
        ({"circuit": Circuit.HALF_OPEN, "job_id": "1"}, "being tried again"),
        ({"mode": Mode.PAUSED}, "paused"),
        ({"mode": Mode.PAUSED, "job_id": "1"}, "paused, finishing its picture"),
        ({"mode": Mode.DRAINING, "health": Health.DOWN}, "drained: it can be switched off"),
        ({"mode": Mode.DRAINING, "job_id": "1"}, "draining, finishing its picture"),
    ],
)
def test_a_webui_is_said_to_be(changes: dict[str, object], words: str) -> None:
    text = pages.status([replace(view(), **changes)], 0, None)  # type: ignore[arg-type]  # any field at all
    assert text == f"**Nobody is waiting**\n- **webui 1** · {words} · `fox.safetensors`"


def test_a_checkpoint_is_named_as_below_the_pictures_drawn_with_it() -> None:
    title = "sub/fox_v2.safetensors [0123456789]"
    catalog = Catalog((Checkpoint(title=title, model_name="fox_v2", stem="fox_v2"),), loaded_checkpoint=title)
    assert "· `fox_v2`" in pages.status([replace(view(), catalog=catalog)], 0, None)


def test_one_waiting_job_is_one() -> None:
    assert pages.status([view(loaded=None)], 1, None) == "**1 job is waiting**\n- **webui 1** · idle"
