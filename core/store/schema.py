"""The tables, as SQLAlchemy Core metadata. Migrations in `migrations/versions` make them; nothing else does."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="Discord's interaction id"),
    sa.Column("state", sa.Text, nullable=False, comment="queued, running, drawn, done, failed or cancelled"),
    sa.Column("owner_id", sa.Text, nullable=False),
    sa.Column("guild_id", sa.Text, nullable=True, comment="empty in direct messages"),
    sa.Column("request", sa.Text, nullable=False, comment="GenerationRequest as JSON"),
    sa.Column("notes", sa.Text, nullable=False, comment="what was clamped, JSON list of sentences"),
    sa.Column("reply", sa.Text, nullable=False, comment="where the answer goes, JSON that only the delivery reads"),
    sa.Column("attempt", sa.Integer, nullable=False, comment="how often a backend was given the job"),
    sa.Column("breaks", sa.Integer, nullable=False, comment="how often the connection broke with the outcome unknown"),
    sa.Column("backend", sa.Text, nullable=True, comment="the webui's URL without credentials"),
    sa.Column("task_id", sa.Text, nullable=True, comment="force_task_id of the last render"),
    sa.Column("result", sa.Text, nullable=True, comment="Drawing as JSON: files and facts"),
    sa.Column("sentence", sa.Text, nullable=True, comment="why it failed, as the person was told"),
    sa.Column("message_id", sa.Text, nullable=True, comment="the message that carries the answer"),
    sa.Column("delivered_to", sa.Text, nullable=True, comment="reply, channel, dm or kept"),
    sa.Column("created_at", sa.Float, nullable=False, comment="unix seconds"),
    sa.Column("started_at", sa.Float, nullable=True),
    sa.Column("finished_at", sa.Float, nullable=True),
    sa.Index(None, "state", "created_at"),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="what the bot has to remember about itself"),
    sa.Column("value", sa.Text, nullable=False),
)
