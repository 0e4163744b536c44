"""“Upscale” under a result: the very picture, enlarged. No policy is made here."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord.ext import commands

from cogs.acts import find_or_ask, origin_of, reply_to
from cogs.answers import answering, put_off
from cogs.asking import AskingCog, Desk
from cogs.found import Finder, Found
from cogs.originals import Originals
from cogs.picture_buttons import UPSCALE
from core import derive


class EnlargeCog(AskingCog):
    """Listens for presses on results of any age."""

    def __init__(self, desk: Desk, finder: Finder, originals: Originals) -> None:
        super().__init__(desk)
        self._finder = finder
        self._originals = originals

    @commands.Cog.listener(f"on_{UPSCALE.event}")
    async def on_upscale(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """Reading and storing a large picture may take longer than Discord waits, so the answer is put off."""
        async with answering(press):
            found = await find_or_ask(self._finder, UPSCALE, press, job_id, number)
            if found is not None:
                await self._enlarge(press, job_id, found)

    async def _enlarge(self, press: discord.Interaction, job_id: str, found: Found) -> None:
        source = found.source
        reply = reply_to(press, source.request, found)
        if not press.response.is_done():
            await put_off(press, private=source.request.private)
        data = await self._originals.read(job_id, found.number, kept=found.kept, job=found.job, message=found.message)
        stored = await self._intake.take(data, whole=True)
        source = replace(source, width=stored.width, height=stored.height)
        await self.submit(press, derive.enlarged(source, stored.key), reply, origin_of(UPSCALE, job_id, found))
