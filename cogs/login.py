"""Logs in to Discord, patiently, and stays connected. Knows no command and no job."""

from __future__ import annotations

import logging

import aiohttp
import discord
import stamina

from cogs.places import is_transient
from core.errors import ConfigurationError

log = logging.getLogger(__name__)

REFUSED_TOKEN = "DISCORD_TOKEN is refused by Discord: copy it again from the developer portal."  # noqa: S105  # a sentence
WRONG_TOKEN = 4004
"""The code with which the gateway closes on a token that is not valid (any more)."""


def use_discord(api_url: str) -> None:
    """Where discord.py finds Discord; what it would warn of and Easel has no use for is left out."""
    discord.http.Route.BASE = api_url
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # pictures need no voice


async def log_in(client: discord.Client, token: str) -> None:
    """Until Discord answers: ConfigurationError where it refuses the token for good."""
    try:
        async for attempt in stamina.retry_context(on=is_transient, attempts=None, timeout=None, wait_max=30.0):
            with attempt:
                await _log_in(client, token)
    except discord.LoginFailure:
        raise ConfigurationError(REFUSED_TOKEN) from None


async def stay_connected(client: discord.Client) -> None:
    """At the gateway, until cancelled; ConfigurationError where Discord refuses token or intents for good."""
    try:
        async for attempt in stamina.retry_context(on=is_transient, attempts=None, timeout=None, wait_max=30.0):
            with attempt:
                await client.connect()
    except discord.LoginFailure:
        raise ConfigurationError(REFUSED_TOKEN) from None
    except discord.PrivilegedIntentsRequired:
        raise ConfigurationError("Discord refuses the bot's intents, though none is privileged.") from None
    except discord.ConnectionClosed as error:
        if error.code == WRONG_TOKEN:
            raise ConfigurationError(REFUSED_TOKEN) from None
        raise


async def _log_in(client: discord.Client, token: str) -> None:
    """One attempt; where it fails, nothing of it is left that would be in the way of the next."""
    try:
        await client.login(token)
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        log.warning("Discord can't be reached, trying again")
        await client.http.close()
        client.http.connector = discord.utils.MISSING  # it was closed with its session; a login makes a new one
        raise
