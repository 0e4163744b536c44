"""Pictures of a job as rows of their own; accounts for fair shares; backends that several processes know.

Revision: 0002. Follows: 0001. Made: 2026-11-25.

A job that was running waits again and is drawn with the same seed. What was drawn becomes pictures of the one worker
there was: on SQLite it is delivered from disk; on PostgreSQL, where workers have other names now, it is drawn again.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORKER = "easel"
"""The only executor of version 0.1."""
SENTENCE = "why it gets no (further) picture, as its owner is told"
SENTENCE_BEFORE = "why it failed, as the person was told"
OF_PARTS = ("attempt", "breaks", "backend", "task_id", "result")


def upgrade() -> None:
    """Make the tables, and move what is known of pictures into them."""
    _make_tables()
    with op.batch_alter_table("jobs") as jobs:
        for column in _job_columns():
            jobs.add_column(column)
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, state, request, backend, attempt, result FROM jobs")).mappings().all()
    for row in rows:
        _move(connection, row)
    connection.execute(sa.text("UPDATE jobs SET state = 'queued' WHERE state = 'running'"))
    with op.batch_alter_table("jobs") as jobs:
        for name in OF_PARTS:
            jobs.drop_column(name)
        for name in ("pictures", "weight", "avoid"):
            jobs.alter_column(name, server_default=None)
        jobs.alter_column("sentence", existing_type=sa.Text, comment=SENTENCE)
    op.create_index("ix_jobs_owner_id_state", "jobs", ["owner_id", "state"])


def _job_columns() -> list[sa.Column[Any]]:
    """With values for the rows that are there."""
    return [
        sa.Column("pictures", sa.Integer, nullable=False, server_default="1", comment="how many are asked for"),
        sa.Column(
            "weight", sa.Float, nullable=False, server_default="1", comment="its owner's share, 1 is everybody's"
        ),
        sa.Column(
            "avoid",
            sa.Text,
            nullable=False,
            server_default="[]",
            comment="backends that failed at it, JSON list of keys",
        ),
        sa.Column("expected_at", sa.Float, nullable=True, comment="when it was said to begin, unix seconds"),
    ]


def _make_tables() -> None:
    op.create_table(
        "parts",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, comment="which of the job's pictures, from 0"),
        sa.Column("state", sa.Text, nullable=False, comment="waiting, running, drawn, shown or failed"),
        sa.Column("worker", sa.Text, nullable=False, comment="the process that was given it last, by its stable id"),
        sa.Column("backend", sa.Text, nullable=False, comment="the key of the webui that was given it last"),
        sa.Column("attempt", sa.Integer, nullable=False, comment="how often it was given out"),
        sa.Column(
            "breaks", sa.Integer, nullable=False, comment="how often the connection broke with the outcome unknown"
        ),
        sa.Column("task_id", sa.Text, nullable=True, comment="force_task_id of the last render"),
        sa.Column("result", sa.Text, nullable=True, comment="Drawing of this picture as JSON: file and facts"),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_parts"),
    )
    op.create_index("ix_parts_state_worker", "parts", ["state", "worker"])
    op.create_table(
        "accounts",
        sa.Column("owner_id", sa.Text, nullable=False, comment="a person; the empty one is the clock of fair shares"),
        sa.Column("given", sa.Float, nullable=False, comment="seconds of work charged, divided by the person's weight"),
        sa.Column("head", sa.Text, nullable=True, comment="the job of theirs that was passed over though it was next"),
        sa.Column("passed_since", sa.Float, nullable=True, comment="since when, unix seconds"),
        sa.PrimaryKeyConstraint("owner_id", name="pk_accounts"),
    )
    op.create_table(
        "backends",
        sa.Column("key", sa.Text, nullable=False, comment="a webui, as its worker names it"),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False, comment="open, paused or draining: what admins want"),
        sa.Column("speed", sa.Float, nullable=True, comment="learned seconds for a million pixels and one step"),
        sa.Column("load_seconds", sa.Float, nullable=True, comment="learned seconds that another checkpoint costs"),
        sa.Column("view", sa.Text, nullable=True, comment="what its worker sees of it, JSON"),
        sa.Column(
            "seen_at", sa.Float, nullable=False, comment="when its worker wrote that, unix seconds of the database"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_backends"),
    )


def _move(connection: sa.Connection, row: Any) -> None:
    """The number of pictures into the job's row; each picture that was drawn into a row of its own."""
    pictures = json.loads(row["request"]).get("count", 1)
    connection.execute(sa.text("UPDATE jobs SET pictures = :n WHERE id = :id"), {"n": pictures, "id": row["id"]})
    if row["result"] is None:
        return
    drawing = json.loads(row["result"])
    came = len(drawing["pictures"])
    if came != pictures and row["state"] == "drawn":  # no further one will come, so that is all of it
        words = {"why": f"The webui sent {came} of {pictures} pictures.", "id": row["id"]}
        connection.execute(sa.text("UPDATE jobs SET sentence = :why WHERE id = :id"), words)
    state = "shown" if row["state"] == "done" else "drawn"
    seconds = drawing.get("seconds", 0.0) / max(len(drawing["pictures"]), 1)  # they are added up again
    for number, picture in enumerate(drawing["pictures"]):
        seeds = drawing["seeds"][number : number + 1]
        result = {**drawing, "pictures": [picture], "seeds": seeds, "numbers": [number], "seconds": seconds}
        connection.execute(
            sa.text(
                "INSERT INTO parts (job_id, number, state, worker, backend, attempt, breaks, result) "
                "VALUES (:job_id, :number, :state, :worker, :backend, :attempt, 0, :result)"
            ),
            {
                "job_id": row["id"],
                "number": number,
                "state": state,
                "worker": WORKER,
                "backend": row["backend"] or "",
                "attempt": row["attempt"],
                "result": json.dumps(result),
            },
        )


def downgrade() -> None:
    """Back to one row a job. What several rows say of a job's pictures is given up: unfinished ones are drawn again."""
    op.drop_index("ix_jobs_owner_id_state", "jobs")
    with op.batch_alter_table("jobs") as jobs:
        for name in ("pictures", "weight", "avoid", "expected_at"):
            jobs.drop_column(name)
        jobs.alter_column("sentence", existing_type=sa.Text, comment=SENTENCE_BEFORE)
        for name in ("attempt", "breaks"):
            jobs.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="0"))
        for name in ("backend", "task_id", "result"):
            jobs.add_column(sa.Column(name, sa.Text, nullable=True))
    op.execute("UPDATE jobs SET state = 'queued' WHERE state IN ('running', 'drawn')")
    for table in ("parts", "accounts", "backends"):
        op.drop_table(table)
