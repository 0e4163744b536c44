"""What each webui offers, in a table of its own.

Revision: 0006. Follows: 0005. Made: 2026-11-26.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; each webui's row says which catalog is meant. Older processes go on writing theirs there."""
    op.create_table(
        "catalogs",
        sa.Column("key", sa.Text, nullable=False, comment="a webui, as in backends"),
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the catalog in hex"),
        sa.Column("catalog", sa.Text, nullable=False, comment="its lists and capabilities, JSON"),
        sa.PrimaryKeyConstraint("key", name="pk_catalogs"),
    )
    op.add_column("backends", sa.Column("catalog_digest", sa.Text, nullable=True, comment="which of catalogs is meant"))
    op.add_column("backends", sa.Column("loaded_checkpoint", sa.Text, nullable=True, comment="what it has loaded"))


def downgrade() -> None:
    """Drop them again: they are read from the webuis anew."""
    op.drop_column("backends", "loaded_checkpoint")
    op.drop_column("backends", "catalog_digest")
    op.drop_table("catalogs")
