"""The durable engine on a real SQLite file and a real PostgreSQL, with steps that remember, and killed for real."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS

from core.jobs import dbos_engine
from core.jobs.dbos_engine import DbosEngine, JsonSerializer
from core.jobs.engine import STOP, Piece, Record
from core.store.database import database_url
from tests.postgres import LocalPostgres

ROOT = Path(__file__).parents[3]
WAIT = 15.0
SEVEN = Piece("7", 0, 1)


@dataclass
class Remembering:
    """Steps that remember what they were handed, and answer as they are told."""

    answers: dict[str, Record] = field(default_factory=dict)
    calls: list[tuple[str, Piece, Record]] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def render(self, piece: Piece, before: Record) -> Record:
        return await self._step("render", piece, before)

    async def keep(self, piece: Piece, before: Record) -> Record:
        return await self._step("keep", piece, before)

    async def deliver(self, piece: Piece, before: Record) -> Record:
        return await self._step("deliver", piece, before)

    async def _step(self, name: str, piece: Piece, before: Record) -> Record:
        self.calls.append((name, piece, before))
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


@pytest.fixture
def on_sqlite(tmp_path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(tmp_path / "engine.db"))


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path: Path) -> sa.URL:
    return database_url(postgres_url, tmp_path)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def each(request: pytest.FixtureRequest) -> sa.URL:
    """An empty database of either kind."""
    found: sa.URL = request.getfixturevalue("on_sqlite" if request.param == "SQLite" else "on_postgres")
    return found


@asynccontextmanager
async def opened(url: sa.URL, steps: Remembering, executor_id: str = "easel") -> AsyncIterator[DbosEngine]:
    engine = DbosEngine(url, steps, executor_id)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def read(url: sa.URL, query: str) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if url.get_backend_name() != "sqlite":
            connection.execute(sa.text("SET search_path = dbos"))
        return [tuple(row) for row in connection.execute(sa.text(query))]


async def until_status(url: sa.URL, workflow_id: str, status: str) -> None:
    query = f"SELECT status FROM workflow_status WHERE workflow_uuid = '{workflow_id}'"  # noqa: S608  # our own text
    async with asyncio.timeout(WAIT):
        # DBOS tells nobody when it has written the end of a workflow.
        while await asyncio.to_thread(read, url, query) != [(status,)]:  # noqa: ASYNC110  # hence no event
            await asyncio.sleep(0.02)


async def test_the_steps_run_in_order_each_with_the_record_of_the_one_before(each: sa.URL) -> None:
    steps, piece = Remembering(), Piece("7", 3, 2)
    async with opened(each, steps) as engine:
        await engine.start(piece)
        await steps.until(lambda: len(steps.calls) == 3)
    assert steps.calls == [
        ("render", piece, {}),
        ("keep", piece, {"from": "render"}),
        ("deliver", piece, {"from": "keep"}),
    ]


@pytest.mark.parametrize(("last", "expected"), [("render", ["render"]), ("keep", ["render", "keep"])])
async def test_stop_ends_the_attempt(on_sqlite: sa.URL, last: str, expected: list[str]) -> None:
    steps = Remembering(answers={last: STOP})
    async with opened(on_sqlite, steps) as engine:
        await engine.start(SEVEN)
        await until_status(on_sqlite, "7:0:1", "SUCCESS")
    assert steps.names() == expected


async def test_starting_the_same_attempt_twice_runs_it_once(each: sa.URL) -> None:
    steps = Remembering()
    async with opened(each, steps) as engine:
        await asyncio.gather(engine.start(SEVEN), engine.start(SEVEN))
        await until_status(each, "7:0:1", "SUCCESS")
        await engine.start(SEVEN)
        await engine.start(Piece("7", 0, 2))
        await until_status(each, "7:0:2", "SUCCESS")
    assert [piece.attempt for _, piece, _ in steps.calls] == [1, 1, 1, 2, 2, 2]


async def test_several_jobs_run_side_by_side(on_sqlite: sa.URL) -> None:
    steps = Remembering(held={"render": asyncio.Event()})
    async with opened(on_sqlite, steps) as engine:
        for job_id in ("1", "2", "3"):
            await engine.start(Piece(job_id, 0, 1))
        await steps.until(lambda: len(steps.calls) == 3)
        assert {piece.job_id for _, piece, _ in steps.calls} == {"1", "2", "3"}
        steps.held["render"].set()
        await steps.until(lambda: steps.names().count("deliver") == 3)


async def test_what_was_never_recorded_is_started_by_resume(on_sqlite: sa.URL) -> None:
    steps = Remembering()
    async with opened(on_sqlite, steps) as engine:
        await engine.resume(SEVEN)
        await until_status(on_sqlite, "7:0:1", "SUCCESS")
    assert steps.names() == ["render", "keep", "deliver"]


async def test_resume_leaves_alone_what_is_going_on(on_sqlite: sa.URL) -> None:
    steps = Remembering(held={"render": asyncio.Event()})
    async with opened(on_sqlite, steps) as engine:
        await engine.start(SEVEN)
        await steps.until(lambda: len(steps.calls) == 1)
        await engine.resume(SEVEN)
        steps.held["render"].set()
        await until_status(on_sqlite, "7:0:1", "SUCCESS")
        assert read(on_sqlite, "SELECT COUNT(*) FROM workflow_status") == [(1,)]
    assert steps.names() == ["render", "keep", "deliver"]


async def test_resume_runs_again_what_ended_without_ending_the_job(each: sa.URL) -> None:
    steps = Remembering(answers={"render": STOP})
    async with opened(each, steps) as engine:
        await engine.start(SEVEN)
        await until_status(each, "7:0:1", "SUCCESS")
        steps.answers.clear()
        await engine.resume(SEVEN)
        await steps.until(lambda: len(steps.calls) == 4)
    assert steps.names() == ["render", "render", "keep", "deliver"]
    assert {piece.attempt for _, piece, _ in steps.calls} == {1}


async def test_a_step_cut_off_by_closing_runs_again_at_the_next_opening(each: sa.URL) -> None:
    cut_off = Remembering(held={"keep": asyncio.Event()})
    async with opened(each, cut_off) as engine:
        await engine.start(SEVEN)
        await cut_off.until(lambda: len(cut_off.calls) == 2)
    again = Remembering()
    async with opened(each, again):
        await until_status(each, "7:0:1", "SUCCESS")
    assert cut_off.names() == ["render", "keep"]
    assert again.calls == [("keep", SEVEN, {"from": "render"}), ("deliver", SEVEN, {"from": "keep"})]


async def test_threads_can_still_be_used_once_the_engine_is_closed(on_sqlite: sa.URL) -> None:
    steps = Remembering()
    async with opened(on_sqlite, steps) as engine:
        await engine.start(SEVEN)
        await steps.until(lambda: len(steps.calls) == 3)
    assert await asyncio.to_thread(lambda: "still here") == "still here"


async def test_records_are_json_and_nothing_is_pickled(on_sqlite: sa.URL) -> None:
    steps = Remembering(answers={"render": {"rendered": {"seed": 7, "text": "größer 🦊"}}})
    async with opened(on_sqlite, steps) as engine:
        await engine.start(SEVEN)
        await until_status(on_sqlite, "7:0:1", "SUCCESS")
    outputs = read(on_sqlite, "SELECT output FROM operation_outputs ORDER BY function_id")
    assert outputs[0] == ('{"rendered":{"seed":7,"text":"gr\\u00f6\\u00dfer \\ud83e\\udd8a"}}',)
    serializers = read(on_sqlite, "SELECT DISTINCT serialization FROM workflow_status")
    assert serializers == [("easel_json",)]
    folder = Path(str(on_sqlite.database)).parent
    everything = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in folder.iterdir()))
    assert b"gASV" not in everything  # how base64 of a pickle begins


async def test_the_engine_writes_ahead(on_sqlite: sa.URL) -> None:
    async with opened(on_sqlite, Remembering()):
        assert read(on_sqlite, "PRAGMA journal_mode") == [("wal",)]


async def test_the_engine_s_commits_do_not_wait_for_the_disk_since_the_rows_do(on_sqlite: sa.URL) -> None:
    waits: list[int] = []

    def note(connection: Any, _record: object) -> None:
        waits.extend(connection.execute("PRAGMA synchronous").fetchone())

    sa.event.listen(sa.Engine, "connect", note)
    try:
        async with opened(on_sqlite, Remembering()):
            pass
    finally:
        sa.event.remove(sa.Engine, "connect", note)
    assert waits
    assert set(waits) == {1}  # NORMAL


async def test_an_engine_that_is_not_open_starts_nothing(on_sqlite: sa.URL) -> None:
    engine = DbosEngine(on_sqlite, Remembering(), "easel")
    with pytest.raises(RuntimeError, match="not open"):
        await engine.start(SEVEN)


def test_an_exception_in_a_record_becomes_its_text() -> None:
    serializer = JsonSerializer()
    text = serializer.serialize(ValueError("no"))
    assert serializer.deserialize(text) == "ValueError: no"


@contextmanager
def engine_process(
    url: sa.URL, folder: Path, *jobs: str, executor_id: str = "easel", hang: str = ""
) -> Iterator[subprocess.Popen[str]]:
    address = url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.core.jobs.engine_process", address, str(folder / "steps.txt")]
    with subprocess.Popen([*command, executor_id, hang, *jobs], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert next(line for line in process.stdout if line == f"{word}\n")


def noted(folder: Path) -> list[list[str]]:
    """Step, piece, the step before, executor and process id, in the order of time."""
    return [line.split() for line in (folder / "steps.txt").read_text().splitlines()]


def check_that_it_went_on_behind(step: str, folder: Path, first: int, second: int) -> None:
    lines = noted(folder)
    order = ["render", "keep", "deliver"]
    done = order[: order.index(step) + 1]
    left = order[min(order.index(step), 1) :]  # keep and deliver have one record
    assert [(name, int(pid)) for name, *_, pid in lines] == [
        *((name, first) for name in done),
        *((name, second) for name in left),
    ]
    again = next(line for line in lines if line[0] == left[0])
    assert lines[len(done)][:4] == again[:4]  # it was handed the same record


@pytest.mark.parametrize("step", ["render", "keep", "deliver"])
def test_a_killed_process_goes_on_behind_the_last_recorded_step(on_sqlite: sa.URL, tmp_path: Path, step: str) -> None:
    with engine_process(on_sqlite, tmp_path, "1", hang=step) as first:
        wait_for(first, "hanging")
        first.kill()
    with engine_process(on_sqlite, tmp_path, "1") as second:
        assert second.wait(30) == 0
    check_that_it_went_on_behind(step, tmp_path, first.pid, second.pid)


def test_only_a_process_of_the_same_name_goes_on_with_what_a_killed_one_left(
    on_postgres: sa.URL, tmp_path: Path
) -> None:
    with engine_process(on_postgres, tmp_path, "1", executor_id="a", hang="keep") as first:
        wait_for(first, "hanging")
        first.kill()
    # The other is there before, during and after the recovery, and asks DBOS for work all the time.
    with engine_process(on_postgres, tmp_path, "2", "-", executor_id="b") as other:
        wait_for(other, "open")
        with engine_process(on_postgres, tmp_path, "-", executor_id="a") as second:
            assert second.wait(30) == 0
        lines = noted(tmp_path)
        assert other.poll() is None
    assert {(piece, executor) for _, piece, _, executor, _ in lines} == {("1:0:1", "a"), ("2:0:1", "b")}
    (tmp_path / "steps.txt").write_text("\n".join(" ".join(line) for line in lines if line[1] == "1:0:1"))
    check_that_it_went_on_behind("keep", tmp_path, first.pid, second.pid)


def test_processes_that_open_an_empty_database_at_once_all_work(on_postgres: sa.URL, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    processes = []
    for name in names:
        address = on_postgres.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.core.jobs.engine_process", address, str(tmp_path / "steps.txt")]
        processes.append(subprocess.Popen([*command, name, "", f"job-{name}"], cwd=ROOT, stdout=subprocess.DEVNULL))
    assert [process.wait(40) for process in processes] == [0] * 4
    expected = {(step, f"job-{name}:0:1", name) for step in ("render", "keep", "deliver") for name in names}
    assert {(step, piece, executor) for step, piece, _, executor, _ in noted(tmp_path)} == expected


@pytest.mark.parametrize("at", ["render", "deliver"])
async def test_a_job_outlives_a_database_that_crashes_during_a_step(
    postgres: LocalPostgres, on_postgres: sa.URL, at: str
) -> None:
    steps = Remembering(held={at: asyncio.Event()})
    async with opened(on_postgres, steps) as engine:
        await engine.start(SEVEN)
        await steps.until(lambda: steps.names()[-1:] == [at])
        await asyncio.to_thread(postgres.stop_hard)
        steps.held[at].set()
        await asyncio.to_thread(postgres.start)
        await until_status(on_postgres, SEVEN.id, "SUCCESS")
        await engine.start(Piece("8", 0, 1))
        await until_status(on_postgres, "8:0:1", "SUCCESS")
    assert steps.names() == ["render", "keep", "deliver"] * 2


@pytest.mark.parametrize("step", ["migrate", "launch"])
async def test_a_database_that_goes_away_while_the_engine_opens_is_waited_for(
    postgres: LocalPostgres,
    on_postgres: sa.URL,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    step: str,
) -> None:
    steps = Remembering()
    really = getattr(DBOS, step)
    stops = [True]

    def stopping(*arguments: Any) -> Any:
        if stops:
            stops.pop()
            postgres.stop_hard()
            Timer(0.5, postgres.start).start()
        return really(*arguments)

    monkeypatch.setattr(DBOS, step, stopping)
    async with opened(on_postgres, steps) as engine:
        await engine.start(SEVEN)
        await until_status(on_postgres, SEVEN.id, "SUCCESS")
    assert steps.names() == ["render", "keep", "deliver"]
    assert "Traceback" not in caplog.text + capfd.readouterr().err


async def test_what_the_engine_says_goes_through_our_log(
    on_sqlite: sa.URL, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened(on_sqlite, Remembering()):
        logging.getLogger("dbos").error("the password is hunter2")
    assert caplog.messages == ["the password is hunter2"]
    assert capfd.readouterr().err == ""


async def test_what_is_started_while_the_database_is_away_runs_when_it_is_back(
    postgres: LocalPostgres, on_postgres: sa.URL
) -> None:
    steps = Remembering()
    async with opened(on_postgres, steps) as engine:
        await asyncio.to_thread(postgres.stop_hard)
        starting = asyncio.create_task(engine.start(SEVEN))
        await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(WAIT):
            await starting
        await until_status(on_postgres, SEVEN.id, "SUCCESS")
    assert steps.names() == ["render", "keep", "deliver"]


async def test_what_another_executor_left_is_begun_anew(on_postgres: sa.URL) -> None:
    left = Remembering(held={"keep": asyncio.Event()})
    async with opened(on_postgres, left, "a") as engine:
        await engine.start(SEVEN)
        await left.until(lambda: len(left.calls) == 2)
    steps = Remembering()
    async with opened(on_postgres, steps, "b") as engine:
        await engine.resume(SEVEN)
        await steps.until(lambda: len(steps.calls) == 3)
    assert steps.names() == ["render", "keep", "deliver"]


async def test_what_was_run_again_once_and_goes_on_is_left_alone(on_sqlite: sa.URL) -> None:
    steps = Remembering(answers={"render": STOP})
    async with opened(on_sqlite, steps) as engine:
        await engine.start(SEVEN)
        await until_status(on_sqlite, SEVEN.id, "SUCCESS")
        steps.held["render"] = asyncio.Event()
        await engine.resume(SEVEN)
        await steps.until(lambda: len(steps.calls) == 2)
        await engine.resume(SEVEN)
        assert read(on_sqlite, "SELECT COUNT(*) FROM workflow_status") == [(2,)]


async def test_what_is_finished_is_forgotten_and_what_goes_on_is_not(
    each: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbos_engine, "FORGET_AFTER", timedelta(seconds=-1))
    monkeypatch.setattr(dbos_engine, "ABANDONED_AFTER", timedelta(seconds=-1))
    left = Remembering(held={"render": asyncio.Event()})
    async with opened(each, left, "dead") as engine:
        await engine.start(Piece("6", 0, 1))
        await left.until(lambda: len(left.calls) == 1)
    steps = Remembering()
    async with opened(each, steps) as engine:
        await engine.start(SEVEN)
        await until_status(each, SEVEN.id, "SUCCESS")
        steps.held["render"] = asyncio.Event()
        await engine.start(Piece("8", 0, 1))
        await steps.until(lambda: len(steps.calls) == 4)
        await asyncio.gather(*(engine._forget_finished() for _ in range(3)))
        assert read(each, "SELECT workflow_uuid FROM workflow_status ORDER BY 1") == [("6:0:1",), ("8:0:1",)]
        await engine._forget_abandoned()
        assert read(each, "SELECT workflow_uuid FROM workflow_status") == [("8:0:1",)]
        assert read(each, "SELECT DISTINCT workflow_uuid FROM operation_outputs") == []


async def test_an_engine_takes_few_connections(on_postgres: sa.URL) -> None:
    steps = Remembering()
    async with opened(on_postgres, steps) as engine:
        await asyncio.gather(*(engine.start(Piece(str(number), 0, 1)) for number in range(30)))
        await steps.until(lambda: steps.names().count("deliver") == 30)
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ((count,),) = await asyncio.to_thread(read, on_postgres, held)
    assert count <= dbos_engine.CONNECTIONS
