"""The client knows whether a session stands right now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from cogs.client import EaselClient


@pytest.fixture
async def client() -> AsyncIterator[EaselClient]:
    """A client that never logs in: the library's events are dispatched by the test."""

    async def on_login(_client: EaselClient) -> None:
        """Not reached."""

    client = EaselClient(facts=cast(Any, None), on_login=on_login)
    client.loop = asyncio.get_running_loop()
    yield client


async def happens(client: EaselClient, *events: tuple[str, int]) -> bool:
    """Dispatch the events as the library does; whether the client is connected once its handlers have run."""
    for event, shard_id in events:
        client.dispatch(event, shard_id)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        await task
    return client.is_connected


async def test_a_client_is_connected_while_a_shard_is(client: EaselClient) -> None:
    assert not client.is_connected
    assert await happens(client, ("shard_connect", 0))
    assert not await happens(client, ("shard_disconnect", 0))
    assert await happens(client, ("shard_resumed", 0))
    assert not await happens(client, ("shard_disconnect", 0), ("shard_disconnect", 0))


async def test_one_shard_of_two_is_enough(client: EaselClient) -> None:
    assert await happens(client, ("shard_connect", 0), ("shard_connect", 1), ("shard_disconnect", 0))
    assert not await happens(client, ("shard_disconnect", 1))
