"""Images that people send in, kept while a job needs them.

Revision: 0003. Follows: 0002. Made: 2026-11-26.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "inputs",
        sa.Column("key", sa.Text, nullable=False, comment="SHA-256 of the image in hex"),
        sa.Column("png", sa.LargeBinary, nullable=False, comment="an image that somebody sent in, as webuis get it"),
        sa.Column("created_at", sa.Float, nullable=False, comment="when it was sent in last, unix seconds"),
        sa.PrimaryKeyConstraint("key", name="pk_inputs"),
    )
    op.create_index("ix_inputs_created_at", "inputs", ["created_at"])


def downgrade() -> None:
    """Drop it again: jobs that wait with an image can't be drawn any more."""
    op.drop_table("inputs")
