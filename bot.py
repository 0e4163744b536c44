"""Easel's command line and composition root: builds everything, opens it, closes it in reverse. Makes no decision.

python bot.py          run the bot: everything on one machine
python bot.py gateway  only talk to Discord (any number of shards), on a PostgreSQL that workers share
python bot.py worker   only draw and deliver, on webuis near this machine
python bot.py check    say in plain words what is missing or wrong
python bot.py demo     a Discord and a webui on this machine, and the bot between them
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
import sqlalchemy as sa
from discord.ext import commands

from cogs.answers import until_answered
from cogs.client import INTENTS, EaselClient
from cogs.delivery import DiscordDelivery
from cogs.login import log_in, stay_connected, use_discord
from cogs.previews import PreviewPlaces
from cogs.talking import DYNAMIC_ITEMS, build_talking
from core.assembly import Core, open_core, open_image_fetcher
from core.errors import ConfigurationError
from core.http import serve_http
from core.images.store import PictureStore
from core.jobs.dispatcher import Dispatcher
from core.jobs.drain import drain
from core.jobs.gallery import GalleryRows
from core.jobs.patience import on_database
from core.jobs.pipeline import Pipeline
from core.jobs.rescue import Rescuer
from core.jobs.showing import Shower
from core.lock import locked
from core.logs import configure_logs
from core.preferences import Preferences
from core.previews import PreviewWishes
from core.role import role_of
from core.settings import Settings, load_settings
from core.store.database import database_url, engine_url
from core.store.facts import Facts
from core.store.liveness import is_dead, turn
from core.store.preferences import PreferenceRows
from core.switching import Switcher
from core.tasks import cancel_all, enter_unless, stop_on_signals, until_one_ends
from core.upkeep import Upkeep

log = logging.getLogger("easel")

Chore = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Services:
    """What is open while the bot runs. `chores` are what it does besides talking to Discord, each for ever."""

    settings: Settings
    core: Core
    url: sa.URL
    client: discord.Client = field(init=False)
    delivery: DiscordDelivery = field(init=False)
    pipeline: Pipeline | None = None
    dispatcher: Dispatcher | None = None
    cogs: tuple[commands.Cog, ...] = ()
    chores: dict[str, Chore] = field(default_factory=dict)
    logged_in: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.chores |= {"mirror": self.core.mirror.run, "fleet": self.core.fleet.run}

    async def serve_discord(self) -> None:
        """Log in, patiently; then stay at the gateway, or keep the session for whoever delivers."""
        await log_in(self.client, self.settings.discord_token.get_secret_value())
        self.logged_in.set()
        if self.core.role.talks:
            await stay_connected(self.client)
        await asyncio.Event().wait()

    async def on_login(self, client: EaselClient) -> None:
        """Called once logged in, before any interaction arrives."""
        client.add_dynamic_items(*DYNAMIC_ITEMS)
        for cog in self.cogs:
            await client.add_cog(cog)
        self.logged_in.set()

    async def give_out(self) -> None:
        """Once logged in, take up unfinished pictures and give out new ones; for ever."""
        module = await asyncio.to_thread(importlib.import_module, "core.jobs.dbos_engine")
        await self.logged_in.wait()
        if self.dispatcher is not None and self.pipeline is not None:
            engine = module.DbosEngine(self.url, self.pipeline, executor_id=self.core.role.worker)
            await self.dispatcher.open(engine)
            await self.dispatcher.run()

    def is_giving_out(self) -> bool:
        """Whether pictures that were at work when an earlier process ended have their webuis again."""
        return self.dispatcher is not None and self.dispatcher.is_open

    async def close_dispatcher(self) -> None:
        """Stop the engine, if it was begun."""
        if self.dispatcher is not None:
            await self.dispatcher.close()

    def health(self) -> dict[str, bool]:
        """Which parts are well; measures what is measured by looking."""
        core, parts = self.core, {}
        core.metrics.waiting.set(len(core.queue))
        core.metrics.observe_backends(core.fleet.views())
        if isinstance(self.client, EaselClient):
            parts["discord"] = self.client.is_connected
        if self.dispatcher is not None:
            parts["dispatcher"] = self.dispatcher.is_open
        return parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit status is 0 where it did what it should, 2 where the settings are wrong."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["demo"]:
        return int(importlib.import_module("playground.demo").main(words[1:]))
    parser = argparse.ArgumentParser(
        prog="bot.py",
        description=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = ("run", "gateway", "worker", "check", "demo")
    parser.add_argument("command", nargs="?", default="run", choices=commands)
    known = parser.parse_args(words)
    try:
        settings = load_settings()
        if known.command == "check":
            return int(asyncio.run(importlib.import_module("cogs.checkup").check(settings)))
        configure_logs(settings.log_level, settings.log_format, settings.secrets)
        asyncio.run(run(settings, known.command))
    except ConfigurationError as error:
        sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


async def run(settings: Settings, command: str = "run") -> None:
    """Open everything, and serve until a signal or a fatal error ends it."""
    use_discord(settings.discord_api_url)
    stopping, at_once = asyncio.Event(), asyncio.Event()
    stop_on_signals(stopping, at_once)
    async with contextlib.AsyncExitStack() as stack:
        services = await enter_unless(stopping, stack, open_services(settings, command))
        if services is None:
            return
        chores = {"discord": services.serve_discord, **services.chores}
        tasks = [asyncio.create_task(chore(), name=name) for name, chore in chores.items()]
        stop = asyncio.create_task(stopping.wait(), name="signals")
        try:
            await until_one_ends([*tasks, stop])
            await services.core.fleet.close()
            if services.pipeline is not None:
                await drain(services.pipeline, settings.drain_seconds, at_once)
            await until_answered()
        finally:
            await cancel_all([*tasks, stop])
            log.info("stopping; unfinished jobs go on at the next start or elsewhere")


@contextlib.asynccontextmanager
async def open_services(settings: Settings, command: str) -> AsyncIterator[Services]:
    """Every part that the command needs, connected; each is closed again in reverse order."""
    configured = settings.database_url.get_secret_value() if settings.database_url else None
    url = database_url(configured, settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        if command != "gateway":
            stack.enter_context(locked(settings.data_dir))
        role = role_of(command, settings, url)
        pictures = PictureStore(settings.data_dir)
        if role.draws:
            pictures.writable()
        core = await open_core(stack, settings, role, url)
        services = Services(settings, core, engine_url(url, settings.data_dir))
        services.client = await stack.enter_async_context(_client(services, settings))
        services.delivery = DiscordDelivery(
            services.client,
            pictures,
            fetch=lambda job_id: on_database(core.rows.fetch, job_id),
            turns=(lambda job_id: turn(core.locks, job_id)) if role.shared else None,
            is_held=(lambda job_id, numbers: on_database(core.parts.are_held, job_id, numbers, role.worker))
            if role.shared
            else None,
            wishes=Preferences(PreferenceRows(core.database)).whenever,
        )
        if role.draws:
            _add_drawing(services, pictures)
            stack.push_async_callback(services.close_dispatcher)
        if isinstance(services.client, EaselClient):  # this process talks
            fetcher = await stack.enter_async_context(open_image_fetcher(settings))
            talking = await build_talking(settings, core, services.client, services.delivery, fetcher)
            services.cogs = talking.cogs
            services.chores |= talking.chores
        if settings.http_port is not None:
            await stack.enter_async_context(serve_http(settings.http_port, services.health, core.metrics))
        yield services


def _client(services: Services, settings: Settings) -> discord.Client:
    """Who talks has commands and the gateway; who only draws sends pictures over REST."""
    if not services.core.role.talks:
        return discord.Client(intents=INTENTS)  # it never asks for any, but the library warns where guilds are missing
    return EaselClient(
        facts=Facts(services.core.database),
        on_login=services.on_login,
        shard_ids=settings.shards,
        shard_count=settings.shard_count,
    )


def _add_drawing(services: Services, pictures: PictureStore) -> None:
    """Give out pictures, draw them, deliver them, and take over from workers that are gone."""
    core, delivery = services.core, services.delivery
    shower = Shower(
        rows=core.rows,
        parts=core.parts,
        delivery=delivery,
        metrics=core.metrics,
        worker=core.role.worker,
        shared=core.role.shared,
    )
    pipeline = services.pipeline = Pipeline(
        parts=core.parts,
        pool=core.pool,
        pictures=pictures,
        inputs=core.inputs,
        delivery=delivery,
        shower=shower,
        metrics=core.metrics,
        worker=core.role.worker,
        on_waiting=core.mirror.note,
        elsewhere=core.outlook.elsewhere,
        wants_preview=PreviewPlaces(PreviewWishes(Preferences(PreferenceRows(core.database)))).want,
    )
    core.news.on_cancelled, core.news.on_deleted = pipeline.cancel, pictures.remove
    services.dispatcher = Dispatcher(
        ledger=core.ledger, mirror=core.mirror, fleet=core.fleet, queue=core.queue, pipeline=pipeline
    )
    rescuer = Rescuer(
        parts=core.parts,
        mirror=core.mirror,
        shower=shower,
        worker=core.role.worker,
        is_dead=lambda worker: _is_gone(core, worker),
        is_known_alive=lambda: core.listener.is_connected,
        stop_what_ended=pipeline.stop_what_ended,
    )
    switcher = Switcher(rows=core.switches, pool=core.pool, bell=core.switch_bell, is_ready=services.is_giving_out)
    upkeep = Upkeep(pictures, GalleryRows(core.database), services.settings.disk_limits)
    services.chores |= {
        "upkeep": upkeep.run,
        "dispatcher": services.give_out,
        "leftovers": rescuer.end_own,
        "switcher": switcher.run,
    }
    if core.role.shared:
        services.chores["rescuer"] = rescuer.run


async def _is_gone(core: Core, worker: str) -> bool:
    """Whether a worker is dead, or stands still for so long that its pictures can't wait for it."""
    return core.fleet.is_frozen(worker) or await is_dead(core.database, worker)


if __name__ == "__main__":
    sys.exit(main())
