"""Mentions a job's owner, once, where it took longer than they wish to wait for it unasked.

An edited message rings for nobody, so that this is a message of its own: in the channel, as an answer to the one with
the pictures, and named by the job, so that Discord posts it once. What only the owner sees is a follow-up, which can't
be named so: after a crash there is none rather than two. Answers that came late as a message of their own have
mentioned their owner, or are in their direct messages, where a new message rings.
"""

from __future__ import annotations

import logging

import discord
import stamina

from cogs.edits import TROUBLE
from cogs.places import HISTORY, is_transient
from cogs.reply import ReplyAddress
from core.jobs.model import Delivered, Job

log = logging.getLogger(__name__)

_retry = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0).on(is_transient)


async def ping_owner(
    client: discord.Client, job: Job, delivered: Delivered, *, failed: bool, perhaps_done: bool
) -> None:
    """Best effort where Discord refuses. `perhaps_done`: an earlier process may have done it; look first."""
    words = f"<@{job.owner_id}> {_news(job, failed=failed)}"
    address = ReplyAddress.from_json(job.reply)
    if delivered.where != "reply" or delivered.message_id is None:
        return
    if not address.by_token_alone and await _answer(
        client, job.id, address, int(delivered.message_id), words, look=perhaps_done
    ):
        return
    if address.token_lives and not perhaps_done:
        await _follow_up(client, job.id, address, words)


async def _answer(
    client: discord.Client, job_id: str, address: ReplyAddress, message_id: int, words: str, *, look: bool
) -> bool:
    """In the channel; whether it is there."""
    channel = client.get_partial_messageable(address.channel_id)
    reference = discord.MessageReference(
        message_id=message_id, channel_id=address.channel_id, guild_id=address.guild_id, fail_if_not_exists=False
    )

    async def is_there() -> bool:
        # The newest: the answer stands where the question was, perhaps far above.
        history = channel.history(limit=HISTORY, after=discord.Object(message_id), oldest_first=False)
        return any([_answers(message, client, address.owner_id, message_id) async for message in history])

    async def send() -> None:
        mentions = _only(address.owner_id)
        await channel.send(words, nonce=f"{job_id}-ping", reference=reference, allowed_mentions=mentions)

    try:
        if not (look and await _retry(is_there)):
            await _retry(send)
    except discord.HTTPException as error:
        log.info("an owner could not be mentioned in the channel: %s", error.code, extra={"job": job_id})
        return False
    return True


def _answers(message: discord.Message, client: discord.Client, owner_id: int, message_id: int) -> bool:
    to = message.reference
    is_ours = client.user is not None and message.author.id == client.user.id
    return is_ours and to is not None and to.message_id == message_id and message.content.startswith(f"<@{owner_id}>")


async def _follow_up(client: discord.Client, job_id: str, address: ReplyAddress, words: str) -> None:
    webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
    webhook.type = discord.WebhookType.application  # it lets only those be private
    try:
        await webhook.send(words, ephemeral=address.private, allowed_mentions=_only(address.owner_id))
    except TROUBLE as error:
        log.info("an owner could not be mentioned: %s", type(error).__name__, extra={"job": job_id})


def _news(job: Job, *, failed: bool) -> str:
    if failed:
        return "your job has come to its end."
    if job.request.task == "describe":
        return "your description is there."
    return "your pictures are there." if job.request.pictures > 1 else "your picture is there."


def _only(person: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=[discord.Object(person)])
