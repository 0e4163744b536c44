"""Logs for people or for machines, through the standard library's handlers; secrets are struck out on the way."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal
from urllib.parse import quote

import stamina.instrumentation
import structlog

log = logging.getLogger(__name__)

SECRET_PATHS = re.compile(r"(/(?:webhooks|interactions)/\d+)/[^/\s?\"']+")
"""The token of an interaction is a secret, and Discord has it in the path."""
HIDDEN = "•••"
QUIET = ("discord", "aiohttp", "alembic", "dbos", "asyncio", "stamina", "sqlalchemy", "aiosqlite")
"""Libraries that say more at DEBUG than anybody wants in a log, some of it secret."""


def log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    """stamina's own hooks would go round these handlers, and write down arguments."""
    cause = details.caused_by
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else ""
    log.warning(
        "trying again in %.1f s",
        details.wait_for,
        extra={"error": type(cause).__name__, "reason": reason, "retry": details.retry_num},
    )


def configure_logs(level: str, style: Literal["console", "json"], secrets: Iterable[str]) -> None:
    """Send everything to standard error, in `style`; whatever of `secrets` comes along is struck out."""
    hidden = _spellings(secret for secret in secrets if len(secret) > 3)

    def hide(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _strike(value, hidden) for key, value in event.items()}

    render: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if style == "console":
        render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, hide, render],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    stamina.instrumentation.set_on_retry_hooks([log_retry])


def _spellings(secrets: Iterable[str]) -> list[str]:
    """The secrets as they are, as they stand in a URL and as they stand in a repr; the longest first."""
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
    return sorted(forms, key=len, reverse=True)


def _strike(value: Any, hidden: Iterable[str]) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _strike(part, hidden) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_strike(part, hidden) for part in value]
    text = value if isinstance(value, str) else repr(value)
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return SECRET_PATHS.sub(rf"\1/{HIDDEN}", text)
