"""The only module that fetches over HTTP what people point at: files of Discord's, and, if allowed, other addresses.

It reads bytes and knows no picture. It raises UserError alone; the log gets no query string, since Discord's links are
signed, and of an address that somebody typed nothing but its origin.

Two ways, two sessions. Files of Discord's, and its copies of what embeds show, come from fixed sets of origins. A typed
address leads anywhere, so that its host is resolved once, every address found is checked, and the connection is made to
one of these; the socket itself is the last to check, since aiohttp asks no resolver about a literal address. No way
follows a redirect.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from core.errors import UserError
from core.public import is_public

log = logging.getLogger(__name__)

DISCORD_ORIGINS = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})
"""Where Discord keeps what people attach."""
PROXY_ORIGINS = frozenset({"https://media.discordapp.net", *(f"https://images-ext-{n}.discordapp.net" for n in (1, 2))})
"""Where Discord hands out its own copies of what embeds show: nothing else is asked for those."""

_MEGABYTE = 1 << 20
_URL_LENGTH = 2000
_CONNECT = 10.0
_LOOKUPS = 4  # threads; a name server that is silent holds one for half a minute, and must not hold the process's own
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Easel (Discord bot)"}
_NETWORK_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)  # TimeoutError is an OSError

AddressInfo = aiohttp.AddrInfoType
Lookup = Callable[[str, int], Iterable[AddressInfo]]
MakeSocket = Callable[[AddressInfo], socket.socket]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Of one file: its bytes, and the seconds it may take; `at_once` files are read at a time, the others wait."""

    megabytes: int = 25
    seconds: float = 60.0
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class _Sentences:
    away: str
    gone: str
    moved: str


_OF_DISCORD = _Sentences(
    away="Discord's copy of this image can't be read at the moment. Try again in a minute.",
    gone="Discord no longer has this image. Attach it again.",
    moved="Discord's copy of this image can't be read at the moment. Try again in a minute.",
)
# One sentence for whatever fails before there is an answer: it must not tell which private hosts exist.
_CANT_BE_FETCHED = "The image at this address can't be fetched. Attach the file instead."
_OF_URLS = _Sentences(
    away=_CANT_BE_FETCHED,
    gone=_CANT_BE_FETCHED,
    moved="This address only leads on to another one. Give the address of the image itself, or attach the file.",
)


class ImageFetcher:
    """Reads files within limits. Without a session for `urls`, typed addresses are refused."""

    def __init__(
        self,
        attachments: aiohttp.ClientSession,
        urls: aiohttp.ClientSession | None,
        limits: FetchLimits,
        origins: Iterable[str] = DISCORD_ORIGINS,
        proxies: Iterable[str] = PROXY_ORIGINS,
    ) -> None:
        self._limits = limits
        self._origins = frozenset(str(URL(origin).origin()) for origin in origins)
        self._proxies = frozenset(str(URL(origin).origin()) for origin in proxies)
        self._attachments = _Reader(attachments, limits, _OF_DISCORD)
        self._urls = None if urls is None else _Reader(urls, limits, _OF_URLS)

    @property
    def takes_urls(self) -> bool:
        """Whether typed addresses are fetched at all."""
        return self._urls is not None

    async def fetch_attachment(self, url: str, size: int) -> bytes:
        """The file that Discord says is at `url` and has `size` bytes."""
        parsed = _parse(url)
        if str(parsed.origin()) not in self._origins:
            log.warning("an attachment is not at Discord", extra={"origin": str(parsed.origin())})
            raise UserError("This is not a file of Discord's. Attach the image to your command.")
        if size > self._limits.megabytes * _MEGABYTE:
            raise _too_large(self._limits)
        return await self._attachments.read(parsed, shown=str(parsed.with_query(None).with_fragment(None)))

    async def fetch_embedded(self, url: str) -> bytes:
        """Discord's own copy of what an embed shows; its address has that of the page in it, which no log gets."""
        parsed = _parse(url, exactly=True)
        if str(parsed.origin()) not in self._proxies:
            log.warning("an embed's image is not at Discord", extra={"origin": str(parsed.origin())})
            raise UserError("Discord has no copy of this image. Save it, and attach it to a command.")
        return await self._attachments.read(parsed, shown=str(parsed.origin()))

    async def fetch_url(self, url: str) -> bytes:
        """The file at an address that a person typed."""
        if self._urls is None:
            raise UserError("Addresses of images aren't taken here. Attach the file instead.")
        parsed = _parse(url.strip().removeprefix("<").removesuffix(">"))  # people keep Discord from showing a link so
        if not parsed.is_default_port():
            raise UserError("Only addresses without a port are taken. Attach the file instead.")
        return await self._urls.read(parsed, shown=str(parsed.origin()))


@contextlib.asynccontextmanager
async def open_fetcher(
    limits: FetchLimits,
    *,
    allow_urls: bool,
    origins: Iterable[str] = DISCORD_ORIGINS,
    proxies: Iterable[str] = PROXY_ORIGINS,
    lookup: Lookup | None = None,
    make_socket: MakeSocket | None = None,
) -> AsyncIterator[ImageFetcher]:
    """A fetcher with its sessions. `lookup` and `make_socket` stand in for the system's, for typed addresses alone."""
    async with contextlib.AsyncExitStack() as stack:
        attachments = await stack.enter_async_context(_open_session(aiohttp.TCPConnector(), limits))
        urls = None
        if allow_urls:
            connector = aiohttp.TCPConnector(
                resolver=_CheckedResolver(lookup or _look_up),
                socket_factory=_checked(make_socket or _make_socket),
                use_dns_cache=False,
                force_close=True,
            )
            urls = await stack.enter_async_context(_open_session(connector, limits))
        yield ImageFetcher(attachments, urls, limits, origins, proxies)


def _open_session(connector: aiohttp.TCPConnector, limits: FetchLimits) -> aiohttp.ClientSession:
    """No proxy, netrc or cookies; nothing is unpacked, so that the bytes counted are all there are."""
    return aiohttp.ClientSession(
        connector=connector,
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=limits.seconds, connect=min(_CONNECT, limits.seconds)),
        trust_env=False,
        auto_decompress=False,
    )


class _Reader:
    """One session, with its own places: whoever points at slow servers keeps nobody's attachment waiting."""

    def __init__(self, session: aiohttp.ClientSession, limits: FetchLimits, sentences: _Sentences) -> None:
        self._session = session
        self._limits = limits
        self._sentences = sentences
        self._places = asyncio.Semaphore(limits.at_once)

    async def read(self, url: URL, *, shown: str) -> bytes:
        """All bytes at `url`; in the log it is called `shown`."""
        async with self._places:
            try:
                async with self._session.get(url, allow_redirects=False) as response:
                    if response.status == 200:
                        return await self._read_body(response)
                    status = response.status
            except TimeoutError as error:
                log.info("an image took too long", extra={"source": shown})
                raise UserError("The image took too long to arrive. Try again, or send a smaller one.") from error
            except _NETWORK_ERRORS as error:
                # The class alone: what the errors say may repeat the whole address.
                log.info("an image could not be fetched", extra={"source": shown, "error": type(error).__name__})
                raise UserError(self._sentences.away) from None
        log.info("an image could not be fetched", extra={"source": shown, "error": f"status {status}"})
        raise UserError(self._explain(status))

    async def _read_body(self, response: aiohttp.ClientResponse) -> bytes:
        most = self._limits.megabytes * _MEGABYTE
        if (response.content_length or 0) > most:
            raise _too_large(self._limits)
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > most:
                raise _too_large(self._limits)
        return bytes(body)

    def _explain(self, status: int) -> str:
        if 300 <= status < 400:
            return self._sentences.moved
        return self._sentences.gone if status in (403, 404, 410) else self._sentences.away


class _Refused(OSError):
    """An address that isn't public."""


class _CheckedResolver(AbstractResolver):
    """Asks once, and refuses a host of which a single address isn't public."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # aiohttp's signature; both families do
    ) -> list[ResolveResult]:
        """The addresses of `host`; OSError where it has none, or one that is not for us."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._lookup, host, port)
        addresses = {str(place[0]): kind for kind, _, _, _, place in found}
        if not addresses or not all(is_public(address) for address in addresses):
            raise _Refused("not an address of the public Internet")
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=numeric)
            for address, kind in addresses.items()
        ]

    async def close(self) -> None:
        """Let the threads go; one that waits for a name server ends when that is over."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _checked(make_socket: MakeSocket) -> MakeSocket:
    """The same for public addresses only; it is called right before the connection, with the address to be used."""

    def make(info: AddressInfo) -> socket.socket:
        if not is_public(str(info[4][0])):
            raise _Refused("not an address of the public Internet")
        return make_socket(info)

    return make


def _look_up(host: str, port: int) -> Iterable[AddressInfo]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _make_socket(info: AddressInfo) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _parse(text: str, *, exactly: bool = False) -> URL:
    """A whole http or https URL without a login; the object that was checked is the one that is asked.

    `exactly`: as it is spelled, since Discord's proxies sign the spelling.
    """
    if exactly and not (text.isascii() and text.isprintable() and " " not in text):
        text = ""
    try:
        url = URL(text, encoded=exactly) if len(text) <= _URL_LENGTH else URL()
        whole = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        whole = False
    if not whole:
        raise UserError("This is not the address of an image. One looks like https://example.com/image.png.")
    if url.raw_user is not None or url.raw_password is not None:
        raise UserError("An address with a name or password in it isn't taken. Attach the file instead.")
    return url


def _too_large(limits: FetchLimits) -> UserError:
    return UserError(f"The image is larger than {limits.megabytes} MB, which is the most that is taken.")
