"""Where it is said how a switch stands.

Revision: 0005. Follows: 0004. Made: 2026-11-26.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. It stays empty in rows that were made before, and by older processes beside this one."""
    op.add_column("switches", sa.Column("reply", sa.Text, nullable=True, comment="where the answer goes, as JSON"))


def downgrade() -> None:
    """Drop it again: a bot that starts says no more how older wishes stand."""
    op.drop_column("switches", "reply")
