"""Waits out our own neighbours: a database that restarts or a full disk costs time, never a job. No policy of jobs."""

from __future__ import annotations

import sqlalchemy as sa
import stamina

_forever = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0)
on_database = _forever.on(sa.exc.SQLAlchemyError)
on_disk = _forever.on((sa.exc.SQLAlchemyError, OSError))
"""Such a call is repeated until it works."""
on_database_briefly = stamina.AsyncRetryingCaller(attempts=10, timeout=1.5, wait_max=0.4).on(sa.exc.SQLAlchemyError)
"""For whom somebody waits who will be told: Discord listens for three seconds."""
