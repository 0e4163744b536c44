"""Builds what every process of Easel has: rows, the queue in memory, the webuis, and news of the other processes."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from core.bell import Bell
from core.families.table import load_table
from core.fetch import DISCORD_ORIGINS, PROXY_ORIGINS, FetchLimits, ImageFetcher, open_fetcher
from core.fleet import Fleet
from core.jobs.herald import Herald
from core.jobs.ledger import Ledger
from core.jobs.mirror import Mirror
from core.jobs.model import Delivery, Ticket
from core.jobs.outlook import Outlook
from core.jobs.parts import PartRows
from core.jobs.patience import on_database
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows, Places
from core.metrics import Metrics
from core.news import News
from core.notes import CheckpointNotes
from core.prompts.wildcards import Wildcards
from core.role import Role
from core.settings import DISCORD_API_URL, Settings
from core.store.backends import BackendRows
from core.store.database import open_database
from core.store.inputs import InputRows
from core.store.liveness import once_in_the_cluster, open_locks
from core.store.notes import NoteRows
from core.store.signals import Listener, Silence, open_listener
from core.store.switches import SwitchRows
from core.studio import Studio
from core.understanding import Understanding
from core.webui.client import open_session
from core.webui.pool import BackendPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The parts, connected. `pool` has no webui where this process doesn't draw."""

    role: Role
    database: AsyncEngine
    locks: AsyncEngine
    rows: JobRows
    parts: PartRows
    inputs: InputRows
    ledger: Ledger
    queue: WaitingQueue
    mirror: Mirror
    pool: BackendPool
    fleet: Fleet
    outlook: Outlook
    news: News
    listener: Listener | Silence
    metrics: Metrics
    switches: SwitchRows
    switch_bell: Bell
    notes: CheckpointNotes


async def open_core(stack: AsyncExitStack, settings: Settings, role: Role, url: sa.URL) -> Core:
    """Open everything on `stack`; ConfigurationError where something can't be."""
    database = await stack.enter_async_context(open_database(url))
    locks = await stack.enter_async_context(open_locks(url))
    session = await stack.enter_async_context(open_session())
    places = Places(per_person=settings.queue_places_per_person, per_server=settings.queue_places_per_server)
    rows, parts, ledger = JobRows(database, places), PartRows(database), Ledger(database, role.worker)
    queue = WaitingQueue()
    mirror = Mirror(rows=rows, parts=parts, ledger=ledger, queue=queue, shared=role.shared)

    def on_change() -> None:
        queue.ring()
        fleet.note_own()

    pool = BackendPool(role.addresses(settings), session=session, on_change=on_change)
    fleet = Fleet(rows=BackendRows(database), pool=pool, worker=role.worker, shared=role.shared, on_change=queue.ring)
    news = News(mirror, fleet)
    switch_bell, notes_bell = Bell(), Bell()
    news.on_switch, news.on_notes = switch_bell.ring, notes_bell.ring
    await on_database(fleet.open)
    await on_database(mirror.load)
    listener = open_listener(url, on_signal=news.hear, on_resync=news.resync, worker_id=role.worker or None)
    await stack.enter_async_context(listener)
    pool.start()
    stack.push_async_callback(pool.stop)
    return Core(
        role=role,
        database=database,
        locks=locks,
        rows=rows,
        parts=parts,
        inputs=InputRows(database),
        ledger=ledger,
        queue=queue,
        mirror=mirror,
        pool=pool,
        fleet=fleet,
        outlook=Outlook(queue, fleet),
        news=news,
        listener=listener,
        metrics=Metrics(),
        switches=SwitchRows(database, switch_bell.ring),
        switch_bell=switch_bell,
        notes=CheckpointNotes(NoteRows(database, notes_bell.ring), notes_bell),
    )


def open_image_fetcher(settings: Settings) -> AbstractAsyncContextManager[ImageFetcher]:
    """For what people attach; where another Discord is configured, for what lies there, too."""
    is_other = settings.discord_api_url != DISCORD_API_URL
    others = (str(URL(settings.discord_api_url).origin()),) if is_other else ()
    limits = FetchLimits(megabytes=settings.input_megabytes)
    return open_fetcher(
        limits,
        allow_urls=settings.allow_image_urls,
        origins=(*DISCORD_ORIGINS, *others),
        proxies=(*PROXY_ORIGINS, *others),
    )


async def open_understanding(settings: Settings, notes: CheckpointNotes) -> Understanding:
    """What is needed to read requests: the families of checkpoints, and the operator's wildcards."""
    families = load_table(settings.families_file)
    wildcards = Wildcards(settings.wildcards_dir)
    await asyncio.to_thread(wildcards.refresh)
    return Understanding(families=families, wildcards=wildcards, notes=notes)


def build_desk(core: Core, delivery: Delivery, understanding: Understanding) -> tuple[Studio, Herald]:
    """What commands ask, and what keeps the messages of waiting jobs true."""
    shared = core.role.shared
    herald = Herald(
        queue=core.queue,
        outlook=core.outlook,
        explain=core.fleet.explain,
        rows=core.rows,
        delivery=delivery,
        chore=(lambda: once_in_the_cluster(core.locks, "herald")) if shared else None,
    )

    def on_ticket(ticket: Ticket) -> None:
        herald.note(ticket)
        if shared:
            core.mirror.note(ticket.job_id)  # a worker may have taken it before we knew that it waits

    studio = Studio(
        rows=core.rows,
        fleet=core.fleet,
        queue=core.queue,
        outlook=core.outlook,
        metrics=core.metrics,
        on_cancelled=core.news.on_cancelled,
        on_ticket=on_ticket,
        understanding=understanding,
    )
    return studio, herald
