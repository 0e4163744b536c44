"""The engine on DBOS, and the only module that knows DBOS. It knows no job: it runs the steps and records them.

Importing it costs most of a second, so the composition root imports it late, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, Serializer, SetWorkflowID

from core.jobs.engine import Record, Steps

log = logging.getLogger(__name__)

VERSION = "1"
"""Raised only when the order of the steps changes: jobs in flight under another version would be stranded."""
EXECUTOR = "easel"
"""One machine, one name: that is what makes recovery at the next start automatic."""
FORGET_AFTER = timedelta(hours=1)
"""Age at which the record of a finished workflow is deleted; what lasts is the job's row."""
FORGET_EVERY_SECONDS = 600.0
CLOSING_SECONDS = 5.0
GOING_ON = frozenset({"PENDING", "ENQUEUED", "DELAYED"})

Run = Callable[[str, int, Record], Awaitable[Record]]


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


class DbosEngine:
    """Steps recorded in SQLite or PostgreSQL; one workflow is one attempt at one job."""

    def __init__(self, url: sa.URL, steps: Steps) -> None:
        self._url = url
        self._steps = steps
        self._workflow: Callable[[str, int], Awaitable[None]] | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Launch; DBOS puts unfinished workflows back to work within about a second."""
        if self._url.get_backend_name() == "sqlite":
            _teach_older_sqlite()
            await asyncio.to_thread(_use_write_ahead_log, Path(str(self._url.database)))
        DBOS(
            config={
                "name": "easel",
                "system_database_url": self._url.render_as_string(hide_password=False),
                "application_version": VERSION,
                "executor_id": EXECUTOR,
                "serializer": JsonSerializer(),
                "db_engine_kwargs": {"hide_parameters": True},
                "log_level": "ERROR",
            }
        )
        self._workflow = self._register()
        DBOS.launch()
        self._forgetting = asyncio.create_task(self._forget_finished(), name="forget finished workflows")

    async def start(self, job_id: str, attempt: int) -> None:
        """Record the workflow, then let it run on this loop."""
        await self._start_as(_workflow_id(job_id, attempt), job_id, attempt)

    async def resume(self, job_id: str, attempt: int) -> None:
        """Start what was never recorded; run again, under a new id, what ended without ending the job."""
        workflow_id = _workflow_id(job_id, attempt)
        status = await DBOS.get_workflow_status_async(workflow_id)
        if status is None:
            await self._start_as(workflow_id, job_id, attempt)
        elif status.status not in GOING_ON:
            log.warning("the record of a job's attempt ended before the job did", extra={"job": job_id})
            await self._start_as(f"{workflow_id}:{time.time_ns()}", job_id, attempt)

    async def close(self) -> None:
        """Stop at once: a step that is running is cut off, not recorded, and run again at the next start."""
        tasks = [*self._running, *([self._forgetting] if self._forgetting is not None else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        # DBOS made its own threads the loop's, and ends them here: whatever is closed after the engine needs others.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    async def _start_as(self, workflow_id: str, job_id: str, attempt: int) -> None:
        if self._workflow is None:
            raise RuntimeError("the engine is not open")
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(self._workflow, job_id, attempt)  # type: ignore[arg-type]  # a coroutine function

    def _register(self) -> Callable[[str, int], Awaitable[None]]:
        steps = [
            DBOS.step(name=name)(self._tracked(run))
            for name, run in (
                ("render", self._steps.render),
                ("keep", self._steps.keep),
                ("deliver", self._steps.deliver),
            )
        ]

        @DBOS.workflow(name="draw")
        async def draw(job_id: str, attempt: int) -> None:
            record: Record = {}
            for step in steps:
                record = await step(job_id, attempt, record)
                if record.get("stop"):
                    return

        return draw

    def _tracked(self, run: Run) -> Run:
        """The step as a plain function, since DBOS looks for configured classes behind methods, known while it runs."""

        async def step(job_id: str, attempt: int, before: Record) -> Record:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("a step runs in a task")
            self._running.add(task)
            try:
                return await run(job_id, attempt, before)
            finally:
                self._running.discard(task)

        return step

    async def _forget_finished(self) -> None:
        """Keep the engine's tables small."""
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS)
            before = (datetime.now(UTC) - FORGET_AFTER).isoformat()
            try:
                finished = await DBOS.list_workflows_async(
                    completed_before=before, limit=1000, load_input=False, load_output=False
                )
                if finished:
                    await DBOS.delete_workflows_async([workflow.workflow_id for workflow in finished])
            except sa.exc.SQLAlchemyError as error:
                log.warning("finished workflows could not be deleted: %s", error)


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


def _workflow_id(job_id: str, attempt: int) -> str:
    return f"{job_id}:{attempt}"


def _use_write_ahead_log(path: Path) -> None:
    """Set once for the file, it stays: commits are several times faster than with the default journal."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
