"""Where a job's answer goes, as its row keeps it."""

import time
from dataclasses import replace

from cogs.reply import TOKEN_MARGIN, TOKEN_SECONDS, ReplyAddress

ADDRESS = ReplyAddress(
    application_id=1,
    token="interaction-s3cret",
    expires_at=time.time() + TOKEN_SECONDS,
    channel_id=2**63,
    guild_id=None,
    owner_id=42,
    private=True,
    file_bytes=10 * 2**20,
)


def test_an_address_comes_back_from_its_json() -> None:
    assert ReplyAddress.from_json(ADDRESS.to_json()) == ADDRESS


def test_an_address_of_an_earlier_version_is_one_where_the_bot_is_a_member() -> None:
    text = ADDRESS.to_json().replace(',"is_member":true', "")
    assert "is_member" not in text
    assert ReplyAddress.from_json(text) == ADDRESS


def test_a_thread_is_in_its_channel_whose_wishes_hold_there_too() -> None:
    assert ADDRESS.channels == (str(2**63),)
    assert replace(ADDRESS, parent_id=7).channels == (str(2**63), "7")
    assert ReplyAddress.from_json(replace(ADDRESS, parent_id=7).to_json()).parent_id == 7
    assert ReplyAddress.from_json(ADDRESS.to_json().replace(',"parent_id":null', "")) == ADDRESS


def test_private_replies_and_those_where_the_bot_is_none_are_reached_by_the_token_alone() -> None:
    public = replace(ADDRESS, private=False)
    assert ADDRESS.by_token_alone
    assert not public.by_token_alone
    assert replace(public, is_member=False).by_token_alone


def test_the_token_is_never_shown() -> None:
    assert "s3cret" not in f"{ADDRESS!r} {ADDRESS}"


def test_a_token_lives_fifteen_minutes_less_what_an_upload_may_take() -> None:
    assert TOKEN_SECONDS == 900
    assert replace(ADDRESS, expires_at=time.time() + TOKEN_SECONDS).token_lives
    assert not replace(ADDRESS, expires_at=time.time() + TOKEN_MARGIN - 1).token_lives
    assert not replace(ADDRESS, expires_at=0).token_lives
