"""The database and its migrations, on real SQLite files and a real PostgreSQL."""

import asyncio
import sqlite3
import subprocess
import sys
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.errors import ConfigurationError
from core.store import database
from core.store.database import MIGRATIONS, database_url, migrate, open_database
from core.store.facts import Facts
from core.store.schema import facts, metadata
from tests.postgres import LocalPostgres

ROOT = Path(__file__).parents[3]


WORDS = "gallery_words"


@pytest.fixture
def url(tmp_path: Path) -> sa.URL:
    return database_url(None, tmp_path)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def each_url(request: pytest.FixtureRequest) -> sa.URL:
    """A new database of either kind."""
    found: sa.URL = request.getfixturevalue("url" if request.param == "SQLite" else "server_url")
    return found


def plain_engine(url: sa.URL) -> sa.Engine:
    return sa.create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)


def run_alembic(url: sa.URL, action: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = plain_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        action(config, revision)
    engine.dispose()


def tables(url: sa.URL) -> set[str]:
    engine = plain_engine(url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def is_ours(name: str | None, _kind: str, _parents: Any) -> bool:
    """Whether the tables of the code say something of it: each database has its own index of words."""
    return not (name or "").startswith((WORDS, f"ix_{WORDS}"))


def differences(url: sa.URL) -> list[Any]:
    engine = plain_engine(url)
    with engine.connect() as connection:
        opts: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_name": is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        found = list(compare_metadata(context, metadata))
    engine.dispose()
    return found


def test_migrations_make_the_tables_that_the_code_expects(each_url: sa.URL) -> None:
    migrate(each_url)
    assert differences(each_url) == []
    assert {name for name in tables(each_url) if not name.startswith(WORDS)} == {*metadata.tables, "alembic_version"}


def test_migrating_twice_changes_nothing(each_url: sa.URL) -> None:
    migrate(each_url)
    engine = plain_engine(each_url)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO facts VALUES ('a', 'b')"))
    migrate(each_url)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT value FROM facts")) == "b"
        assert connection.scalar(sa.text("SELECT COUNT(*) FROM alembic_version")) == 1
    engine.dispose()
    assert differences(each_url) == []


def test_migrations_go_down_and_up_again(each_url: sa.URL) -> None:
    migrate(each_url)
    run_alembic(each_url, command.downgrade, "base")
    assert tables(each_url) == {"alembic_version"}
    migrate(each_url)
    assert differences(each_url) == []


def test_each_migration_follows_one_other_and_there_is_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert len(script.get_heads()) == 1
    for revision in script.walk_revisions():
        assert revision.doc
        assert Path(revision.path).name.startswith(f"{revision.revision}_")


def test_processes_that_start_at_once_make_the_tables_once(server_url: sa.URL) -> None:
    program = (
        "import sys, sqlalchemy; from core.store.database import migrate; migrate(sqlalchemy.make_url(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, server_url.render_as_string(hide_password=False)]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    ends = [(process.communicate(timeout=30)[1], process.returncode) for process in processes]
    assert ends == [("", 0)] * 5
    assert differences(server_url) == []


async def test_threads_that_start_at_once_make_the_tables_once(server_url: sa.URL) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, server_url) for _ in range(8)))
    assert differences(server_url) == []


def test_a_migration_that_fails_leaves_nothing_half_done(url: sa.URL) -> None:
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("CREATE TABLE facts (other TEXT)")  # in the way of the first migration's second table
    with pytest.raises(sa.exc.OperationalError, match="already exists"):
        migrate(url)
    assert tables(url) <= {"facts", "alembic_version"}


async def test_an_opened_database_survives_power_cuts_and_waits_for_locks(url: sa.URL) -> None:
    async with open_database(url) as engine, engine.connect() as connection:
        pragmas = [
            (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 10000, 1]


async def refusal(url: sa.URL) -> str:
    with pytest.raises(ConfigurationError) as refused:
        async with open_database(url):
            pass
    (sentence,) = refused.value.problems
    return sentence


async def test_a_database_in_no_folder_is_said(tmp_path: Path) -> None:
    sentence = await refusal(database_url(None, tmp_path / "nowhere"))
    assert sentence == (
        f"The database can't be opened: {tmp_path}/nowhere/easel.db: the folder is missing, or may not be read and "
        "written."
    )


async def test_a_server_out_of_reach_is_said_without_its_password(tmp_path: Path) -> None:
    sentence = await refusal(database_url("postgresql://easel:s3cret@127.0.0.1:1/easel", tmp_path))
    assert sentence == (
        "The database can't be opened: the server of DATABASE_URL can't be reached, or refuses the login or the "
        "database's name."
    )


async def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "easel.db").write_bytes(b"no database " * 100)
    sentence = await refusal(database_url(None, tmp_path))
    assert sentence == f"The database can't be opened: {tmp_path}/easel.db is not a database or is damaged."


def damage(file: Path) -> None:
    page = 4096
    file.write_bytes(file.read_bytes()[:page] + b"\xff" * page)


async def test_a_database_with_a_page_of_rubbish_is_said_to_be_damaged(url: sa.URL) -> None:
    async with open_database(url):
        pass
    damage(Path(str(url.database)))
    assert await refusal(url) == f"The database can't be opened: {url.database} is not a database or is damaged."


async def test_a_database_that_another_program_holds_is_said(url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    async with open_database(url):
        pass
    with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        sentence = await refusal(url)
    assert sentence == f"The database can't be opened: {url.database} is used by another program."


async def test_no_error_tells_what_was_to_be_written(each_url: sa.URL) -> None:
    row = {"name": "secret" * 2, "value": None}  # put together, since tracebacks quote this file too
    async with open_database(each_url) as engine:
        with pytest.raises(sa.exc.IntegrityError) as refused:
            async with engine.begin() as connection:
                await connection.execute(sa.insert(facts), row)
    assert "secretsecret" not in "".join(traceback.format_exception(refused.value))
    assert "facts" in str(refused.value)


async def test_a_restarted_server_is_noticed_before_a_query_is(postgres: LocalPostgres, server_url: sa.URL) -> None:
    async def ask() -> int:
        async with engine.connect() as connection:
            return int(await connection.scalar(sa.text("SELECT 7")))

    async with open_database(server_url) as engine:
        assert await asyncio.gather(*(ask() for _ in range(20))) == [7] * 20
        await asyncio.to_thread(postgres.stop_hard)
        await asyncio.to_thread(postgres.start)
        assert await asyncio.gather(*(ask() for _ in range(20))) == [7] * 20


async def test_a_process_holds_few_connections(server_url: sa.URL) -> None:
    held = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")

    async def ask() -> int:
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT pg_sleep(0.02)"))
            return int(await connection.scalar(held))

    async with open_database(server_url) as engine:
        assert max(await asyncio.gather(*(ask() for _ in range(40)))) == database.POOL_SIZE


async def test_the_server_is_reached_over_its_socket_too(postgres: LocalPostgres, tmp_path: Path) -> None:
    name = postgres.create_database()
    async with open_database(database_url(postgres.url(name, over_socket=True), tmp_path)) as engine:
        kept = Facts(engine)
        await kept.keep("a", "b")
        assert await kept.fetch("a") == "b"
    postgres.drop_database(name)


def test_what_the_operators_url_says_is_left_to_them(tmp_path: Path) -> None:
    url = database_url("postgresql://easel@db/easel?connect_timeout=60", tmp_path)
    assert set(database.SOON_NOTICED) - set(database.unless_said(url)) == {"connect_timeout"}


@pytest.mark.parametrize(
    ("configured", "driver"),
    [
        (None, "sqlite+aiosqlite"),
        ("sqlite:////var/easel.db", "sqlite+aiosqlite"),
        ("postgresql://easel@db/easel", "postgresql+psycopg"),
        ("postgres://easel@db/easel", "postgresql+psycopg"),
    ],
)
def test_the_driver_is_ours_whatever_the_url_says(configured: str | None, driver: str, tmp_path: Path) -> None:
    assert database_url(configured, tmp_path).drivername == driver


def test_the_file_is_in_the_data_directory(tmp_path: Path) -> None:
    assert database_url(None, tmp_path).database == str(tmp_path / "easel.db")


async def test_a_fact_is_kept_and_overwritten(each_url: sa.URL) -> None:
    async with open_database(each_url) as engine:
        kept = Facts(engine)
        assert await kept.fetch("commands:1") is None
        await kept.keep("commands:1", "abc")
        await kept.keep("commands:1", "def")
        await kept.keep("commands:2", "ghi")
    async with open_database(each_url) as engine:
        kept = Facts(engine)
        assert [await kept.fetch(f"commands:{number}") for number in (1, 2)] == ["def", "ghi"]
