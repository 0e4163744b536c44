"""Statements that are executed for every picture, or in several places, made once: making one costs several times what
executing it does.

Data only. Each says in its name what becomes of which row. Its parameters are its `bindparam` names, each a scalar but
`numbers` and `owners`, which are lists; those of ATTEMPT_FIRST and CHARGE are the columns of the rows to be written.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.jobs.model import BEGUN, IN_THE_QUEUE, UNFINISHED, JobState, PartState
from core.store.schema import accounts, jobs, parts

_OF_JOB = parts.c.job_id == sa.bindparam("of_job")
_THE_JOB = jobs.c.id == sa.bindparam("of_job")
_THE_PART = sa.and_(_OF_JOB, parts.c.number == sa.bindparam("of_number"))
_DRAWN_ONES = sa.and_(
    _OF_JOB, parts.c.number.in_(sa.bindparam("numbers", expanding=True)), parts.c.state == PartState.DRAWN
)
_BEING_DRAWN = sa.update(parts).where(
    _THE_PART, parts.c.attempt == sa.bindparam("of_attempt"), parts.c.state == PartState.RUNNING
)
_PLACE = {
    "message_id": sa.func.coalesce(sa.bindparam("message", type_=sa.Text), jobs.c.message_id),
    "delivered_to": sa.bindparam("where"),
}


def count_of(job_id: str | sa.Column[Any] | sa.BindParameter[Any], *states: PartState) -> sa.ScalarSelect[int]:
    """How many pictures of the job are in one of these states."""
    counted = parts.alias()
    query = sa.select(sa.func.count()).select_from(counted)
    return query.where(counted.c.job_id == job_id, counted.c.state.in_(states)).scalar_subquery()


JOB = sa.select(jobs).where(_THE_JOB)
ITS_PARTS = sa.select(parts).where(_OF_JOB).order_by(parts.c.number)
ONE_PART = sa.select(jobs, *(column.label(f"part_{column.name}") for column in parts.c)).where(
    _THE_JOB, parts.c.job_id == jobs.c.id, parts.c.number == sa.bindparam("of_number")
)
"""With its job, whose columns have their own names; the picture's begin with `part_`."""
HOLD_JOB = sa.select(jobs.c.state).where(_THE_JOB).with_for_update()
COUNT_HELD = sa.select(sa.func.count()).where(_DRAWN_ONES, parts.c.worker == sa.bindparam("by_worker"))

NOTE_MESSAGE = (
    sa.update(jobs)
    .where(_THE_JOB)
    .values(
        message_id=sa.bindparam("message"),
        expected_at=sa.func.coalesce(sa.bindparam("begins_at", type_=sa.Float), jobs.c.expected_at),
    )
)
TAKE_JOB = (
    sa.update(jobs)
    .where(_THE_JOB, jobs.c.state.in_(IN_THE_QUEUE), jobs.c.sentence.is_(None))
    .values(state=JobState.RUNNING, started_at=sa.func.coalesce(jobs.c.started_at, sa.bindparam("now", type_=sa.Float)))
    .returning(jobs.c.pictures, jobs.c.request, jobs.c.started_at, jobs.c.expected_at)
)
ATTEMPTS = sa.select(parts.c.number, parts.c.state, parts.c.attempt).where(_OF_JOB)
ATTEMPT_AGAIN = (
    sa.update(parts)
    .where(_THE_PART)
    .values(
        state=PartState.RUNNING,
        worker=sa.bindparam("by_worker"),
        backend=sa.bindparam("on_backend"),
        attempt=parts.c.attempt + 1,
    )
)
ATTEMPT_FIRST = sa.insert(parts)
ACCOUNTS = sa.select(accounts)
ACCOUNTS_OF = ACCOUNTS.where(accounts.c.owner_id.in_(sa.bindparam("owners", expanding=True)))

NOTE_TASK = _BEING_DRAWN.values(task_id=sa.bindparam("task"))
PART_WAITS = _BEING_DRAWN.values(state=PartState.WAITING, breaks=parts.c.breaks + sa.bindparam("broken"))
PART_FAILED = _BEING_DRAWN.values(state=PartState.FAILED)
DRAWN = _BEING_DRAWN.values(state=PartState.DRAWN, result=sa.bindparam("drawing"))
ALL_DRAWN = (
    sa.update(jobs)
    .where(
        _THE_JOB,
        jobs.c.state == JobState.RUNNING,
        jobs.c.pictures == count_of(sa.bindparam("of_job"), PartState.DRAWN, PartState.SHOWN),
    )
    .values(state=JobState.DRAWN)
)
SHOWN = sa.update(parts).where(_DRAWN_ONES).values(state=PartState.SHOWN)
SHOWN_IN = sa.update(jobs).where(_THE_JOB).values(_PLACE)
DONE = (
    sa.update(jobs)
    .where(_THE_JOB, jobs.c.state.in_(BEGUN))
    .values({**_PLACE, "state": JobState.DONE, "finished_at": sa.bindparam("now")})
    .returning(jobs)
)
FAILED = (
    sa.update(jobs)
    .where(_THE_JOB, jobs.c.state.in_(UNFINISHED))
    .values({**_PLACE, "state": JobState.FAILED, "finished_at": sa.bindparam("now"), "sentence": sa.bindparam("why")})
    .returning(jobs)
)


def _charged(insert: Any) -> Any:
    fresh = {name: insert.excluded[name] for name in ("given", "head", "passed_since")}
    return insert.on_conflict_do_update(index_elements=["owner_id"], set_=fresh)


CHARGE = {
    "sqlite": _charged(sqlite.insert(accounts)),
    "postgresql": _charged(postgresql.insert(accounts)),
}
"""By dialect."""
