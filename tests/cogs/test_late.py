"""Who is told early that the answer may come after the last moment to give it: nobody who need not be."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from cogs.late import LATE_SAYS, LATE_SECONDS, warned
from cogs.reply import TOKEN_SECONDS, ReplyAddress
from core.jobs.model import Ticket
from core.request import GenerationRequest
from tests.cogs.test_reply import ADDRESS

FOX = GenerationRequest(prompt="a red fox")
TICKET = Ticket(job_id="1", request=FOX, notes=("a remark",), place=1, obstacle=None)
ELSEWHERE = replace(ADDRESS, private=False, is_member=False)


def notes(reply: ReplyAddress, begins_in: float | None = None, obstacle: str | None = None) -> tuple[str, ...]:
    fresh = replace(reply, expires_at=time.time() + TOKEN_SECONDS)
    starts_at = None if begins_in is None else time.time() + begins_in
    return warned(TICKET, fresh, starts_at, obstacle).notes


@pytest.mark.parametrize("reply", [ADDRESS, ELSEWHERE], ids=["private", "brought along"])
def test_a_reply_that_the_bot_can_t_reach_later_is_warned_of(reply: ReplyAddress) -> None:
    assert notes(reply) == notes(reply, 60) == ("a remark",)
    late = TOKEN_SECONDS - LATE_SECONDS + 30
    assert notes(reply, late) == notes(reply, 60, "the webui is away") == (LATE_SAYS, "a remark")
    old = replace(reply, expires_at=time.time() + LATE_SECONDS - 1)
    assert warned(TICKET, old).notes == (LATE_SAYS, "a remark")


def test_any_other_reply_is_not() -> None:
    assert notes(replace(ADDRESS, private=False), 3 * TOKEN_SECONDS, "the webui is away") == ("a remark",)
