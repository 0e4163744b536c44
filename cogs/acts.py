"""What people do with a result by its buttons: again, vary, hires. No policy is made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import discord
from discord.ext import commands

from cogs.answers import NOBODY, answering
from cogs.asking import AskingCog, Desk
from cogs.found import Finder, Found, Several
from cogs.picture_buttons import AGAIN, HIRES, STRONG, VARY, Verb, choice_view
from cogs.reply import ReplyAddress
from core import derive
from core.derive import Source
from core.jobs.model import Job, Origin
from core.request import GenerationRequest

Derive = Callable[[Source], GenerationRequest]


class ActsCog(AskingCog):
    """Listens for presses on the buttons of results of any age that lead to another job at once."""

    def __init__(self, desk: Desk, finder: Finder) -> None:
        super().__init__(desk)
        self._finder = finder

    @commands.Cog.listener(f"on_{AGAIN.event}")
    async def on_again(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """The whole job once more, with another seed."""
        await self._act(AGAIN, press, job_id, number, derive.again)

    @commands.Cog.listener(f"on_{VARY.event}")
    async def on_vary(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """A picture that is a little different."""
        await self._act(VARY, press, job_id, number, lambda source: derive.vary(source, "subtle"))

    @commands.Cog.listener(f"on_{STRONG.event}")
    async def on_strong(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """A picture that is rather different."""
        await self._act(STRONG, press, job_id, number, lambda source: derive.vary(source, "strong"))

    @commands.Cog.listener(f"on_{HIRES.event}")
    async def on_hires(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """The same picture with a second pass."""
        await self._act(HIRES, press, job_id, number, derive.with_hires)

    async def _act(self, verb: Verb, press: discord.Interaction, job_id: str, number: int | None, make: Derive) -> None:
        async with answering(press):
            found = await find_or_ask(self._finder, verb, press, job_id, number)
            if found is not None:
                request = make(found.source)
                await self._intake.keep_longer(request)
                await self.submit(press, request, reply_to(press, request, found), origin_of(verb, job_id, found))


async def find_or_ask(
    finder: Finder,
    verb: Verb,
    press: discord.Interaction,
    job_id: str,
    number: int | None,
    *,
    at_once: bool = False,
    private: bool = False,
) -> Found | None:
    """The picture that is meant; None where the person was asked first which one it is.

    `at_once` and `private` are the finder's.
    """
    try:
        return await finder.find(
            press, job_id, number, of_one=verb.of_one, private=private, at_once=at_once, as_image=verb.as_image
        )
    except Several as several:
        view = choice_view(verb, job_id, several.numbers)
        await press.response.send_message(
            f"**{verb.label}**: which picture?", view=view, ephemeral=True, allowed_mentions=NOBODY
        )
        return None


def origin_of(verb: Verb, job_id: str, found: Found) -> Origin:
    """What the next job is made from; of a whole job no picture is named."""
    return Origin(job_id, found.number if verb.of_one else None, verb.name)


def reply_to(press: discord.Interaction, request: GenerationRequest, found: Found) -> ReplyAddress:
    """Where the next job's answer goes, with a link to what it is made from, unless nobody could follow it."""
    reply = ReplyAddress.of(press, private=request.private)
    message = found.message
    if found.job is not None:
        return replace(reply, made_from=link_to(found.job))
    return reply if message is None or message.flags.ephemeral else replace(reply, made_from=message.jump_url)


def link_to(job: Job) -> str | None:
    """A link to the message that shows the job; None where there is none that others could follow."""
    address = ReplyAddress.from_json(job.reply)
    if job.message_id is None or address.by_token_alone or job.delivered_to not in ("reply", "channel"):
        return None
    return address.link_to(job.message_id)
