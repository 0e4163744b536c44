"""Shows a job to its owner on Discord: progress, pictures, the sentence of a failure. Implements core's `Delivery`.

Exactly once: a job has one message, which grows as its pictures are done. While the interaction's token lives that is
the reply; after that a channel message whose nonce is the job's id, which Discord does not post twice; then one in the
person's direct messages; and if those are closed the pictures stay kept. What the message shows is looked at before
anything is added to it, unless nothing can be there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import discord

from cogs import say
from cogs.buttons import cancel_view
from cogs.captions import DESCRIPTION_ALONE, DESCRIPTION_ELSEWHERE, caption_of, texts_of, why_none
from cogs.edits import edit_message, edit_news, edit_shown
from cogs.files import prepare
from cogs.growing import Place, Post
from cogs.late import warned
from cogs.picture_buttons import result_view
from cogs.ping import ping_owner
from cogs.places import ChannelPlace, DirectPlace, LateReplyPlace, ReplyPlace
from cogs.reply import ReplyAddress
from cogs.sending import send
from cogs.sheets import has_room, make_sheet, sheet_places, sheet_post
from core.images.store import PictureStore
from core.jobs.model import ENDED, Delivered, Drawing, Glimpse, Job, JobState
from core.preferences import Wishes

POINTING_SECONDS = 10.0
"""How long an answer's end waits at most for the reply to say where it is."""
REPLY_SECONDS = 5.0
"""The age of a job, from its row on, at which nobody waits any longer for its reply to be out."""
REPLY_POLL = 0.1

ELSEWHERE = ("channel", "dm", "kept")
"""Where a job is once its reply is past."""

Turns = Callable[[str], AbstractAsyncContextManager[None]]
Fetch = Callable[[str], Awaitable[Job | None]]
IsHeld = Callable[[str, Collection[int]], Awaitable[bool]]
WishesFor = Callable[[str, tuple[str, ...], str | None], Awaitable[Wishes]]


class DiscordDelivery:
    """One message of a job at a time: whoever shows something of it takes its turn.

    Where several processes show one job, `turns` is the turn among them, by the job's id, and `fetch` reads the job's
    row anew: another process may have moved the message, or not have given the reply yet. `is_held` says whether
    pictures are still this process's to show: while it stood still, another may have drawn and shown them. `wishes`
    says what holds for a person, in a channel, on a server, however long it has to ask; without it, what is usual.
    """

    def __init__(
        self,
        client: discord.Client,
        pictures: PictureStore,
        *,
        turns: Turns | None = None,
        fetch: Fetch | None = None,
        is_held: IsHeld | None = None,
        wishes: WishesFor | None = None,
    ) -> None:
        self._client = client
        self._pictures = pictures
        self._among_processes = turns
        self._fetch = fetch
        self._is_held = is_held
        self._wishes_for = wishes
        self._edits: set[asyncio.Task[bool]] = set()
        self._shown: dict[str, str] = {}
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @property
    def is_shared(self) -> bool:
        """Whether other processes write to the same messages."""
        return self._among_processes is not None

    def turn(self, job_id: str) -> asyncio.Lock:
        """Held while a job's message is written, so that an older text never lands on a newer one."""
        return self._turns.setdefault(job_id, asyncio.Lock())

    def forget(self, job_id: str) -> None:
        """The job's message says something else now, or is at its end: nothing of it has to be remembered here."""
        self._shown.pop(job_id, None)

    async def show_queued(self, job: Job, place: int, starts_at: float | None, obstacle: str | None) -> bool:
        """Edit the message: the place of a waiting job has changed. Whether Discord took it."""
        told = warned(job, ReplyAddress.from_json(job.reply), starts_at, obstacle)
        return await self._edit(job, say.queued(told, place, starts_at, obstacle))

    async def show_cancelled(self, job: Job) -> None:
        """Take the buttons off, and say so above the pictures that are shown already."""
        await self.rewrite(job, _message_id(job), say.cancelled(job, say.was_cancelled(JobState.RUNNING)))

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        """Edit the message. An edit that has begun is finished even if the picture arrives meanwhile."""
        content = say.drawing(warned(job, ReplyAddress.from_json(job.reply)), glimpse)
        edit = asyncio.create_task(self._edit(job, content, glimpse), name=f"edit {job.id}")
        self._edits.add(edit)
        edit.add_done_callback(self._edits.discard)
        await asyncio.shield(edit)

    async def show_waiting(self, job: Job, sentence: str) -> None:
        """Edit the message: the job is in the queue again."""
        await self._edit(job, say.waiting(job, sentence))

    async def deliver(
        self, job: Job, drawing: Drawing, *, fresh: Collection[int], final: bool, perhaps_done: bool
    ) -> Delivered | None:
        """Add the fresh pictures to the job's message: the reply, else one in the channel, else a direct one."""
        job = await self._when_answered(job)
        address = ReplyAddress.from_json(job.reply)
        wishes = await self._wishes(job, address)
        asked, bare, limit = job.request.pictures, not wishes.metadata, address.file_bytes
        pictures = [(n, kept) for n, kept in drawing.shown(asked) if n in fresh or (n >= asked and 0 in fresh)]
        uploads, refusals = await prepare(
            job.id, pictures, self._pictures, limit=limit, spoiler=job.request.spoiler, bare=bare
        )
        sheet = await make_sheet(self._client, job, drawing, self._pictures, limit=limit) if final else None
        beside = sheet if sheet is not None and has_room(job, drawing) else None
        legend = () if beside is None else beside.legend
        post = Post(
            job_id=job.id,
            caption=caption_of(job, drawing, self._pictures, limit=limit, final=final, bare=bare, legend=legend),
            uploads=[*uploads, *texts_of(job, drawing), *([] if beside is None else [beside.upload])],
            refusals=refusals,
            safe_content=say.PICTURES_ALONE if drawing.caption is None else DESCRIPTION_ALONE,
            ping=address.owner_id,
            view=result_view(job.id, job.request.task) if final else cancel_view(job.id),
            final=final,
        )
        async with self._alone(job.id):
            job = await self._current(job)
            if job.state in ENDED or (self._is_held is not None and not await self._is_held(job.id, fresh)):
                return None
            self.forget(job.id)
            if final and refusals and len(refusals) == len(drawing.shown(asked)) and job.delivered_to is None:
                return await self._explain(job, why_none(refusals), perhaps_done=perhaps_done)
            delivered = await self._deliver(job, post, perhaps_done=perhaps_done)
            if sheet is not None and beside is None:
                places = sheet_places(self._client, job, delivered, search=perhaps_done)
                await send(sheet_post(job, sheet, delivered), places, delivered)
            if final or delivered.where != "kept":
                words = say.PICTURE_ELSEWHERE if job.delivered_to is None else say.REST_ELSEWHERE
                words = words if drawing.caption is None else DESCRIPTION_ELSEWHERE
                await self._point_to(job, delivered, words.get(delivered.where))
            if final:
                await self._ping(job, delivered, wishes, failed=False, perhaps_done=perhaps_done)
            return delivered

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Say why there is no picture, or no further one, in the same places."""
        job = await self._when_answered(job)
        async with self._alone(job.id):
            job = await self._current(job)
            if job.state in ENDED:
                return Delivered(job.delivered_to or "kept", job.message_id)
            return await self._explain(job, sentence, perhaps_done=perhaps_done)

    async def rewrite(self, job: Job, message_id: int | None, content: str | None) -> None:
        """Take the cancel button off the job's message, and put `content` there if it isn't None. Best effort."""
        view = result_view(job.id, job.request.task) if job.delivered_to is not None else None
        changes = {"view": view} if content is None else {"view": view, "content": content}
        async with self._alone(job.id):
            self.forget(job.id)
            address = ReplyAddress.from_json(job.reply)
            await edit_shown(self._client, address, job.delivered_to, message_id, **changes)

    async def _deliver(self, job: Job, post: Post, *, perhaps_done: bool) -> Delivered:
        """Words alone are for the message that shows the pictures, and for no other."""
        look = perhaps_done or job.request.pictures > 1
        places = self._places(job, ReplyAddress.from_json(job.reply), look=look, search=perhaps_done)
        otherwise = Delivered("kept", None)
        if job.delivered_to is not None and not post.uploads:
            places = [place for place in places if place.name == job.delivered_to]
            otherwise = Delivered(job.delivered_to, job.message_id)
        return await send(post, places, otherwise)

    async def _explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        address = ReplyAddress.from_json(job.reply)
        self.forget(job.id)

        async def caption(_uploads: object, _refusals: object, shown: Collection[int]) -> str:
            return say.ended(job, sentence, partly=bool(shown) or job.delivered_to is not None)

        view = None if job.delivered_to is None else result_view(job.id, job.request.task)
        post = Post(
            job_id=job.id, caption=caption, safe_content=say.plain(sentence, 400), ping=address.owner_id, view=view
        )
        places = self._places(job, address, look=False, search=perhaps_done)
        delivered = await send(post, places, Delivered("kept", None))
        elsewhere = say.ended_elsewhere(delivered.where, partly=job.delivered_to is not None)
        await self._point_to(job, delivered, elsewhere or await caption(None, None, ()))
        await self._ping(job, delivered, await self._wishes(job, address), failed=True, perhaps_done=perhaps_done)
        return delivered

    async def _ping(self, job: Job, delivered: Delivered, wishes: Wishes, *, failed: bool, perhaps_done: bool) -> None:
        """Part of the last delivery, so that whoever has to repeat that repeats this, too."""
        if wishes.wants_ping(time.time() - job.created_at):
            await ping_owner(self._client, job, delivered, failed=failed, perhaps_done=perhaps_done)

    async def _wishes(self, job: Job, address: ReplyAddress) -> Wishes:
        """What holds now, for who asked, where they asked."""
        if self._wishes_for is None:
            return Wishes()
        return await self._wishes_for(job.owner_id, address.channels, job.guild_id)

    @asynccontextmanager
    async def _alone(self, job_id: str) -> AsyncIterator[None]:
        """The turn in this process, and among processes where there are several."""
        among_processes = contextlib.nullcontext() if self._among_processes is None else self._among_processes(job_id)
        async with self.turn(job_id), among_processes:
            yield

    async def _current(self, job: Job) -> Job:
        """The job with what its row says now of where it is shown, and of its state."""
        row = None if self._fetch is None else await self._fetch(job.id)
        if row is None:
            return job
        return replace(job, message_id=row.message_id, delivered_to=row.delivered_to, state=row.state)

    async def _when_answered(self, job: Job) -> Job:
        """Once the reply is out, which another process may be giving at this moment; or given up.

        In one process the turn is held until the reply is out.
        """
        while self.is_shared and job.message_id is None and time.time() < job.created_at + REPLY_SECONDS:
            await asyncio.sleep(REPLY_POLL)
            job = await self._current(job)
        return job

    async def _point_to(self, job: Job, delivered: Delivered, words: str | None) -> None:
        """Where the answer has just gone elsewhere, the reply says so in place of its last news. Best effort."""
        if delivered.where == ReplyPlace.name or job.delivered_to in ELSEWHERE or words is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POINTING_SECONDS):
                address = ReplyAddress.from_json(job.reply)
                await edit_message(self._client, address, _message_id(job), content=words, view=None)

    async def _edit(self, job: Job, content: str, glimpse: Glimpse | None = None) -> bool:
        """Best effort: nobody is worse off for an edit that Discord did not take.

        With a glimpse of what is drawn, a half-done picture is put there, or stays; without one it is taken off.
        """
        is_picture = glimpse is not None and glimpse.preview is not None
        async with self._alone(job.id):
            if self._shown.get(job.id) == content and not is_picture and not self.is_shared:
                return True  # where others write to it, nobody knows what it says
            job = await self._current(job)
            if job.state in ENDED:
                return False
            taken = await edit_news(self._client, job, content, glimpse)
            if taken and not self.is_shared:
                self._shown[job.id] = content
            return taken

    def _places(self, job: Job, address: ReplyAddress, *, look: bool, search: bool) -> list[Place]:
        """Where the job may be shown, the best first: places that gave up on it earlier are not asked again.

        `look`: pictures of it may be in the reply; `search`: an earlier process may have posted it.
        """
        where, message_id = job.delivered_to, _message_id(job)
        at = {where: message_id}
        places: list[Place] = []
        if where in (None, "reply"):
            if address.token_lives:
                places.append(ReplyPlace(self._client, address, message_id, look=look))
            if message_id is not None and not address.by_token_alone and (look or where == "reply"):
                places.append(LateReplyPlace(self._client, address, job.id, message_id, certain=where == "reply"))
        if where in (None, "reply", "channel") and not address.by_token_alone:
            known = at.get("channel")
            places.append(ChannelPlace(self._client, address.channel_id, job.id, known, search=search))
        if where != "kept":
            places.append(DirectPlace(self._client, address.owner_id, job.id, at.get("dm"), search=search))
        return places


def _message_id(job: Job) -> int | None:
    """The job's message, if it is known."""
    return None if job.message_id is None else int(job.message_id)
