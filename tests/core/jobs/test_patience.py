"""Somebody who waits for an answer hears why there is none, before Discord has given them up."""

import asyncio
import time

import pytest
import sqlalchemy as sa

from core.errors import NoDatabase
from core.jobs.patience import PERSON_SECONDS, for_a_person, until_given_up


def gone() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("SELECT 1", None, ConnectionError())


async def test_a_database_that_is_away_for_a_moment_is_asked_again() -> None:
    answers: list[Exception | int] = [gone(), gone(), 7]

    async def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await for_a_person(ask) == 7


async def test_one_that_stays_away_ends_in_a_sentence_in_time() -> None:
    async def ask() -> int:
        raise gone()

    began = time.monotonic()
    with pytest.raises(NoDatabase, match="Try again in a minute"):
        await for_a_person(ask)
    assert time.monotonic() - began < PERSON_SECONDS + 0.7


async def test_one_that_hangs_and_can_not_be_ended_ends_in_the_sentence_too() -> None:
    released, ended = asyncio.Event(), asyncio.Event()

    async def ask() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            await released.wait()  # as a driver does that waits for its server's answer
            ended.set()
        return 1

    began = time.monotonic()
    with pytest.raises(NoDatabase):
        await for_a_person(ask)
    assert time.monotonic() - began < PERSON_SECONDS + 0.7
    released.set()
    await asyncio.wait_for(ended.wait(), 1)


async def test_whoever_is_told_to_stop_does_not_leave_the_question_running() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(for_a_person(ask))
    await begun.wait()
    asking.cancel()
    await asyncio.wait_for(ended.wait(), 1)


async def test_several_questions_share_one_patience() -> None:
    async def ask() -> int:
        await asyncio.Event().wait()
        return 1

    began, until = time.monotonic(), until_given_up()
    for _ in range(3):
        with pytest.raises(NoDatabase):
            await for_a_person(ask, until=until)
    assert time.monotonic() - began < PERSON_SECONDS + 0.7


async def test_what_is_no_outage_is_not_hidden() -> None:
    async def ask() -> int:
        raise KeyError

    with pytest.raises(KeyError):
        await for_a_person(ask)
