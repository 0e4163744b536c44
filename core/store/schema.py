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
    sa.Column("pictures", sa.Integer, nullable=False, comment="how many are asked for"),
    sa.Column("notes", sa.Text, nullable=False, comment="what was clamped, JSON list of sentences"),
    sa.Column("reply", sa.Text, nullable=False, comment="where the answer goes, JSON that only the delivery reads"),
    sa.Column("weight", sa.Float, nullable=False, comment="its owner's share, 1 is everybody's"),
    sa.Column("avoid", sa.Text, nullable=False, comment="backends that failed at it, JSON list of keys"),
    sa.Column("sentence", sa.Text, nullable=True, comment="why it gets no (further) picture, as its owner is told"),
    sa.Column("message_id", sa.Text, nullable=True, comment="the message that carries the answer"),
    sa.Column("delivered_to", sa.Text, nullable=True, comment="reply, channel, dm or kept"),
    sa.Column("created_at", sa.Float, nullable=False, comment="unix seconds"),
    sa.Column("expected_at", sa.Float, nullable=True, comment="when it was said to begin, unix seconds"),
    sa.Column("started_at", sa.Float, nullable=True),
    sa.Column("finished_at", sa.Float, nullable=True),
    sa.Column("origin_job", sa.Text, nullable=True, comment="the job that this one was made from"),
    sa.Column("origin_number", sa.Integer, nullable=True, comment="which of its pictures, from 0; empty: all"),
    sa.Column("origin_verb", sa.Text, nullable=True, comment="what was done with it: again, vary, hires …"),
    sa.Index(None, "state", "created_at"),
    sa.Index(None, "owner_id", "state"),
    sa.Index(None, "message_id"),
)

parts = sa.Table(
    "parts",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, comment="which of the job's pictures, from 0"),
    sa.Column("state", sa.Text, nullable=False, comment="waiting, running, drawn, shown or failed"),
    sa.Column("worker", sa.Text, nullable=False, comment="the process that was given it last, by its stable id"),
    sa.Column("backend", sa.Text, nullable=False, comment="the key of the webui that was given it last"),
    sa.Column("attempt", sa.Integer, nullable=False, comment="how often it was given out"),
    sa.Column("breaks", sa.Integer, nullable=False, comment="how often the connection broke with the outcome unknown"),
    # Written before that render is sent, a first attempt's as it is given out; the comment stays the migration's.
    sa.Column("task_id", sa.Text, nullable=True, comment="force_task_id of the last render"),
    sa.Column("result", sa.Text, nullable=True, comment="Drawing of this picture as JSON: file and facts"),
    sa.Index(None, "state", "worker"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("owner_id", sa.Text, primary_key=True, comment="a person; the empty one is the clock of fair shares"),
    sa.Column("given", sa.Float, nullable=False, comment="seconds of work charged, divided by the person's weight"),
    sa.Column("head", sa.Text, nullable=True, comment="the job of theirs that was passed over though it was next"),
    sa.Column("passed_since", sa.Float, nullable=True, comment="since when, unix seconds"),
)

backends = sa.Table(
    "backends",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="a webui, as its worker names it"),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False, comment="open, paused or draining: what admins want"),
    sa.Column("speed", sa.Float, nullable=True, comment="learned seconds for a million pixels and one step"),
    sa.Column("load_seconds", sa.Float, nullable=True, comment="learned seconds that another checkpoint costs"),
    sa.Column("view", sa.Text, nullable=True, comment="what its worker sees of it, JSON"),
    sa.Column("seen_at", sa.Float, nullable=False, comment="when its worker wrote that, unix seconds of the database"),
    sa.Column("catalog_digest", sa.Text, nullable=True, comment="which of catalogs is meant"),
    sa.Column("loaded_checkpoint", sa.Text, nullable=True, comment="what it has loaded"),
)

catalogs = sa.Table(
    "catalogs",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="a webui, as in backends"),
    sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the catalog in hex"),
    sa.Column("catalog", sa.Text, nullable=False, comment="its lists and capabilities, JSON"),
)

inputs = sa.Table(
    "inputs",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="SHA-256 of the image in hex"),
    sa.Column("png", sa.LargeBinary, nullable=False, comment="an image that somebody sent in, as webuis get it"),
    sa.Column("created_at", sa.Float, nullable=False, comment="when it was sent in last, unix seconds"),
    sa.Index(None, "created_at"),
)

switches = sa.Table(
    "switches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="Discord's interaction id"),
    sa.Column("backend", sa.Text, primary_key=True, comment="the key of a webui"),
    sa.Column("setting", sa.Text, nullable=False, comment="checkpoint, vae, clip_skip or refresh"),
    sa.Column("wanted", sa.Text, nullable=False, comment="what was typed"),
    sa.Column("state", sa.Text, nullable=False, comment="wished, waiting, loading, done or failed"),
    sa.Column("sentence", sa.Text, nullable=False, comment="how it ended, as people are told"),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("guild_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False, comment="unix seconds of the database"),
    sa.Column("reply", sa.Text, nullable=True, comment="where the answer goes, as JSON"),
    sa.Index(None, "state"),
)

checkpoint_notes = sa.Table(
    "checkpoint_notes",
    metadata,
    sa.Column("plain_title", sa.Text, primary_key=True, comment="a checkpoint, as corrections name it"),
    sa.Column("guild_id", sa.Text, primary_key=True, comment="the server that says so; empty: for all of them"),
    sa.Column("family", sa.Text, nullable=False, comment="a family's key; empty where nobody corrected it"),
    sa.Column("friendly_name", sa.Text, nullable=False),
    sa.Column("trigger_words", sa.Text, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=True, comment="whether it is offered to nobody"),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="what the bot has to remember about itself"),
    sa.Column("value", sa.Text, nullable=False),
)

gallery = sa.Table(
    "gallery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="as gallery_words has it on SQLite"),
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
    sa.Index(None, "job_id", "number", unique=True),
    # The names are there to be read without the rows: people look for a part of one among all that they made.
    sa.Index(None, "owner_id", "made_at", "id", "folded_checkpoint", "loras"),
)

favourites = sa.Table(
    "favourites",
    metadata,
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("made_at", sa.Float, nullable=False, comment="when it was starred, unix seconds"),
)

# What people pointed at is there, too: core.store.pointed.
searches = sa.Table(
    "searches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="Discord's interaction id"),
    sa.Column("filter", sa.Text, nullable=False, comment="what a history is filtered by, JSON"),
    sa.Column("made_at", sa.Float, nullable=False, comment="unix seconds"),
    sa.Index(None, "made_at"),
)

presets = sa.Table(
    "presets",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True, comment="person or server"),
    sa.Column("scope_id", sa.Text, primary_key=True, comment="whose it is"),
    sa.Column("folded_name", sa.Text, primary_key=True, comment="the name as it is looked up"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False, comment="GenerationRequest as JSON; its prompt may be empty"),
    sa.Column("maker_id", sa.Text, nullable=False, comment="who saved it"),
    sa.Column("made_at", sa.Float, nullable=False, comment="unix seconds"),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True, comment="person, channel or server"),
    sa.Column("scope_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
