"""How a job stands in its row: columns in, a Job out, and back."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from core.jobs.model import Delivered, Job, JobState, NewJob, Origin
from core.request import GenerationRequest

log = logging.getLogger(__name__)

Row = dict[str, Any]


def shown_in(job_id: str, delivered: Delivered) -> Row:
    """The job and its place, as the parameters of statements that change both."""
    return {"of_job": job_id, "where": delivered.where, "message": delivered.message_id}


def new_row(job: NewJob) -> Row:
    return {
        "id": job.id,
        "state": JobState.QUEUED,
        "owner_id": job.owner_id,
        "guild_id": job.guild_id,
        "request": job.request.to_json(),
        "pictures": job.request.pictures,
        "notes": msgspec.json.encode(job.notes).decode(),
        "reply": job.reply,
        "weight": job.weight,
        "avoid": "[]",
        "created_at": job.created_at,
        "origin_job": None if job.origin is None else job.origin.job_id,
        "origin_number": None if job.origin is None else job.origin.number,
        "origin_verb": None if job.origin is None else job.origin.verb,
    }


def readable(row: Any) -> Job | None:
    """One row that can't be read must not keep the bot from starting; it stays where it is."""
    try:
        return as_job(row)
    except (ValueError, msgspec.MsgspecError):
        log.exception("a job's row can't be read", extra={"job": row.id})
        return None


def as_job(row: Any) -> Job:
    """A row of the table `jobs`; ValueError or MsgspecError where it isn't one of ours."""
    return Job(
        id=row.id,
        state=JobState(row.state),
        owner_id=row.owner_id,
        guild_id=row.guild_id,
        request=GenerationRequest.from_json(row.request),
        notes=tuple(strings(row.notes)),
        reply=row.reply,
        weight=row.weight,
        avoid=frozenset(strings(row.avoid)),
        sentence=row.sentence,
        message_id=row.message_id,
        delivered_to=row.delivered_to,
        created_at=row.created_at,
        expected_at=row.expected_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        origin=None if row.origin_job is None else Origin(row.origin_job, row.origin_number, row.origin_verb),
    )


def strings(text: str) -> list[str]:
    """A JSON list of texts."""
    return msgspec.json.decode(text, type=list[str])
