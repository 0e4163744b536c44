"""Pictures to find again, and what people wish: favourites, presets, preferences.

Revision: 0007. Follows: 0006. Made: 2026-11-26.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and enter what was drawn before."""
    op.add_column("jobs", sa.Column("origin_job", sa.Text, comment="the job that this one was made from"))
    op.add_column("jobs", sa.Column("origin_number", sa.Integer, comment="which of its pictures, from 0; empty: all"))
    op.add_column("jobs", sa.Column("origin_verb", sa.Text, comment="what was done with it: again, vary, hires …"))
    op.create_index("ix_jobs_message_id", "jobs", ["message_id"])
    _make_gallery()
    _make_words()
    _enter_earlier()
    op.create_table(
        "favourites",
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False, comment="when it was starred, unix seconds"),
        sa.PrimaryKeyConstraint("person_id", "job_id", "number", name="pk_favourites"),
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.Text, nullable=False, comment="Discord's interaction id"),
        sa.Column("filter", sa.Text, nullable=False, comment="what a history is filtered by, JSON"),
        sa.Column("made_at", sa.Float, nullable=False, comment="unix seconds"),
        sa.PrimaryKeyConstraint("id", name="pk_searches"),
    )
    op.create_index("ix_searches_made_at", "searches", ["made_at"])
    op.create_table(
        "presets",
        sa.Column("scope", sa.Text, nullable=False, comment="person or server"),
        sa.Column("scope_id", sa.Text, nullable=False, comment="whose it is"),
        sa.Column("folded_name", sa.Text, nullable=False, comment="the name as it is looked up"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False, comment="GenerationRequest as JSON; its prompt may be empty"),
        sa.Column("maker_id", sa.Text, nullable=False, comment="who saved it"),
        sa.Column("made_at", sa.Float, nullable=False, comment="unix seconds"),
        sa.PrimaryKeyConstraint("scope", "scope_id", "folded_name", name="pk_presets"),
    )
    op.create_table(
        "preferences",
        sa.Column("scope", sa.Text, nullable=False, comment="person, channel or server"),
        sa.Column("scope_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", "name", name="pk_preferences"),
    )


def _make_gallery() -> None:
    op.create_table(
        "gallery",
        sa.Column("id", sa.Integer, nullable=False, comment="as gallery_words has it on SQLite"),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, comment="which of the job's pictures, from 0"),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("guild_id", sa.Text, nullable=True),
        sa.Column("made_at", sa.Float, nullable=False, comment="unix seconds"),
        sa.Column("file", sa.Text, nullable=False, comment="the picture's name in the store"),
        sa.Column("bytes", sa.Integer, nullable=False, comment="the file's size"),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=True),
        sa.Column("checkpoint", sa.Text, nullable=True, comment="what drew it, as the webui said"),
        sa.Column("folded_checkpoint", sa.Text, nullable=True, comment="the same in lower case"),
        sa.Column("loras", sa.Text, nullable=False, comment="their names in lower case, a line break around each"),
        sa.Column("words", sa.Text, nullable=False, comment="prompt and negative prompt, for searching"),
        sa.PrimaryKeyConstraint("id", name="pk_gallery"),
    )
    op.create_index("ix_gallery_job_id_number", "gallery", ["job_id", "number"], unique=True)
    names = ["owner_id", "made_at", "id", "folded_checkpoint", "loras"]
    op.create_index("ix_gallery_" + "_".join(names), "gallery", names)


def _make_words() -> None:
    """The index of the words: each database has its own way."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_gallery_words ON gallery USING gin (to_tsvector('simple', words))")
    else:
        op.execute(
            "CREATE VIRTUAL TABLE gallery_words USING "
            "fts5(words, owner_id, content='gallery', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
        )


def _enter_earlier() -> None:
    bind = op.get_bind()
    drawn = bind.execute(
        sa.text(
            "SELECT jobs.id, parts.number, owner_id, guild_id, coalesce(finished_at, created_at), request, result "
            "FROM jobs JOIN parts ON parts.job_id = jobs.id "
            "WHERE jobs.state IN ('done', 'failed', 'cancelled') AND result IS NOT NULL ORDER BY 5, 2"
        )
    )
    statement = sa.text(
        "INSERT INTO gallery (job_id, number, owner_id, guild_id, made_at, file, bytes, width, height, seed, "
        "checkpoint, folded_checkpoint, loras, words) VALUES (:job_id, :number, :owner_id, :guild_id, "
        ":made_at, :file, :bytes, :width, :height, :seed, :checkpoint, :folded, :loras, :words)"
    )
    for row in drawn.fetchall():
        request, drawing = json.loads(row[5]), json.loads(row[6])
        for kept, seed in zip(drawing["pictures"][:1], [*drawing["seeds"], None], strict=False):
            names = [use["name"].lower() for use in request.get("loras", ())]
            prompts, negatives = (request.get(name, ()) for name in ("prompts", "negative_prompts"))
            prompt = prompts[row[1]] if prompts else request["prompt"]
            negative = negatives[row[1]] if negatives else request.get("negative_prompt", "")
            entry = {"job_id": row[0], "number": row[1], "owner_id": row[2], "guild_id": row[3], "made_at": row[4]}
            entry |= {"file": kept["name"], "bytes": kept["size"], "width": kept["width"], "height": kept["height"]}
            checkpoint = drawing.get("checkpoint")
            folded = None if checkpoint is None else checkpoint.lower()[:200]
            entry |= {"seed": seed, "checkpoint": checkpoint, "folded": folded}
            entry |= {"loras": "\n".join(["", *names, ""])[:500], "words": f"{prompt}\n{negative}".strip()}
            bind.execute(statement, entry)
    if bind.dialect.name != "postgresql":
        op.execute("INSERT INTO gallery_words (rowid, words, owner_id) SELECT id, words, owner_id FROM gallery")


def downgrade() -> None:
    """Drop them again: favourites, presets and preferences are lost, the pictures are not."""
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE gallery_words")
    for table in ("preferences", "presets", "searches", "favourites", "gallery"):
        op.drop_table(table)
    op.drop_index("ix_jobs_message_id", "jobs")
    for column in ("origin_verb", "origin_number", "origin_job"):
        op.drop_column("jobs", column)
