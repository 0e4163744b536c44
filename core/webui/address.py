"""Where a webui is and how to log in there. It opens no connection, and never shows a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

import aiohttp
from yarl import URL

from core.errors import ConfigurationError

_SCHEMES = ("http", "https")
_EXAMPLE = "http://127.0.0.1:7860"
_LATE_AT = re.compile(r"[/?#\\].*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Login:
    """HTTP Basic credentials, masked wherever the object is shown."""

    user: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of `Authorization`, in UTF-8 as RFC 7617 lets a client choose."""
        return aiohttp.encode_basic_auth(self.user, self.password)

    def __repr__(self) -> str:
        return "Login(***)"


@dataclass(frozen=True, slots=True)
class WebuiAddress:
    """One webui: `url` has no credentials and no trailing slash; `name` is all that people ever see of it.

    `worker` is the id of the process that reaches it there, where several do: each has its own 127.0.0.1.
    """

    url: str
    login: Login | None
    name: str
    worker: str = ""

    @property
    def key(self) -> str:
        """The webui's stable identity: it survives a changed password and another order of the list."""
        return f"{self.worker} {self.url}" if self.worker else self.url

    def of_worker(self, worker: str, name: str) -> WebuiAddress:
        """The same, as one of several workers' webuis; `name` is the worker's."""
        return replace(self, worker=worker, name=f"{name} · {self.name}")


def parse_addresses(text: str) -> tuple[WebuiAddress, ...]:
    """Read a comma-separated list of URLs, credentials percent-encoded inside (`http://user:p%2Cw@host:7860/base`).

    Raises ConfigurationError with one sentence for each mistake.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ConfigurationError(f"No webui URL is given: write for example {_EXAMPLE}.")
    addresses: list[WebuiAddress] = []
    problems: list[str] = []
    for number, part in enumerate(parts, start=1):
        try:
            address = _parse(part, name=f"webui {number}")
        except ConfigurationError as error:
            problems += error.problems
            continue
        if any(known.key == address.key for known in addresses):
            problems.append(f"{address.url} is given twice.")
        addresses.append(address)
    if problems:
        raise ConfigurationError(*problems)
    return tuple(addresses)


def _parse(part: str, *, name: str) -> WebuiAddress:
    # Whatever stands before the last @ may be a password: only the rest is ever repeated in a sentence.
    shown = part.rpartition("@")[2].partition("?")[0].partition("#")[0]
    scheme, separator, rest = part.partition("://")
    if not separator:
        raise ConfigurationError(f"{shown} has no scheme: write http://{shown}.")
    if scheme.lower() not in _SCHEMES:
        raise ConfigurationError(f"{name} has the scheme {scheme!r}, which no webui speaks: use http or https.")
    if _LATE_AT.search(rest):
        # In "http://ann:12/34@host" the host would be ann, and the rest of the password a path.
        raise ConfigurationError(
            f"{name} has an @ after a /, ? or #: in a user or password write them as %40, %2F, %3F and %23."
        )
    try:
        url = URL(f"{scheme.lower()}://{rest}")
        host, port = url.host, url.explicit_port
    except ValueError:
        # No part of the URL is repeated: in "http://user:se,cret@host" the "port" is half a password.
        raise ConfigurationError(f"{name} has a URL with a bad host or port: write it like {_EXAMPLE}.") from None
    if not host or any(character.isspace() for character in host):
        raise ConfigurationError(f"{name} has a URL without a host: write it like {_EXAMPLE}.")
    if port == 0:
        raise ConfigurationError(f"{name} has the port 0: a port is a number from 1 to 65535.")
    if url.raw_query_string or url.raw_fragment:
        raise ConfigurationError(f"{name} has a URL with ? or #: give only the address, like {_EXAMPLE}.")
    plain = str(url.with_user(None)).rstrip("/")
    return WebuiAddress(url=plain, login=_login(url), name=name)


def _login(url: URL) -> Login | None:
    if url.raw_user is None and url.raw_password is None:
        return None
    return Login(user=unquote(url.raw_user or ""), password=unquote(url.raw_password or ""))
