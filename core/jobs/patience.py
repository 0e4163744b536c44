"""Waits out our own neighbours: a database that restarts or a full disk costs time, never a job. No policy of jobs."""

from __future__ import annotations

import sqlalchemy as sa
import stamina

_forever = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0)
on_database = _forever.on(sa.exc.SQLAlchemyError)
on_disk = _forever.on((sa.exc.SQLAlchemyError, OSError))
"""Such a call is repeated until it works."""
