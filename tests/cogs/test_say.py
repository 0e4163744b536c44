"""A job's message breaks no limit of Discord's, mentions nobody and smuggles no markup, whatever was typed."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogs import facts, say
from core.images.store import Kept
from core.jobs.model import Drawing, Glimpse, Job, JobState, Ticket
from core.request import GenerationRequest
from tests.core.requests import NAUGHTY, within_limits

WORST = GenerationRequest(
    prompt="@here" * 1200,
    negative_prompt="😀`" * 2000,
    checkpoint="@everyone_*" * 20,
    width=2048,
    height=2048,
    steps=150,
    cfg_scale=29.123456,
    sampler="@here`" * 30,
    scheduler="**||__" * 30,
    seed=2**32 - 1,
    count=10,
    clip_skip=12,
)
SENTENCES = st.lists(NAUGHTY, max_size=8).map(tuple)


def job_of(request: GenerationRequest, notes: tuple[str, ...] = ()) -> Job:
    return Job(
        id="1",
        state=JobState.RUNNING,
        owner_id="42",
        guild_id=None,
        request=request,
        notes=notes,
        reply="{}",
        weight=1.0,
        avoid=frozenset(),
        sentence=None,
        message_id=None,
        created_at=0.0,
        expected_at=None,
        started_at=None,
    )


requests = st.just(WORST) | within_limits
jobs = st.builds(job_of, requests, SENTENCES)
NONE_YET = Drawing(pictures=(), seeds=())
starts = st.none() | st.floats(0, 1e11)
tickets = st.builds(
    lambda request, notes, place, obstacle, starts_at: Ticket(
        job_id="1", request=request, notes=notes, place=place, obstacle=obstacle, starts_at=starts_at
    ),
    requests,
    SENTENCES,
    st.integers(1, 10**6),
    st.none() | NAUGHTY,
    starts,
)
names = st.none() | NAUGHTY
drawings = st.builds(
    lambda side, seeds, warnings, checkpoint, sampler, scheduler, steps, cfg_scale, seconds: Drawing(
        pictures=tuple(Kept("x", "png", side, side, 1, None) for _ in seeds),
        seeds=tuple(seeds),
        warnings=warnings,
        checkpoint=checkpoint,
        sampler=sampler,
        scheduler=scheduler,
        steps=steps,
        cfg_scale=cfg_scale,
        seconds=seconds,
    ),
    st.integers(1, 16384),
    st.lists(st.integers(0, 2**63), min_size=1, max_size=100),
    SENTENCES,
    names,
    names,
    names,
    st.none() | st.integers(0, 10**6),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 3600),
)
glimpses = st.builds(
    Glimpse,
    st.none() | st.floats(-1, 2),
    st.none() | st.integers(0, 10**6),
    st.none() | st.integers(0, 10**6),
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 100),
)
MENTION = re.compile(r"@(everyone|here)|<(@|#|:|a:|/|t:|id:)")
ESTIMATE = re.compile(r"(?<=\*\*) · starts <t:[0-9]+:R>$", re.MULTILINE)
"""The bot's own timestamp, on its own line."""
BLOCK = re.compile(r"```\n(.*?)\n```", re.DOTALL)
SPAN_OR_ESCAPE = re.compile(r"`[^`\n]+`|\\[^A-Za-z0-9\s]")
MASKED_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(")


def assert_harmless(text: str) -> None:
    """Within the limit, nobody mentioned, every block and span closed, outside of them only the bot's own markup."""
    assert len(text.encode("utf-16-le")) // 2 <= say.CONTENT_LIMIT
    assert not re.search(r"@(everyone|here)|@[!&]?[0-9]{17,20}", text)
    outside = BLOCK.sub("", ESTIMATE.sub("", text, count=1))
    assert "```" not in outside
    unescaped = SPAN_OR_ESCAPE.sub("x", outside)
    assert "`" not in unescaped
    assert not MENTION.search(unescaped)
    assert not MASKED_LINK.search(unescaped)
    assert "://" not in unescaped
    assert "||" not in unescaped
    assert "~~" not in unescaped
    assert "_" not in unescaped
    assert re.sub(r"\*\*[^*]*\*\*", "", unescaped, count=1).count("*") == 0
    for line in unescaped.splitlines():
        assert not re.match(r"\s*(#|>)", line)


@given(tickets)
@example(Ticket(job_id="1", request=WORST, notes=("*" * 250,) * 5, place=10**6, obstacle="_" * 400))
def test_what_was_understood_is_said_harmlessly(ticket: Ticket) -> None:
    assert_harmless(say.accepted(ticket))


@given(jobs, glimpses)
@example(job_of(WORST, ("*" * 250,) * 5), Glimpse(0.5, 10**6, 10**6, 10, 10))
def test_progress_is_said_harmlessly(job: Job, glimpse: Glimpse) -> None:
    assert_harmless(say.drawing(job, glimpse))


@given(tickets)
@example(Ticket(job_id="1", request=WORST, notes=("*" * 250,) * 5, place=10**6, obstacle=None, starts_at=1e11))
def test_a_new_place_is_said_as_the_first_one_was(ticket: Ticket) -> None:
    job = job_of(ticket.request, ticket.notes)
    assert say.queued(job, ticket.place, ticket.starts_at, ticket.obstacle) == say.accepted(ticket)


@given(jobs, drawings, SENTENCES)
@example(job_of(WORST, ("*" * 250,) * 5), NONE_YET, ("*" * 250,) * 5)
def test_pictures_are_captioned_harmlessly_while_others_are_drawn(
    job: Job, drawing: Drawing, remarks: tuple[str, ...]
) -> None:
    assert_harmless(say.partly(job, drawing, remarks))


@given(jobs, drawings, SENTENCES, st.none() | NAUGHTY)
@example(job_of(WORST, ("*" * 250,) * 5), NONE_YET, ("*" * 250,) * 5, "_" * 500)
def test_pictures_are_captioned_harmlessly(
    job: Job, drawing: Drawing, remarks: tuple[str, ...], sentence: str | None
) -> None:
    assert_harmless(say.finished(replace(job, sentence=sentence), drawing, remarks))


@given(jobs, NAUGHTY)
@example(job_of(WORST), "_" * 500)
def test_sentences_are_said_harmlessly(job: Job, sentence: str) -> None:
    for words in (say.waiting, say.cancelled, say.ended):
        assert_harmless(words(job, sentence))
    assert_harmless(say.ended(job, sentence, partly=True))
    assert_harmless(say.refused(sentence, job.request.prompt))
    assert_harmless(say.plain(sentence, 400))


@given(NAUGHTY, st.integers(1, 300))
@example("\\", 1)
def test_plain_text_has_the_room_it_is_given(text: str, room: int) -> None:
    assert say.units(say.plain(text, room)) <= room
    assert "\n" not in say.plain(text, room)


@given(NAUGHTY, st.integers(1, 300))
def test_cut_text_has_the_room_it_is_given_and_says_that_something_is_missing(text: str, room: int) -> None:
    short = say.cut(text, room)
    assert say.units(short) <= room
    if say.units(text) <= room:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


@given(st.text(alphabet=st.characters(codec=None)))
def test_units_are_those_of_utf_16(text: str) -> None:
    assert say.units(text) == sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def test_an_ordinary_sentence_stays_as_it_is() -> None:
    sentence = "The model computed an empty (black) picture: try 1,024 or 50% - it's fine!"
    assert say.plain(sentence, 200) == sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**bold** _it_", r"\*\*bold\*\* \_it\_"),
        ("[a](b) [c](d)", r"\[a\](b) \[c\](d)"),
        ("https://evil.example", r"https\://evil.example"),
        ("# head", r"\# head"),
        ("> quote", r"\> quote"),
        ("-# small", r"\-# small"),
        ("<#123> <t:1:R>", r"\<#123\> \<t:1:R\>"),
        ("@everyone", "@\u200beveryone"),
        ("\\*", r"\\\*"),
        ("a\n\n b", "a b"),
    ],
)
def test_markup_is_shown_as_it_was_typed(text: str, said: str) -> None:
    assert say.plain(text, 200) == said


@given(NAUGHTY)
def test_a_code_block_is_closed_by_the_bot_alone(text: str) -> None:
    block = say.quote(text, 500)
    assert block.startswith("```\n")
    assert block.endswith("\n```")
    assert "`" not in block[4:-4]
    assert say.units(block[4:-4]) <= 500


@given(NAUGHTY)
def test_a_name_is_in_a_code_span_of_its_own(name: str) -> None:
    span = say.code(name)
    assert span.startswith("`")
    assert span.endswith("`")
    assert "`" not in span[1:-1]
    assert "\n" not in span
    assert say.units(span) <= 102


def test_a_prompt_is_shown_as_it_was_typed() -> None:
    ticket = Ticket(
        job_id="1", request=GenerationRequest(prompt="**a** _fox_ <lora:x:1>", seed=7), notes=(), place=1, obstacle=None
    )
    assert say.accepted(ticket) == "**Next in line**\n```\n**a** _fox_ <lora:x:1>\n```\n-# seed 7"


def test_what_was_understood_is_all_there() -> None:
    request = GenerationRequest(
        prompt="a fox",
        negative_prompt="blurry",
        checkpoint="dream_v4",
        width=832,
        height=1216,
        steps=24,
        cfg_scale=6.5,
        sampler="DPM++ 2M",
        scheduler="Karras",
        seed=7,
        count=4,
        clip_skip=2,
    )
    ticket = Ticket(job_id="1", request=request, notes=("Steps set to 24.",), place=3, obstacle=None)
    assert say.accepted(ticket).splitlines() == [
        "**3rd in the queue**",
        "```",
        "a fox",
        "```Negative prompt```",
        "blurry",
        "```",
        "-# 832×1216 · 24 steps · `DPM++ 2M` / `Karras` · CFG 6.5 · CLIP skip 2 · seed 7–10 · 4 pictures · `dream_v4`",
        "-# Steps set to 24.",
    ]


@pytest.mark.parametrize(
    ("place", "starts_at", "head"),
    [
        (1, None, "**Next in line**"),
        (1, 1_700_000_000.0, "**Next in line** · starts <t:1700000000:R>"),
        (3, 1_700_000_000.9, "**3rd in the queue** · starts <t:1700000000:R>"),
    ],
)
def test_a_place_comes_with_the_time_at_which_it_may_begin(place: int, starts_at: float | None, head: str) -> None:
    text = say.queued(job_of(GenerationRequest(prompt="a fox", seed=7)), place, starts_at, None)
    assert text.splitlines()[0] == head


def test_an_obstacle_comes_before_the_place() -> None:
    ticket = Ticket(
        job_id="1",
        request=GenerationRequest(prompt="a fox", seed=7),
        notes=(),
        place=1,
        obstacle="It is down.",
        starts_at=1_700_000_000.0,
    )
    assert say.accepted(ticket).startswith("**Waiting** · It is down.\n")


def test_progress_has_a_bar_a_per_cent_and_a_step() -> None:
    text = say.drawing(job_of(GenerationRequest(prompt="a fox", seed=7)), Glimpse(0.5, 12, 24, 2, 4))
    assert text.startswith("**Drawing** `████████░░░░░░░░` 50% · picture 2 of 4 · step 12/24\n")


def test_pictures_carry_what_the_webui_really_used() -> None:
    drawing = Drawing(
        pictures=(Kept("x", "png", 832, 1216, 1, None),),
        seeds=(7,),
        warnings=("The webui took 20 steps instead of 24.",),
        checkpoint="dream_v4",
        sampler="Euler a",
        scheduler="Automatic",
        steps=20,
        cfg_scale=7.0,
        seconds=12.34,
    )
    text = say.finished(job_of(GenerationRequest(prompt="a fox", seed=7, steps=24)), drawing, ["re-encoded"])
    assert text.splitlines()[3:] == [
        "-# 832×1216 · 20 steps · `Euler a` / `Automatic` · CFG 7 · seed 7 · `dream_v4` · 12.3 s",
        "-# The webui took 20 steps instead of 24.",
        "-# re-encoded",
    ]


def test_the_seeds_of_pictures_that_came_in_any_order_are_in_theirs() -> None:
    kept = Kept("x", "png", 832, 1216, 1, None)
    drawing = Drawing(pictures=(kept,) * 3, seeds=(10, 7, 8), numbers=(3, 0, 1))
    text = say.partly(job_of(GenerationRequest(prompt="a fox", seed=7, count=4)), drawing, ["picture 1: re-encoded"])
    assert text.startswith("**Drawing** 3 of 4 done\n```\na fox\n```\n")
    assert "seed 7, 8, 10 " in text
    assert text.endswith("\n-# picture 1: re-encoded")


def test_pictures_that_are_fewer_than_were_asked_for_say_why_once() -> None:
    kept = Kept("x", "png", 832, 1216, 1, None)
    sentence = "The webui ran out of memory: try a smaller size."
    job = replace(job_of(GenerationRequest(prompt="a fox", seed=7, count=3)), sentence=sentence)
    drawing = Drawing(pictures=(kept, kept), seeds=(7, 9), numbers=(0, 2), warnings=("VAE", sentence), seconds=2.0)
    assert say.finished(job, drawing).splitlines() == [
        f"**2 of 3 pictures** · {sentence}",
        *("```", "a fox", "```"),
        "-# 832×1216 · seed 7, 9 · 2.0 s",
        "-# VAE",
    ]


def test_a_job_that_ends_with_some_pictures_says_that_there_is_no_further_one() -> None:
    job = job_of(GenerationRequest(prompt="a fox", seed=7, count=4))
    text = say.ended(job, "No memory.", partly=True)
    assert text.startswith("**No further picture** · No memory.\n")
    assert text.endswith("-# seed 7–10 · 4 pictures")


def test_a_refusal_says_on_a_line_of_its_own_when_to_try_again() -> None:
    text = say.refused("You have 2 jobs in the queue.", "a fox", 1795647125.9)
    assert text == "You have 2 jobs in the queue.\nTry again <t:1795647125:R>.\n```\na fox\n```"
    assert "Try again" not in say.refused("The prompt is empty.", "", None)


@pytest.mark.parametrize(
    ("where", "partly", "words"),
    [
        ("channel", False, "**No picture** · The reason is below."),
        ("dm", True, "**No further picture** · The reason is in your direct messages."),
        ("kept", False, None),
    ],
)
def test_a_reply_says_where_the_reason_is(where: str, partly: bool, words: str | None) -> None:
    assert say.ended_elsewhere(where, partly=partly) == words


def test_a_long_prompt_is_cut_and_everything_else_stays() -> None:
    request = replace(WORST, checkpoint="dream", sampler="Euler", scheduler="Karras")
    text = say.ended(job_of(request), "The webui ran out of memory.")
    assert text.startswith("**No picture** · The webui ran out of memory.\n```\n")
    assert text.endswith("10 pictures · `dream`")
    assert "…\n```Negative prompt```\n" in text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], "unknown"),
        ([7], "7"),
        ([7, 8], "7–8"),
        ([7, 8, 9, 10], "7–10"),
        ([7, 9], "7, 9"),
        ([8, 7], "8, 7"),
        ([7, 7], "7, 7"),
        (list(range(0, 40, 2)), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, …"),
    ],
)
def test_seeds_that_count_up_are_a_range(numbers: list[int], text: str) -> None:
    assert facts.seeds(numbers) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"), (13, "13th")),
        *((20, "20th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (101, "101st"), (111, "111th"), (113, "113th")),
    ],
)
def test_places_are_spoken_as_people_do(number: int, text: str) -> None:
    assert say.ordinal(number) == text


def test_a_refusal_repeats_the_prompt_if_there_is_one() -> None:
    assert say.refused("No.", "a fox") == "No.\n```\na fox\n```"
    assert say.refused("No.", "  ") == "No."


def test_drawing_without_a_known_fraction_shows_no_bar() -> None:
    first, _, _ = say.drawing(job_of(GenerationRequest(prompt="a fox")), Glimpse(None)).partition("\n")
    assert first == "**Drawing** …"


@pytest.mark.parametrize(
    ("remarks", "pictures", "lines"),
    [
        ({}, 4, []),
        ({1: "smaller"}, 1, ["smaller"]),
        ({2: "smaller"}, 4, ["picture 2: smaller"]),
        ({1: "smaller", 2: "smaller", 3: "smaller"}, 4, ["pictures 1–3: smaller"]),
        ({1: "smaller", 2: "gone", 4: "smaller"}, 4, ["pictures 1, 4: smaller", "picture 2: gone"]),
    ],
)
def test_equal_remarks_are_made_once(remarks: dict[int, str], pictures: int, lines: list[str]) -> None:
    assert say.each_once(remarks, pictures) == lines


def test_a_long_refusal_is_whole_and_the_prompt_gives_way() -> None:
    sentence = "In_extra: " + "wrong_word; " * 70 + "and 5 more."
    text = say.refused(sentence, "long prompt " * 500, 1795647125.9)
    assert "and 5 more." in text
    assert text.endswith("…\n```")
    assert 1900 < say.units(text) <= 2000


@pytest.mark.parametrize(("prompt", "most"), [("a fox", 15), ("long prompt " * 500, 13)])
def test_notes_have_the_room_that_is_there_and_the_others_are_counted(prompt: str, most: int) -> None:
    remarks = tuple(
        f"Setting number {number} is set to 4: 0 to 4 are allowed here, and no more than that." for number in range(15)
    )
    text = say.queued(job_of(GenerationRequest(prompt=prompt, seed=1), remarks), 1, None, None)
    shown = sum(remark in text for remark in remarks)
    assert most - 2 <= shown <= most
    assert shown == 15 or text.endswith(f"\n-# … and {15 - shown} more notes")
    assert say.units(text) <= 2000


def test_a_hundred_notes_leave_the_prompt_whole() -> None:
    remarks = tuple(f"Setting number {number} is {number}." for number in range(100))
    text = say.finished(job_of(GenerationRequest(prompt="a fox", seed=1), remarks), NONE_YET)
    assert "```\na fox\n```" in text
    assert text.splitlines()[-1].startswith("-# … and ")
    assert 1900 < say.units(text) <= 2000


@pytest.mark.parametrize("show", [say.plain, lambda text, _room: say.code(text)])
def test_nothing_turns_the_direction_of_what_follows(show: Callable[[str, int], str]) -> None:
    assert show("a\u202ered\u202c \u2067fox\u2069\u200b", 50) in ("ared fox\u200b", "`ared fox\u200b`")
    assert "\u200d" in show("👩\u200d🎨", 50)
