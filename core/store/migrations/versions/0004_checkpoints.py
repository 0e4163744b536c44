"""What admins set for good on webuis, and what servers call their checkpoints.

Revision: 0004. Follows: 0003. Made: 2026-11-26.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "switches",
        sa.Column("id", sa.Text, nullable=False, comment="Discord's interaction id"),
        sa.Column("backend", sa.Text, nullable=False, comment="the key of a webui"),
        sa.Column("setting", sa.Text, nullable=False, comment="checkpoint, vae, clip_skip or refresh"),
        sa.Column("wanted", sa.Text, nullable=False, comment="what was typed"),
        sa.Column("state", sa.Text, nullable=False, comment="wished, waiting, loading, done or failed"),
        sa.Column("sentence", sa.Text, nullable=False, comment="how it ended, as people are told"),
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("guild_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False, comment="unix seconds of the database"),
        sa.PrimaryKeyConstraint("id", "backend", name="pk_switches"),
    )
    op.create_index("ix_switches_state", "switches", ["state"])
    op.create_table(
        "checkpoint_notes",
        sa.Column("plain_title", sa.Text, nullable=False, comment="a checkpoint, as corrections name it"),
        sa.Column("guild_id", sa.Text, nullable=False, comment="the server that says so; empty: for all of them"),
        sa.Column("family", sa.Text, nullable=False, comment="a family's key; empty where nobody corrected it"),
        sa.Column("friendly_name", sa.Text, nullable=False),
        sa.Column("trigger_words", sa.Text, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=True, comment="whether it is offered to nobody"),
        sa.PrimaryKeyConstraint("plain_title", "guild_id", name="pk_checkpoint_notes"),
    )


def downgrade() -> None:
    """Drop them again: names and corrections are lost, the webuis stay as they are set."""
    op.drop_table("checkpoint_notes")
    op.drop_table("switches")
