"""Tests that read our own code: which way imports point, how long things get, and that importing does nothing."""

import ast
import functools
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("bot.py", "core", "cogs", "playground", "benchmarks")
LONGEST_FUNCTION = 50
LONGEST_FILE = 300
PRINTING = ("benchmarks/", "playground/demo")
"""What talks to a terminal."""


def modules(*parts: str) -> list[Path]:
    found = [path for part in parts for path in [ROOT / part, *(ROOT / part).rglob("*.py")] if path.suffix == ".py"]
    return sorted(path for path in found if path.is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


OWN = modules(*PARTS)
EVERY = modules(*PARTS, "tests")


@functools.cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Every module that is imported, wherever in the file, under its full name."""
    found: set[str] = set()
    for node in ast.walk(read(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def importers(parts: tuple[str, ...], *packages: str) -> set[str]:
    """The modules of `parts` that import one of `packages` or something below."""
    return {
        name_of(path)
        for path in modules(*parts)
        if any(found == package or found.startswith(f"{package}.") for found in imports(path) for package in packages)
    }


def test_there_is_code_to_read() -> None:
    assert len(OWN) > 60
    assert {"bot.py", "core/studio.py", "cogs/draw.py"} <= {name_of(path) for path in OWN}


def test_core_knows_nothing_of_discord_or_of_what_is_built_on_it() -> None:
    assert importers(("core",), "discord", "cogs", "playground", "bot", "tests", "benchmarks") == set()


def test_cogs_know_nothing_of_the_playground_or_the_bot() -> None:
    assert importers(("cogs",), "playground", "bot", "tests", "benchmarks") == set()


def test_the_playground_knows_only_wire_formats() -> None:
    assert importers(("playground",), "core", "cogs", "bot", "discord", "tests", "benchmarks") == set()


def test_the_bot_needs_no_test_and_no_benchmark() -> None:
    assert importers(("bot.py",), "tests", "benchmarks") == set()


def test_one_module_knows_dbos() -> None:
    assert importers(PARTS, "dbos") == {"core/jobs/dbos_engine.py"}


def test_the_engine_is_imported_late_since_that_takes_a_second() -> None:
    assert importers(("bot.py", "core", "cogs"), "core.jobs.dbos_engine") == set()


def test_one_module_asks_the_webui_over_http_and_one_fetches_images() -> None:
    """Others pass a session on; it is made, and requests are sent, in these two places."""
    sends = re.compile(r"aiohttp\.(ClientSession|request)|(self\._|\b)session\.(request|get|post|put|ws_connect)")
    senders = {
        name_of(path)
        for path in modules("core")
        for node in ast.walk(read(path))
        if isinstance(node, ast.Call) and sends.fullmatch(ast.unparse(node.func))
    }
    assert senders == {"core/webui/client.py", "core/fetch.py"}


def test_the_database_is_known_where_rows_are_kept() -> None:
    """Queries are in core.store and in the rows of jobs; others name its errors or its URL, or ask if it is there."""
    queries = re.compile(r"\bsa\.(select|insert|update|delete|text)\((?!\"SELECT 1\")")
    found = {name_of(path) for path in modules("bot.py", "core", "cogs") if queries.search(path.read_text("utf-8"))}
    assert {name for name in found if not name.startswith("core/store/")} == {
        "core/jobs/gallery.py",
        "core/jobs/gallery_names.py",
        "core/jobs/gallery_search.py",
        "core/jobs/parts.py",
        "core/jobs/rows.py",
        "core/jobs/statements.py",
    }


def test_the_scheduler_has_no_clock_and_does_no_io() -> None:
    """It may import what computes: nothing that tells the time, waits, draws lots, or reaches outside."""
    folder = ("core/scheduling",)
    for name in (
        "time",
        "datetime",
        "asyncio",
        "random",
        "secrets",
        "os",
        "pathlib",
        "logging",
        "sqlalchemy",
        "aiohttp",
    ):
        assert importers(folder, name) == set(), name


def test_pixels_are_decoded_in_core_images_alone() -> None:
    assert {name.rpartition("/")[0] for name in importers(("bot.py", "core", "cogs"), "PIL")} == {"core/images"}


def test_a_module_says_first_what_it_knows() -> None:
    assert [name_of(path) for path in EVERY if not (ast.get_docstring(read(path)) or "").strip()] == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in OWN}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_read() -> None:
    lengths = {
        f"{name_of(path)} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in OWN
        for node in ast.walk(read(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_nothing_is_printed() -> None:
    quiet = [path for path in OWN if not name_of(path).startswith(PRINTING)]
    assert [
        f"{name_of(path)}:{node.lineno}"
        for path in quiet
        for node in ast.walk(read(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ] == []


def comments() -> Iterator[tuple[str, str]]:
    """Every comment with its place."""
    for path in EVERY:
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT:
                    yield f"{name_of(path)}:{token.start[0]}", token.string


def test_nothing_is_left_to_be_done() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [place for place, comment in comments() if unfinished.search(comment)] == []


EXCEPTION = re.compile(r"(noqa|type: ignore)(?P<codes>:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w,-]+\])?")


def test_every_exception_to_a_rule_names_it_and_has_its_reason() -> None:
    """`# noqa: CODE  # why`, `# type: ignore[code]  # why`: what stands behind the codes is the reason."""
    assert [
        f"{place} {comment}"
        for place, comment in comments()
        for found in EXCEPTION.finditer(comment)
        if not found["codes"] or len(comment[found.end() :].lstrip(" #-–")) <= 3
    ] == []


def test_errors_are_caught_by_name() -> None:
    """`except Exception` is a boundary, and says so; a bare `except` is nowhere."""
    problems = []
    for path in OWN:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(read(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            kind = "" if node.type is None else ast.unparse(node.type)
            if kind in ("", "Exception", "BaseException") and "boundary" not in lines[node.lineno - 1]:
                problems.append(f"{name_of(path)}:{node.lineno}")
    assert problems == []


IMPORTING = """
import asyncio, builtins, importlib, io, logging, os, socket, sys, threading

names = sys.argv[1:]
for heavy in ("discord.ext.commands", "dbos", "aiohttp.web", "sqlalchemy.ext.asyncio", "alembic.command", "structlog",
              "PIL.Image", "pydantic_settings", "prometheus_client", "stamina", "filelock", "rapidfuzz"):
    importlib.import_module(heavy)

done = []
def hook(event, arguments):
    if event == "open" and arguments[1] is not None and set(str(arguments[1])) & set("wax+"):
        if not str(arguments[0]).endswith((".pyc", ".pyo")) and "__pycache__" not in str(arguments[0]):
            done.append((event, str(arguments[0])))
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "sqlite3.connect",
                 "os.mkdir", "os.putenv"):
        if "__pycache__" not in str(arguments):
            done.append((event, str(arguments)))
sys.addaudithook(hook)

threads, handlers, tasks = threading.active_count(), list(logging.getLogger().handlers), asyncio._get_running_loop()
for name in names:
    importlib.import_module(name)
assert done == [], done
assert threading.active_count() == threads, threading.enumerate()
assert logging.getLogger().handlers == handlers
assert asyncio._get_running_loop() is tasks is None
"""


@pytest.mark.parametrize("parts", [("bot.py", "core", "cogs"), ("playground",)], ids=["bot", "playground"])
def test_importing_opens_no_file_no_socket_and_no_thread(parts: tuple[str, ...]) -> None:
    paths = [path for path in modules(*parts) if "migrations" not in path.parts]
    names = [name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths]
    names = [name for name in names if not name.endswith("__main__")]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, *names], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
