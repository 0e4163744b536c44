"""What is said early of jobs that may end after their reply is out of the bot's reach. Pure."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TypeVar

from cogs.reply import ReplyAddress
from core.jobs.model import Job, Ticket

T = TypeVar("T", Job, Ticket)

LATE_SECONDS = 3 * 60
"""A job that begins so shortly before the token's end may not end within its life."""
LATE_SAYS = (
    "Here I can answer for 15 minutes only. If this takes longer, the answer comes as a direct message, or is kept for "
    "/history."
)


def warned(told: T, reply: ReplyAddress, starts_at: float | None = None, obstacle: str | None = None) -> T:
    """The same with that remark before all others, where it may come so.

    `starts_at` (unix seconds) is when the job is expected to begin; with an `obstacle` nobody can say.
    """
    begins = max(time.time(), starts_at or 0.0)
    may_be_late = obstacle is not None or begins > reply.expires_at - LATE_SECONDS
    return replace(told, notes=(LATE_SAYS, *told.notes)) if reply.by_token_alone and may_be_late else told
