"""What follows from each way in which a webui can fail."""

import itertools
from collections.abc import Iterator

import pytest

from core.errors import (
    AuthenticationFailed,
    BadRequest,
    Busy,
    ModelMissing,
    NanPicture,
    NoApi,
    NoCaption,
    NoPicture,
    NotReady,
    OutcomeUnknown,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.jobs.verdict import MAX_BREAKS, Verdict, judge

WAITS = (NotReady, NoApi, AuthenticationFailed, Busy)
ENDS = (
    WebuiError,
    BadRequest,
    ModelMissing,
    OutOfMemory,
    NanPicture,
    NoPicture,
    NoCaption,
    UnreadableAnswer,
    ServerFault,
)
ELSEWHERE = (ModelMissing, OutOfMemory, NanPicture, NoPicture, NoCaption, UnreadableAnswer, ServerFault)
SECRET = "gpu.internal:7860 Traceback"


def every_kind(kind: type[WebuiError] = WebuiError) -> Iterator[type[WebuiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_kind(child)


def test_every_way_of_failing_has_its_place_in_these_tables() -> None:
    own = {kind for kind in every_kind() if kind.__module__.startswith("core.")}
    assert own == {*WAITS, *ENDS, OutcomeUnknown}


@pytest.mark.parametrize("kind", WAITS)
@pytest.mark.parametrize("breaks", [0, MAX_BREAKS])
def test_a_webui_that_can_not_work_now_makes_the_job_wait(kind: type[WebuiError], breaks: int) -> None:
    assert judge(kind(SECRET), breaks) == Verdict(
        again=True, broke=False, sentence=f"{kind.sentence} Your job waits and is drawn after that."
    )


@pytest.mark.parametrize("kind", ENDS)
def test_a_failure_that_would_come_again_ends_the_job(kind: type[WebuiError]) -> None:
    assert judge(kind(SECRET), 0) == Verdict(again=False, broke=False, sentence=kind.sentence)


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_what_one_webui_can_not_do_is_tried_by_another(kind: type[WebuiError]) -> None:
    verdict = judge(kind(SECRET), 0, elsewhere=True)
    assert verdict == Verdict(again=True, broke=False, sentence=f"{kind.sentence} Another webui tries it.", avoid=True)


@pytest.mark.parametrize("kind", sorted({*ENDS} - {*ELSEWHERE}, key=str))
def test_what_every_webui_would_refuse_ends_the_job(kind: type[WebuiError]) -> None:
    assert judge(kind(SECRET), 0, elsewhere=True) == judge(kind(SECRET), 0)


@pytest.mark.parametrize("kind", [*WAITS, OutcomeUnknown])
@pytest.mark.parametrize("breaks", range(MAX_BREAKS))
def test_a_webui_that_went_away_is_not_avoided_afterwards(kind: type[WebuiError], breaks: int) -> None:
    verdict = judge(kind(SECRET), breaks, elsewhere=True)
    assert verdict == judge(kind(SECRET), breaks)
    assert not verdict.avoid


def test_a_broken_connection_is_tried_again_until_it_broke_too_often() -> None:
    verdicts = [judge(OutcomeUnknown(SECRET), breaks) for breaks in range(MAX_BREAKS)]
    assert [verdict.again for verdict in verdicts] == [True] * (MAX_BREAKS - 1) + [False]
    assert all(verdict.broke for verdict in verdicts)
    assert "in the queue again" in verdicts[0].sentence
    assert f"broke {MAX_BREAKS} times" in verdicts[-1].sentence


@pytest.mark.parametrize("kind", list(every_kind()))
def test_no_verdict_tells_the_person_what_is_for_the_log(kind: type[WebuiError]) -> None:
    for breaks, elsewhere in itertools.product(range(MAX_BREAKS + 1), (False, True)):
        sentence = judge(kind(SECRET), breaks, elsewhere=elsewhere).sentence
        assert "gpu" not in sentence
        assert "Traceback" not in sentence
        assert sentence.endswith(".")
