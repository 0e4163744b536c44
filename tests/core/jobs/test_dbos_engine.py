"""The durable engine on a real SQLite file, with steps that remember, and killed for real in a process of its own."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.jobs.dbos_engine import DbosEngine, JsonSerializer
from core.jobs.engine import STOP, Record

ROOT = Path(__file__).parents[3]
WAIT = 15.0


@dataclass
class Remembering:
    """Steps that remember what they were handed, and answer as they are told."""

    answers: dict[str, Record] = field(default_factory=dict)
    calls: list[tuple[str, str, int, Record]] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def render(self, job_id: str, attempt: int, before: Record) -> Record:
        return await self._step("render", job_id, attempt, before)

    async def keep(self, job_id: str, attempt: int, before: Record) -> Record:
        return await self._step("keep", job_id, attempt, before)

    async def deliver(self, job_id: str, attempt: int, before: Record) -> Record:
        return await self._step("deliver", job_id, attempt, before)

    async def _step(self, name: str, job_id: str, attempt: int, before: Record) -> Record:
        self.calls.append((name, job_id, attempt, before))
        self._changed.set()
        if name in self.held:
            await self.held[name].wait()
        return self.answers.get(name, {"from": name})

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def names(self) -> list[str]:
        return [name for name, *_ in self.calls]


@asynccontextmanager
async def opened(folder: Path, steps: Remembering) -> AsyncIterator[DbosEngine]:
    engine = DbosEngine(sa.URL.create("sqlite", database=str(folder / "engine.db")), steps)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def read(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "engine.db")) as connection:
        return connection.execute(query).fetchall()


async def until_status(folder: Path, workflow_id: str, status: str) -> None:
    query = f"SELECT status FROM workflow_status WHERE workflow_uuid = '{workflow_id}'"  # noqa: S608  # our own text
    async with asyncio.timeout(WAIT):
        # DBOS tells nobody when it has written the end of a workflow.
        while await asyncio.to_thread(read, folder, query) != [(status,)]:  # noqa: ASYNC110  # hence no event
            await asyncio.sleep(0.02)


async def test_the_steps_run_in_order_each_with_the_record_of_the_one_before(tmp_path: Path) -> None:
    steps = Remembering()
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 2)
        await steps.until(lambda: len(steps.calls) == 3)
    assert steps.calls == [
        ("render", "7", 2, {}),
        ("keep", "7", 2, {"from": "render"}),
        ("deliver", "7", 2, {"from": "keep"}),
    ]


@pytest.mark.parametrize(("last", "expected"), [("render", ["render"]), ("keep", ["render", "keep"])])
async def test_stop_ends_the_attempt(tmp_path: Path, last: str, expected: list[str]) -> None:
    steps = Remembering(answers={last: STOP})
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 1)
        await until_status(tmp_path, "7:1", "SUCCESS")
    assert steps.names() == expected


async def test_starting_the_same_attempt_twice_runs_it_once(tmp_path: Path) -> None:
    steps = Remembering()
    async with opened(tmp_path, steps) as engine:
        await asyncio.gather(engine.start("7", 1), engine.start("7", 1))
        await until_status(tmp_path, "7:1", "SUCCESS")
        await engine.start("7", 1)
        await engine.start("7", 2)
        await until_status(tmp_path, "7:2", "SUCCESS")
    assert [attempt for _, _, attempt, _ in steps.calls] == [1, 1, 1, 2, 2, 2]


async def test_several_jobs_run_side_by_side(tmp_path: Path) -> None:
    steps = Remembering(held={"render": asyncio.Event()})
    async with opened(tmp_path, steps) as engine:
        for job_id in ("1", "2", "3"):
            await engine.start(job_id, 1)
        await steps.until(lambda: len(steps.calls) == 3)
        assert {job_id for _, job_id, *_ in steps.calls} == {"1", "2", "3"}
        steps.held["render"].set()
        await steps.until(lambda: steps.names().count("deliver") == 3)


async def test_what_was_never_recorded_is_started_by_resume(tmp_path: Path) -> None:
    steps = Remembering()
    async with opened(tmp_path, steps) as engine:
        await engine.resume("7", 1)
        await until_status(tmp_path, "7:1", "SUCCESS")
    assert steps.names() == ["render", "keep", "deliver"]


async def test_resume_leaves_alone_what_is_going_on(tmp_path: Path) -> None:
    steps = Remembering(held={"render": asyncio.Event()})
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 1)
        await steps.until(lambda: len(steps.calls) == 1)
        await engine.resume("7", 1)
        steps.held["render"].set()
        await until_status(tmp_path, "7:1", "SUCCESS")
        assert read(tmp_path, "SELECT COUNT(*) FROM workflow_status") == [(1,)]
    assert steps.names() == ["render", "keep", "deliver"]


async def test_resume_runs_again_what_ended_without_ending_the_job(tmp_path: Path) -> None:
    steps = Remembering(answers={"render": STOP})
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 1)
        await until_status(tmp_path, "7:1", "SUCCESS")
        steps.answers.clear()
        await engine.resume("7", 1)
        await steps.until(lambda: len(steps.calls) == 4)
    assert steps.names() == ["render", "render", "keep", "deliver"]
    assert {attempt for _, _, attempt, _ in steps.calls} == {1}


async def test_a_step_cut_off_by_closing_runs_again_at_the_next_opening(tmp_path: Path) -> None:
    cut_off = Remembering(held={"keep": asyncio.Event()})
    async with opened(tmp_path, cut_off) as engine:
        await engine.start("7", 1)
        await cut_off.until(lambda: len(cut_off.calls) == 2)
    again = Remembering()
    async with opened(tmp_path, again):
        await until_status(tmp_path, "7:1", "SUCCESS")
    assert cut_off.names() == ["render", "keep"]
    assert again.calls == [("keep", "7", 1, {"from": "render"}), ("deliver", "7", 1, {"from": "keep"})]


async def test_threads_can_still_be_used_once_the_engine_is_closed(tmp_path: Path) -> None:
    steps = Remembering()
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 1)
        await steps.until(lambda: len(steps.calls) == 3)
    assert await asyncio.to_thread(lambda: "still here") == "still here"


async def test_records_are_json_and_nothing_is_pickled(tmp_path: Path) -> None:
    steps = Remembering(answers={"render": {"rendered": {"seed": 7, "text": "größer 🦊"}}})
    async with opened(tmp_path, steps) as engine:
        await engine.start("7", 1)
        await until_status(tmp_path, "7:1", "SUCCESS")
    outputs = read(tmp_path, "SELECT output FROM operation_outputs ORDER BY function_id")
    assert outputs[0] == ('{"rendered":{"seed":7,"text":"gr\\u00f6\\u00dfer \\ud83e\\udd8a"}}',)
    serializers = read(tmp_path, "SELECT DISTINCT serialization FROM workflow_status")
    assert serializers == [("easel_json",)]
    everything = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert b"gASV" not in everything  # how base64 of a pickle begins


async def test_the_engine_writes_ahead(tmp_path: Path) -> None:
    async with opened(tmp_path, Remembering()):
        assert read(tmp_path, "PRAGMA journal_mode") == [("wal",)]


async def test_an_engine_that_is_not_open_starts_nothing(tmp_path: Path) -> None:
    engine = DbosEngine(sa.URL.create("sqlite", database=str(tmp_path / "engine.db")), Remembering())
    with pytest.raises(RuntimeError, match="not open"):
        await engine.start("7", 1)


def test_an_exception_in_a_record_becomes_its_text() -> None:
    serializer = JsonSerializer()
    text = serializer.serialize(ValueError("no"))
    assert serializer.deserialize(text) == "ValueError: no"


def start_process(folder: Path, hang: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.jobs.engine_process", str(folder), hang],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("step", ["render", "keep", "deliver"])
def test_a_killed_process_goes_on_behind_the_last_recorded_step(tmp_path: Path, step: str) -> None:
    with start_process(tmp_path, step) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "hanging\n"
        first.kill()
    with start_process(tmp_path, "") as second:
        assert second.wait(30) == 0
    lines = [line.split() for line in (tmp_path / "steps.txt").read_text().splitlines()]
    order = ["render", "keep", "deliver"]
    done = order[: order.index(step) + 1]
    left = order[order.index(step) :]
    assert [(name, pid) for name, *_, pid in lines] == [
        *((name, str(first.pid)) for name in done),
        *((name, str(second.pid)) for name in left),
    ]
    assert lines[len(done)][:4] == lines[len(done) - 1][:4]  # it was handed the same record
