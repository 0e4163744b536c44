"""Somebody who waits for an answer hears why there is none, before Discord has given them up."""

import time

import pytest
import sqlalchemy as sa

from core.errors import UserError
from core.jobs.patience import AWAY, PERSON_SECONDS, for_a_person


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
    with pytest.raises(UserError, match=AWAY):
        await for_a_person(ask)
    assert time.monotonic() - began < PERSON_SECONDS + 0.7


async def test_what_is_no_outage_is_not_hidden() -> None:
    async def ask() -> int:
        raise KeyError

    with pytest.raises(KeyError):
        await for_a_person(ask)
