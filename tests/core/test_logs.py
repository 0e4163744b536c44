"""Logs: in both styles no secret gets through, wherever it stands in a record."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import quote

import pytest
import stamina
import stamina.instrumentation

from core.logs import HIDDEN, QUIET, configure_logs

TOKEN = "MTA.fake.token-for-tests"
PASSWORD = 'pass"w\\ord'
PATH = "https://discord.example/api/v10/webhooks/123/aW50ZXJhY3Rpb246/messages/@original?wait=true"

Style = Literal["console", "json"]
both_styles = pytest.mark.parametrize("style", ["console", "json"])


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    hooks = stamina.instrumentation.get_on_retry_hooks()
    yield
    stamina.instrumentation.set_on_retry_hooks(hooks)
    root.handlers = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().err


def fail() -> None:
    raise ValueError(f"the token is {TOKEN}")


@both_styles
def test_a_secret_is_struck_out_wherever_it_stands(written: Callable[[], str], style: Style) -> None:
    configure_logs("INFO", style, [TOKEN, PASSWORD])
    log = logging.getLogger("easel.test")
    log.info("in the text: %s", TOKEN)
    log.info("in an extra", extra={"login": PASSWORD, "nested": {"list": [TOKEN, PASSWORD]}})
    log.info("in an error", extra={"error": ValueError(TOKEN, PASSWORD)})
    log.info("in a URL: http://ann:%s@gpu", quote(PASSWORD, safe=""))
    try:
        fail()
    except ValueError:
        log.exception("in a traceback")
    lines = written()
    for secret in (TOKEN, PASSWORD, json.dumps(PASSWORD)[1:-1], repr(PASSWORD)[1:-1], quote(PASSWORD)):
        assert secret not in lines
    assert lines.count(HIDDEN) >= 8


@both_styles
def test_the_token_of_an_interaction_is_struck_out_of_paths(written: Callable[[], str], style: Style) -> None:
    configure_logs("INFO", style, [])
    log = logging.getLogger("easel.test")
    log.info("PATCH %s", PATH)
    log.info("a request", extra={"url": PATH.replace("webhooks", "interactions")})
    lines = written()
    assert "aW50ZXJhY3Rpb246" not in lines
    assert lines.count(f"/123/{HIDDEN}/messages/@original?wait=true") == 2


def test_json_logs_are_one_object_a_line_with_time_level_name_and_extras(written: Callable[[], str]) -> None:
    configure_logs("INFO", "json", [TOKEN])
    logging.getLogger("easel.test").warning("a fox: %s", "🦊", extra={"job": "7", "token": TOKEN})
    try:
        fail()
    except ValueError:
        logging.getLogger("easel.test").exception("it failed")
    first, second = [json.loads(line) for line in written().splitlines()]
    stamp = first.pop("timestamp")
    assert stamp.endswith("Z")
    assert first == {"event": "a fox: 🦊", "level": "warning", "logger": "easel.test", "job": "7", "token": HIDDEN}
    assert "ValueError" in second["exception"]


def test_console_logs_are_plain_text_where_nobody_looks_at_a_terminal(written: Callable[[], str]) -> None:
    configure_logs("INFO", "console", [])
    logging.getLogger("easel.test").info("online", extra={"shards": 2})
    line = written()
    assert "online" in line
    assert "shards=2" in line
    assert "\x1b" not in line


def test_a_secret_too_short_to_tell_apart_is_not_looked_for(written: Callable[[], str]) -> None:
    configure_logs("INFO", "json", ["", "a", "abc"])
    logging.getLogger("easel.test").info("a banana and abc")
    assert json.loads(written())["event"] == "a banana and abc"


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", logging.WARNING), ("ERROR", logging.ERROR)])
def test_libraries_are_quieter_than_easel(written: Callable[[], str], level: str, expected: int) -> None:
    configure_logs(level, "json", [])
    assert logging.getLogger().level == logging.getLevelName(level)
    assert {logging.getLogger(name).level for name in QUIET} == {expected}
    logging.getLogger("discord.http").debug("a body with much in it")
    assert written() == ""


def test_configuring_twice_writes_every_line_once(written: Callable[[], str]) -> None:
    configure_logs("INFO", "json", [])
    configure_logs("INFO", "json", [])
    logging.getLogger("easel.test").info("once")
    lines: list[Any] = written().splitlines()
    assert len(lines) == 1


def test_a_second_try_is_logged_without_arguments_and_words_of_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json", [])
    tries: list[str] = []

    @stamina.retry(on=ValueError, attempts=2, wait_initial=0, wait_jitter=0)
    def try_with(argument: str) -> None:
        tries.append(argument)
        if len(tries) == 1:
            raise ValueError(f"parameters: {argument}")

    try_with(TOKEN)
    written = capsys.readouterr()
    assert json.loads(written.err)["error"] == "ValueError"
    assert TOKEN not in written.err + written.out
