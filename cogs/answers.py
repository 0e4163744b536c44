"""One way to answer when something goes wrong: a sentence for the person, a reference for the operator's log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from core.errors import NoPlace, UserError

log = logging.getLogger(__name__)

NOBODY = discord.AllowedMentions.none()
ANSWER_SECONDS = 3.0
"""For so long Discord waits for the answer to an interaction."""
PUBLICLY = "put off publicly"
"""The key of an interaction's extras that says so."""
COMMAND = "CommandTree-invoker"
"""What discord.py calls the task of a command."""
TOO_LATE = (10062, 40060)
"""Discord's codes: the interaction has expired, or was answered already."""


async def answer_privately(interaction: discord.Interaction, text: str, **more: Any) -> None:
    """Say `text` to this person alone, as the first answer or a further one; a lost interaction is only logged.

    `more` is what else a message may hold.
    """
    try:
        await _take_back_thinking(interaction)
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True, allowed_mentions=NOBODY, **more)
        else:
            await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY, **more)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.info("an answer could not be given: %s", type(error).__name__)


async def put_off(interaction: discord.Interaction, *, private: bool) -> None:
    """Answer later: the person sees that the bot works on it, the others, too, unless it is `private`."""
    interaction.extras[PUBLICLY] = not private
    await interaction.response.defer(ephemeral=private, thinking=True)


async def _take_back_thinking(interaction: discord.Interaction) -> None:
    """A sentence in the place of what was put off publicly would be public; where it can't be deleted, it comes so."""
    if interaction.extras.get(PUBLICLY):
        try:
            await interaction.delete_original_response()
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info("a put-off answer could not be deleted: %s", type(error).__name__)


async def answer_error(interaction: discord.Interaction, error: BaseException, prompt: str = "") -> None:
    """The person's sentence for `error`; what is not a UserError is logged under the interaction's id."""
    if isinstance(error, UserError):
        again_at = error.again_at if isinstance(error, NoPlace) else None
        await answer_privately(interaction, say.refused(str(error), prompt, again_at))
        return
    if isinstance(error, discord.HTTPException) and error.code in TOO_LATE:
        log.warning("an answer came too late", extra={"reference": interaction.id})
        return
    log.error("a command failed", exc_info=error, extra={"reference": interaction.id})
    await answer_privately(
        interaction,
        f"Something in the bot itself went wrong. Reference for its operator: `{interaction.id}`.",
    )


@contextlib.asynccontextmanager
async def answering(interaction: discord.Interaction) -> AsyncIterator[None]:
    """The boundary of a press: whatever is raised in it, the person gets an answer, and the log the error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a boundary, as said
        await answer_error(interaction, error)


async def until_answered(seconds: float = ANSWER_SECONDS) -> None:
    """Let the commands come to their end that are being answered now, as long as Discord would listen."""
    running = [task for task in asyncio.all_tasks() if task.get_name() == COMMAND]
    if running:
        await asyncio.wait(running, timeout=seconds)


class AnsweringTree(app_commands.CommandTree[commands.AutoShardedBot]):
    """The command tree: whatever a command raises, its user gets an answer."""

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """Called by discord.py for every exception out of a command."""
        if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
            await answer_privately(interaction, "This command has just changed; try again in a minute.")
            return
        await answer_error(interaction, error.__cause__ or error)
