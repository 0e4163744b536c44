"""The pipeline's boundary: anything at all that a job meets is caught here, so that it ends one job and no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import EaselError, UserError

log = logging.getLogger(__name__)


@contextmanager
def bounded(job_id: str) -> Iterator[None]:
    """Let Easel's own errors pass; log any other, and raise a UserError with a reference in its place."""
    try:
        yield
    except EaselError:
        raise
    except Exception as error:  # the boundary
        log.exception("a job failed through a fault of the bot's own", extra={"job": job_id})
        raise UserError(f"Something in the bot itself went wrong. Reference for its operator: {job_id}.") from error
