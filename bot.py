"""Easel's command line and composition root: builds everything, opens it, closes it in reverse. Makes no decision.

python bot.py          run the bot
python bot.py check    say in plain words what is missing or wrong
python bot.py demo     a Discord and a webui on this machine, and the bot between them
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import sqlalchemy as sa
import stamina

from cogs.buttons import CancelButton
from cogs.cancel import CancelCog
from cogs.client import EaselClient
from cogs.delivery import DiscordDelivery
from cogs.draw import DrawCog
from cogs.places import is_transient
from core.errors import ConfigurationError
from core.http import serve_http
from core.images.store import PictureStore
from core.jobs.dispatcher import Dispatcher
from core.jobs.pipeline import Pipeline
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows
from core.lock import locked
from core.logs import configure_logs
from core.metrics import Metrics
from core.settings import Settings, load_settings
from core.store.database import database_url, open_database
from core.store.facts import Facts
from core.studio import Studio
from core.webui.client import open_session
from core.webui.pool import BackendPool

log = logging.getLogger("easel")

REFUSED_TOKEN = "DISCORD_TOKEN is refused by Discord: copy it again from the developer portal."  # noqa: S105  # a sentence
WRONG_TOKEN = 4004
"""The code with which the gateway closes on a token that is not valid (any more)."""


@dataclass(frozen=True, slots=True)
class Services:
    """What is open while the bot runs."""

    client: EaselClient
    dispatcher: Dispatcher
    pipeline: Pipeline
    engine_url: sa.URL
    logged_in: asyncio.Event


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
    parser.add_argument("command", nargs="?", default="run", choices=("run", "check", "demo"))
    known = parser.parse_args(words)
    try:
        settings = load_settings()
        if known.command == "check":
            return int(asyncio.run(importlib.import_module("cogs.checkup").check(settings)))
        configure_logs(settings.log_level, settings.log_format, _secrets(settings))
        asyncio.run(run(settings))
    except ConfigurationError as error:
        sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


async def run(settings: Settings) -> None:
    """Open everything, and serve until a signal or a fatal error ends it."""
    discord.http.Route.BASE = settings.discord_api_url
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # pictures need no voice
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    async with open_services(settings) as services:
        tasks = [
            asyncio.create_task(_serve_discord(services, settings), name="discord"),
            asyncio.create_task(_open_dispatcher(services), name="open the engine"),
            asyncio.create_task(stopping.wait(), name="signals"),
        ]
        try:
            await _until_one_ends(tasks)
        finally:
            await _cancel(tasks)
            log.info("stopping; unfinished jobs go on at the next start")


@contextlib.asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Every part, connected; each is closed again in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(locked(settings.data_dir))
        pictures = PictureStore(settings.data_dir)
        pictures.writable()
        configured = settings.database_url.get_secret_value() if settings.database_url else None
        url = database_url(configured, settings.data_dir)
        database = await stack.enter_async_context(open_database(url))
        queue, metrics, rows = WaitingQueue(), Metrics(), JobRows(database)
        session = await stack.enter_async_context(open_session())
        pool = BackendPool(settings.webuis, session=session, on_change=queue.ring)
        logged_in = asyncio.Event()

        async def on_login(client: EaselClient) -> None:
            client.add_dynamic_items(CancelButton)
            await client.add_cog(DrawCog(studio, delivery))
            await client.add_cog(CancelCog(studio, delivery))
            logged_in.set()

        client = await stack.enter_async_context(EaselClient(facts=Facts(database), on_login=on_login))
        delivery = DiscordDelivery(client, pictures)
        pipeline = Pipeline(rows=rows, pool=pool, pictures=pictures, delivery=delivery, queue=queue, metrics=metrics)
        studio = Studio(rows=rows, pool=pool, queue=queue, pipeline=pipeline, metrics=metrics)
        dispatcher = Dispatcher(rows=rows, pool=pool, queue=queue, pipeline=pipeline)
        pool.start()
        stack.push_async_callback(pool.stop)
        stack.push_async_callback(dispatcher.close)
        if settings.http_port is not None:

            def health() -> dict[str, bool]:
                metrics.waiting.set(len(queue))
                metrics.observe_backends(pool.views())
                return {"discord": client.is_connected, "dispatcher": dispatcher.is_open}

            await stack.enter_async_context(serve_http(settings.http_port, health, metrics))
        yield Services(client, dispatcher, pipeline, _engine_url(url, settings), logged_in)


async def _serve_discord(services: Services, settings: Settings) -> None:
    """Log in, patiently, and stay connected; ConfigurationError where Discord refuses the token for good."""
    client = services.client
    try:
        async for attempt in stamina.retry_context(on=is_transient, attempts=None, timeout=None, wait_max=30.0):
            with attempt:
                await _log_in(client, settings.discord_token.get_secret_value())
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


async def _log_in(client: EaselClient, token: str) -> None:
    """One attempt; where it fails, nothing of it is left that would be in the way of the next."""
    try:
        await client.login(token)
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        log.warning("Discord can't be reached, trying again")
        await client.http.close()
        client.http.connector = discord.utils.MISSING  # it was closed with its session; a login makes a new one
        raise


async def _open_dispatcher(services: Services) -> None:
    """Once logged in, take up unfinished jobs and give out new ones; then wait to be cancelled."""
    module = await asyncio.to_thread(importlib.import_module, "core.jobs.dbos_engine")
    await services.logged_in.wait()
    await services.dispatcher.open(module.DbosEngine(services.engine_url, services.pipeline))
    await services.dispatcher.run()


async def _until_one_ends(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Whatever ends first ends the bot; its exception, if it has one, is raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Until all have ended: a shard that is reconnecting takes the first cancellation for its own and goes on."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
            loop.add_signal_handler(number, stopping.set)


def _engine_url(url: sa.URL, settings: Settings) -> sa.URL:
    """The engine's own tables: a file beside ours, or the same PostgreSQL under its own schema."""
    if url.get_backend_name() == "sqlite":
        return sa.URL.create("sqlite", database=str(settings.data_dir / "engine.db"))
    return url.set(drivername="postgresql+psycopg")


def _secrets(settings: Settings) -> list[str]:
    """What must never be in a log."""
    logins = [webui.login for webui in settings.webuis if webui.login]
    database = sa.make_url(settings.database_url.get_secret_value()).password if settings.database_url else None
    return [settings.discord_token.get_secret_value(), *(login.password for login in logins), str(database or "")]


if __name__ == "__main__":
    sys.exit(main())
