"""The stage of the delivery's tests: a local Discord, the real library logged in, and a gateway process played here."""

from __future__ import annotations

import asyncio
import collections
import os
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from discord import Client, Intents
from discord.http import Route
from PIL import Image

from cogs.buttons import cancel_view
from cogs.delivery import DiscordDelivery
from cogs.files import number_in
from cogs.reply import TOKEN_SECONDS, ReplyAddress
from core.images.store import Kept, PictureStore, Raw
from core.jobs.model import Delivered, Drawing, Job, JobState
from core.request import GenerationRequest
from playground.discord import Channel, Interaction, LocalDiscord, Message
from tests.core.images.pictures import INFOTEXT, as_png, noise

ROOT = Path(__file__).parents[2]
DRAW = {"name": "draw", "description": "Draw a picture", "type": 1}
MESSAGE = 4


@dataclass
class Scene:
    """One Discord, and the processes of one bot on it. `rows` are what a database would say."""

    discord: LocalDiscord
    client: Client
    pictures: PictureStore
    session: aiohttp.ClientSession
    rows: dict[str, Job] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=lambda: collections.defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.ada = self.discord.member("ada")
        self.delivery = DiscordDelivery(self.client, self.pictures)

    async def register(self) -> None:
        """The command is there, as the gateway process would have left it."""
        url = f"{self.discord.api_url}/applications/{self.discord.application_id}/commands"
        async with self.session.put(url, json=[DRAW], headers={"Authorization": f"Bot {self.discord.token}"}) as answer:
            assert answer.status == 200

    # What the gateway process does

    async def ask(
        self,
        *,
        count: int = 4,
        private: bool = False,
        spoiler: bool = False,
        answer: bool = True,
        channel: Channel | None = None,
    ) -> Job:
        """A job whose reply is out (unless it is not answered yet)."""
        interaction = await self.discord.slash(self.ada, "draw", channel=channel)
        job = self._job(interaction, count=count, private=private, spoiler=spoiler)
        self.rows[job.id] = job
        return await self.answer(job) if answer else job

    async def answer(self, job: Job) -> Job:
        """The first reply, with its cancel button; the row says which message it is."""
        interaction = self.interaction(job)
        data = {
            "content": "**Next in line**",
            "components": cancel_view(job.id).to_components(),
            "flags": 64 if job.request.private else 0,
        }
        url = f"{self.discord.api_url}/interactions/{interaction.id}/{interaction.token}/callback"
        async with self.session.post(url, json={"type": MESSAGE, "data": data}) as answer:
            assert answer.status == 204
        return self.note(job, Delivered("", str(self.reply(job).id)), delivered_to=None)

    def note(self, job: Job, delivered: Delivered, **changes: Any) -> Job:
        """The row after a delivery."""
        changes = {"delivered_to": delivered.where, "message_id": delivered.message_id} | changes
        self.rows[job.id] = replace(self.rows[job.id], **changes)
        return self.rows[job.id]

    def expire(self, job: Job) -> None:
        """The token's 15 minutes are over, which the bot finds out when it uses it."""
        self.interaction(job).expire()

    # What a process that draws does

    def process(self) -> DiscordDelivery:
        """Another process of the same bot: it shares the rows and the turns, and no memory."""
        return DiscordDelivery(self.client, self.pictures, turns=self._turn, fetch=self.fetch)

    async def fetch(self, job_id: str) -> Job | None:
        return self.rows.get(job_id)

    def _turn(self, job_id: str) -> AbstractAsyncContextManager[None]:
        return self.turns[job_id]

    async def deliver(
        self,
        job: Job,
        drawing: Drawing,
        fresh: Collection[int],
        *,
        final: bool = False,
        perhaps_done: bool = False,
        by: DiscordDelivery | None = None,
    ) -> Job:
        """Show the fresh pictures; the row as it is afterwards."""
        delivered = await (by or self.delivery).deliver(
            job, drawing, fresh=fresh, final=final, perhaps_done=perhaps_done
        )
        assert delivered is not None
        return self.note(job, delivered)

    async def kept(self, number: int, side: int = 24) -> Kept:
        """A kept picture that is not like any other."""
        return await self._keep(as_png(noise(side, side, seed=number), INFOTEXT), number)

    async def kept_large(self, number: int, side: int = 1750) -> Kept:
        """One whose bytes are as many as its pixels' are: three a pixel."""
        path = self.pictures.spool("1") / f"{number}.large"
        image = Image.frombytes("RGB", (side, side), noise(side, 1, seed=number).tobytes() * side)
        await asyncio.to_thread(image.save, path, "PNG", compress_level=0)
        return (await self.pictures.keep_all([Raw(path)]))[0]

    async def _keep(self, data: bytes, number: int) -> Kept:
        raw = self.pictures.spool("1") / f"{number}.raw"
        raw.write_bytes(data)
        return (await self.pictures.keep_all([Raw(raw)]))[0]

    async def drawn(self, *numbers: int, large: bool = False) -> Drawing:
        """These pictures of a job whose seed is 7, in the order in which they were done."""
        keep = self.kept_large if large else self.kept
        kept = [await keep(number) for number in numbers]
        return Drawing(pictures=tuple(kept), seeds=tuple(7 + number for number in numbers), numbers=numbers)

    # What there is to see

    def interaction(self, job: Job) -> Interaction:
        return next(one for one in self.discord.interactions if str(one.id) == job.id)

    def reply(self, job: Job) -> Message:
        message = self.interaction(job).response
        assert message is not None
        return message

    def carriers(self, job: Job) -> list[Message]:
        """Every message that shows pictures of the job now."""
        places = [*self.discord.messages(), *self.discord.messages(self.ada.dm)]
        mark = f"easel-{job.id}-"
        return [message for message in places if any(mark in one.filename for one in message.attachments)]

    def shown(self, job: Job) -> list[int]:
        """The numbers of the pictures that are shown, from 0, in the order of messages and attachments."""
        files = [one.filename for message in self.carriers(job) for one in message.attachments]
        return [number - 1 for name in files if (number := number_in(name, job.id)) is not None]

    def arrived_once(self, job: Job, *numbers: int) -> None:
        """Assert that these pictures are shown, in one message each, and that each appeared exactly once."""
        uploads = [one.filename for one in self.discord.uploads]
        appeared = [number - 1 for name in uploads if (number := number_in(name, job.id)) is not None]
        assert sorted(appeared) == list(numbers), f"{appeared} appeared"
        assert sorted(self.shown(job)) == list(numbers), f"{self.shown(job)} are shown"

    def asked(self, method: str, since: int = 0) -> list[str]:
        """The paths of the bot's requests with this method, after the first `since` of them all."""
        return [one.path for one in self.discord.requests[since:] if one.method == method]

    def _job(self, interaction: Interaction, *, count: int, private: bool, spoiler: bool) -> Job:
        address = ReplyAddress(
            application_id=self.discord.application_id,
            token=interaction.token,
            expires_at=time.time() + TOKEN_SECONDS,
            channel_id=interaction.channel.id,
            guild_id=None if interaction.channel.guild is None else interaction.channel.guild.id,
            owner_id=interaction.member.id,
            private=private,
            file_bytes=10 * 2**20,
            is_member=interaction.channel.has_bot,
        )
        request = GenerationRequest(prompt="a red fox", seed=7, count=count, private=private, spoiler=spoiler)
        return Job(
            id=str(interaction.id),
            state=JobState.RUNNING,
            owner_id=str(interaction.member.id),
            guild_id=None,
            request=request,
            notes=(),
            reply=address.to_json(),
            weight=1.0,
            avoid=frozenset(),
            sentence=None,
            message_id=None,
            created_at=time.time(),
            expected_at=None,
            started_at=None,
        )


_DOCUMENT = ROOT / os.environ.get("DISCORD_OPENAPI", "../shared/contracts/discord-openapi.json")


@asynccontextmanager
async def opened_scene(folder: Path) -> AsyncIterator[Scene]:
    """A local Discord whose every exchange is checked at the end, where the document is there; the bot is logged in."""
    client = Client(intents=Intents(guilds=True))
    async with (
        LocalDiscord(openapi=_DOCUMENT if _DOCUMENT.exists() else None) as local,
        aiohttp.ClientSession() as session,
        client,
    ):
        before, Route.BASE = Route.BASE, local.api_url
        try:
            await client.login(local.token)
            scene = Scene(local, client, PictureStore(folder), session)
            await scene.register()
            yield scene
        finally:
            Route.BASE = before
        assert local.violations == []
