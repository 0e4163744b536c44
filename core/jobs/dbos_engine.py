"""The engine on DBOS, and the only module that knows DBOS. It knows no job: it runs the steps and records them.

Importing it costs most of a second, so the composition root imports it late, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, Serializer, SetWorkflowID, WorkflowStatus
from dbos import error as dbos_error

from core.jobs.engine import Piece, Record, Steps
from core.jobs.patience import on_database
from core.store.database import on_one_machine, unless_said

log = logging.getLogger(__name__)

VERSION = "2"
"""Raised only when the order of the steps changes: attempts in flight under another version are begun anew."""
CONNECTIONS = 4
"""To PostgreSQL, at most: a step's record is one short transaction, and they wait for each other."""
CONNECTIONS_TO_SQLITE = 2
"""It has one writer. Who waits for a connection is woken in turn; who waits for SQLite's lock looks again and again."""
FORGET_AFTER = timedelta(hours=1)
"""Age at which the record of a finished workflow is deleted; what lasts is the job's row."""
ABANDONED_AFTER = timedelta(days=7)
"""Age at which an unfinished one is deleted that only an executor of another name or version could go on with."""
FORGET_EVERY_SECONDS = 600.0
FORGET_AT_ONCE = 1000
CLOSING_SECONDS = 5.0
GOING_ON = ("PENDING", "ENQUEUED", "DELAYED")

Run = Callable[[Piece, Record], Awaitable[Record]]
Draw = Callable[[str, int, int], Awaitable[None]]


class JsonSerializer(Serializer):
    """Records as JSON: the default, pickle, runs whatever somebody managed to write into the database."""

    def name(self) -> str:
        """The name that is stored beside what it wrote."""
        return "easel_json"

    def serialize(self, data: Any) -> str:
        """JSON; an exception, which DBOS records too, becomes its text."""
        return json.dumps(data, default=lambda value: f"{type(value).__name__}: {value}", separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """The other way round; exceptions stay texts."""
        return json.loads(serialized_data)


class Unhurried(sqlite3.Connection):
    """A connection whose commits don't wait for the disk: what a power cut may take of the engine's last records is
    made up for from the jobs' rows, which do wait. A process that dies loses nothing.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA synchronous=NORMAL")


class DbosEngine:
    """Steps recorded in SQLite or PostgreSQL; one workflow is one attempt at one picture.

    Several may share a PostgreSQL, each with an `executor_id` of its own. It has the same again after a restart, which
    is what makes recovery automatic, and it is part of DBOS' version, since DBOS gives a workflow that it recovers to
    any executor of the version.
    """

    def __init__(self, url: sa.URL, steps: Steps, executor_id: str) -> None:
        self._url = url
        self._steps = steps
        self._executor_id = executor_id
        self._version = f"{VERSION}:{executor_id}"
        self._workflow: Draw | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Launch; DBOS puts this executor's unfinished workflows back to work within about a second."""
        url = self._url.render_as_string(hide_password=False)
        options: dict[str, Any] = {"hide_parameters": True}
        if on_one_machine(self._url):
            _teach_older_sqlite()
            await asyncio.to_thread(_use_write_ahead_log, Path(str(self._url.database)))
            options |= {"pool_size": CONNECTIONS_TO_SQLITE, "connect_args": {"factory": Unhurried}}
        else:
            # Launching would do it too, but on the loop: seconds, where several processes start at once.
            await on_database(asyncio.to_thread, DBOS.migrate, url)
            options |= {"pool_size": CONNECTIONS, "connect_args": unless_said(self._url)}
        await on_database(self._launch, url, options)
        self._forgetting = asyncio.create_task(self._forget(), name="forget finished workflows")

    async def _launch(self, url: str, options: dict[str, Any]) -> None:
        """Once; where the database is away, nothing is left of it."""
        library = logging.getLogger("dbos")
        if not library.handlers:  # it would add its own, which writes past our handlers, secrets and all
            library.addHandler(logging.NullHandler())
        DBOS(
            config={
                "name": "easel",
                "system_database_url": url,
                "application_version": self._version,
                "executor_id": self._executor_id,
                "serializer": JsonSerializer(),
                "db_engine_kwargs": options,
                "use_listen_notify": False,  # it rings for messages between workflows, and takes a connection for it
                "log_level": "ERROR",
            }
        )
        self._workflow = self._register()
        library.disabled = True  # whatever ends its launch is raised, and it would print a stack trace beside that
        try:
            DBOS.launch()
        except sa.exc.SQLAlchemyError:
            await _destroy()
            raise
        finally:
            library.disabled = False

    async def start(self, piece: Piece) -> None:
        """Record the workflow, then let it run on this loop."""
        await self._start_as(piece.id, piece)

    async def resume(self, piece: Piece) -> None:
        """Start what was never recorded; run again, under a new id, what won't go on by itself here."""
        first = await DBOS.get_workflow_status_async(piece.id)
        if first is None:
            await self._start_as(piece.id, piece)
            return
        later = await DBOS.list_workflows_async(workflow_id_prefix=f"{piece.id}:", load_input=False, load_output=False)
        if not any(self._goes_on(workflow) for workflow in (first, *later)):
            log.warning("the record of an attempt ended before the attempt did", extra={"job": piece.job_id})
            await self._start_as(f"{piece.id}:{time.time_ns()}", piece)

    async def close(self) -> None:
        """Stop at once: a step that is running is cut off, not recorded, and run again at the next start."""
        tasks = [*self._running, *([self._forgetting] if self._forgetting is not None else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        await _destroy()

    def _goes_on(self, workflow: WorkflowStatus) -> bool:
        return workflow.status in GOING_ON and workflow.app_version == self._version

    async def _start_as(self, workflow_id: str, piece: Piece) -> None:
        if self._workflow is None:
            raise RuntimeError("the engine is not open")
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(
                self._workflow,  # type: ignore[arg-type]  # a coroutine function
                piece.job_id,
                piece.number,
                piece.attempt,
            )

    def _register(self) -> Draw:
        render = DBOS.step(name="render")(self._tracked(self._steps.render))
        show = DBOS.step(name="show")(self._tracked(self._show))

        @DBOS.workflow(name="draw")
        async def draw(job_id: str, number: int, attempt: int) -> None:
            piece = Piece(job_id, number, attempt)
            record = await render(piece, {})
            if not record.get("stop"):
                await show(piece, record)

        return draw

    async def _show(self, piece: Piece, before: Record) -> Record:
        """Two steps in one record: that a picture is kept is in its row, and keeping it again does nothing."""
        kept = await self._steps.keep(piece, before)
        return kept if kept.get("stop") else await self._steps.deliver(piece, kept)

    def _tracked(self, run: Run) -> Run:
        """The step as a plain function, since DBOS looks for configured classes behind methods, known while it runs."""

        async def step(piece: Piece, before: Record) -> Record:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("a step runs in a task")
            self._running.add(task)
            try:
                return await run(piece, before)
            finally:
                self._running.discard(task)

        return step

    async def _forget(self) -> None:
        """Keep the engine's tables small; several processes may do it at once: deleted twice is deleted once."""
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  # spreads the processes
            try:
                await self._forget_finished()
                await self._forget_abandoned()
            except (sa.exc.SQLAlchemyError, dbos_error.DBOSException) as error:
                log.warning("finished workflows could not be deleted: %s", error)

    async def _forget_finished(self) -> None:
        before = (datetime.now(UTC) - FORGET_AFTER).isoformat()
        is_more = True
        while is_more:
            finished = await DBOS.list_workflows_async(
                completed_before=before, limit=FORGET_AT_ONCE, load_input=False, load_output=False
            )
            await _delete(finished)
            is_more = len(finished) == FORGET_AT_ONCE

    async def _forget_abandoned(self) -> None:
        """What dead executors left, whose jobs have long been taken over."""
        before = (datetime.now(UTC) - ABANDONED_AFTER).isoformat()
        old = await DBOS.list_workflows_async(
            end_time=before, status=list(GOING_ON), limit=FORGET_AT_ONCE, load_input=False, load_output=False
        )
        await _delete([workflow for workflow in old if not self._goes_on(workflow)])


async def _destroy() -> None:
    """DBOS made its own threads the loop's, and ends them here: whatever comes after the engine needs others."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    await asyncio.to_thread(DBOS.destroy, destroy_registry=True)


async def _delete(workflows: list[WorkflowStatus]) -> None:
    if workflows:
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in workflows])


def _teach_older_sqlite() -> None:
    """From Python 3.12 on DBOS counts on unixepoch('subsec'), which SQLite has since 3.42: add it where it lacks.

    The engine opens its connections itself, so every SQLite connection of this process is taught.
    """
    if sqlite3.sqlite_version_info >= (3, 42):
        return

    def teach(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.create_function("unixepoch", 1, lambda _precision: time.time())

    sa.event.listen(sa.Engine, "connect", teach)


def _use_write_ahead_log(path: Path) -> None:
    """Set once for the file, it stays: commits are several times faster than with the default journal."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
