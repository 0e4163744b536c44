"""Fetching what people point at, from real servers that lie, drip, never end and redirect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.fetch import AddressInfo, FetchLimits, ImageFetcher, open_fetcher
from tests.core.webui.conftest import RawServer, http

MEGABYTE = 1 << 20
BODY = bytes(range(256)) * 40
LIMITS = FetchLimits(megabytes=1, seconds=20.0)
HURRIED = FetchLimits(megabytes=1, seconds=0.3)
PUBLIC = "93.184.215.14"
SECOND_PUBLIC = "1.1.1.1"
SIGNED = "?ex=65f&is=65e&hm=5ec2e7"
BROKEN = "can't be read at the moment"
CANT = "The image at this address can't be fetched. Attach the file instead."


@contextlib.asynccontextmanager
async def serving(server: RawServer) -> AsyncIterator[RawServer]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(server.tasks):
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        await listener.wait_closed()


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with serving(RawServer({"/image.png": http("200 OK", BODY, "image/png")})) as server:
        yield server


@contextlib.asynccontextmanager
async def attachments(server: RawServer, limits: FetchLimits = LIMITS) -> AsyncIterator[ImageFetcher]:
    """A fetcher that takes this server for Discord."""
    async with open_fetcher(limits, allow_urls=False, origins=[server.url]) as fetcher:
        yield fetcher


async def refusal_of(fetcher: ImageFetcher, url: str, size: int = 10) -> str:
    with pytest.raises(UserError) as refused:
        await fetcher.fetch_attachment(url, size)
    return str(refused.value)


async def test_an_attachment_arrives_byte_for_byte(server: RawServer) -> None:
    async with attachments(server) as fetcher:
        assert await fetcher.fetch_attachment(server.url + "/image.png" + SIGNED, len(BODY)) == BODY
    assert server.heads[0].startswith(f"GET /image.png{SIGNED} HTTP/1.1\r\n")
    assert "Accept-Encoding: identity" in server.heads[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/image.png",
        "http://cdn.discordapp.com/attachments/1/2/a.png",
        "https://cdn.discordapp.com:8443/attachments/1/2/a.png",
        "https://cdn.discordapp.com.example.com/a.png",
        "https://cdn.discordapp.com./a.png",
        "https://example.com/https://cdn.discordapp.com/a.png",
        "https://discord.com/a.png",
        "http://127.0.0.1/a.png",
    ],
)
async def test_an_attachment_comes_from_discord_alone(url: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        assert await refusal_of(fetcher, url) == "This is not a file of Discord's. Attach the image to your command."


@contextlib.asynccontextmanager
async def proxied(server: RawServer, limits: FetchLimits = LIMITS) -> AsyncIterator[ImageFetcher]:
    """A fetcher that takes this server for Discord's proxy."""
    async with open_fetcher(limits, allow_urls=False, origins=[], proxies=[server.url]) as fetcher:
        yield fetcher


async def embedded_refusal(fetcher: ImageFetcher, url: str) -> str:
    with pytest.raises(UserError) as refused:
        await fetcher.fetch_embedded(url)
    return str(refused.value)


async def test_what_an_embed_shows_is_asked_for_as_it_is_spelled(server: RawServer) -> None:
    path = "/external/aB_3/%3Fsize%3D2/https/example.com/%7Ea/image.png"
    server.answers[path] = http("200 OK", BODY, "image/png")
    async with proxied(server) as fetcher:
        assert await fetcher.fetch_embedded(server.url + path) == BODY
    assert server.heads[0].startswith(f"GET {path} HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/image.png",
        "https://cdn.discordapp.com/a.png",
        "http://media.discordapp.net/a.png",
        "http://images-ext-1.discordapp.net/a.png",
        "https://images-ext-1.discordapp.net:8443/a.png",
        "https://images-ext-1.discordapp.net.example.com/a.png",
        "https://images-ext-1.discordapp.net./a.png",
        "https://images-ext-1-discordapp.net/a.png",
        "https://images-ext-1.example.discordapp.net/a.png",
        "https://images-ext-9x.discordapp.net/a.png",
        "https://example.com\\@images-ext-1.discordapp.net/a.png",
        "https://example.com#@images-ext-1.discordapp.net/a.png",
        "http://127.0.0.1/a.png",
    ],
)
async def test_what_an_embed_shows_comes_from_discord_s_proxies_alone(url: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        said = await embedded_refusal(fetcher, url)
    assert "Discord has no copy of this image" in said or "name or password" in said or "not the address" in said


@pytest.mark.parametrize(
    "url", ["", "https://images-ext-1.discordapp.net/a b", "https://images-ext-1.discordapp.net/ä"]
)
async def test_an_embed_s_address_that_discord_would_not_write_is_none(url: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        assert "is not the address of an image" in await embedded_refusal(fetcher, url)


async def test_what_an_embed_shows_is_limited_and_leads_nowhere_else(
    server: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["/moved/secret"] = http("302 Found", b"", Location=server.url + "/image.png")
    server.answers["/large"] = http("200 OK", b"x" * (MEGABYTE + 1), "image/png")
    caplog.set_level(logging.INFO)
    async with proxied(server) as fetcher:
        assert BROKEN in await embedded_refusal(fetcher, server.url + "/moved/secret")
        assert "larger than 1 MB" in await embedded_refusal(fetcher, server.url + "/large")
    assert len(server.heads) == 2
    assert "secret" not in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "image.png",
        "//cdn.discordapp.com/a.png",
        "ftp://cdn.discordapp.com/a.png",
        "file:///etc/passwd",
        "https://",
        "https:///a.png",
        "https://cdn.discordapp.com:99999/a.png",
        "https://cdn.discordapp.com/" + "a" * 2000,
    ],
)
async def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        assert "is not the address of an image" in await refusal_of(fetcher, url)


@pytest.mark.parametrize("login", ["ann@", "ann:secret@", ":secret@"])
async def test_an_address_with_a_login_is_refused(server: RawServer, login: str) -> None:
    async with attachments(server) as fetcher:
        assert "name or password" in await refusal_of(fetcher, server.url.replace("://", f"://{login}") + "/image.png")
    assert server.heads == []


async def test_a_redirect_is_not_followed(server: RawServer) -> None:
    server.answers["/moved"] = http("302 Found", b"", Location=server.url + "/image.png")
    async with attachments(server) as fetcher:
        assert BROKEN in await refusal_of(fetcher, server.url + "/moved")
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("404 Not Found", "Discord no longer has this image. Attach it again."),
        ("403 Forbidden", "Discord no longer has this image. Attach it again."),
        ("503 Service Unavailable", BROKEN),
        ("206 Partial Content", BROKEN),
    ],
)
async def test_only_a_whole_file_is_one(server: RawServer, status: str, sentence: str) -> None:
    server.answers["/other"] = http(status, BODY)
    async with attachments(server) as fetcher:
        assert sentence in await refusal_of(fetcher, server.url + "/other")


async def test_a_file_that_discord_says_is_too_large_is_not_asked_for(server: RawServer) -> None:
    async with attachments(server) as fetcher:
        sentence = await refusal_of(fetcher, server.url + "/image.png", MEGABYTE + 1)
    assert sentence == "The image is larger than 1 MB, which is the most that is taken."
    assert server.heads == []


async def test_a_file_of_just_the_limit_is_taken(server: RawServer) -> None:
    server.answers["/full"] = http("200 OK", bytes(MEGABYTE))
    async with attachments(server) as fetcher:
        assert len(await fetcher.fetch_attachment(server.url + "/full", MEGABYTE)) == MEGABYTE


async def test_a_length_above_the_limit_is_believed_at_once(server: RawServer) -> None:
    async def announce(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        await asyncio.Event().wait()

    server.answers["/announced"] = announce
    async with attachments(server) as fetcher:
        assert "larger than 1 MB" in await refusal_of(fetcher, server.url + "/announced")


@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n"], ids=["until closed", "chunked"])
async def test_an_endless_body_is_cut_at_the_limit(server: RawServer, framing: bytes) -> None:
    sent = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        piece = bytes(65_536)
        while True:
            writer.write(b"10000\r\n" + piece + b"\r\n" if framing else piece)
            await writer.drain()
            sent += len(piece)

    server.answers["/endless"] = pour
    async with attachments(server) as fetcher:
        assert "larger than 1 MB" in await refusal_of(fetcher, server.url + "/endless")
    assert sent < 64 * MEGABYTE  # what the kernel's buffers hold, not what a server likes to send


async def test_a_packed_body_is_not_unpacked(server: RawServer) -> None:
    server.answers["/packed"] = http("200 OK", b"\x1f\x8b" + BODY, Content_Encoding="gzip")
    async with attachments(server) as fetcher:
        assert await fetcher.fetch_attachment(server.url + "/packed", 10) == b"\x1f\x8b" + BODY


async def test_a_body_shorter_than_it_claims_is_no_image(server: RawServer) -> None:
    async def lie(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + BODY[:100])
        await writer.drain()

    server.answers["/lie"] = lie
    async with attachments(server) as fetcher:
        assert BROKEN in await refusal_of(fetcher, server.url + "/lie")


async def test_a_body_that_drips_is_given_up_in_time(server: RawServer) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    server.answers["/drip"] = drip
    async with attachments(server, HURRIED) as fetcher, asyncio.timeout(10):
        assert "took too long" in await refusal_of(fetcher, server.url + "/drip")


async def test_what_is_no_http_is_no_image(server: RawServer) -> None:
    server.answers["/noise"] = b"\x00\xffSSH-2.0\r\n\r\n"
    async with attachments(server) as fetcher:
        assert BROKEN in await refusal_of(fetcher, server.url + "/noise")


async def test_a_server_that_is_away_is_said_to_be() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with open_fetcher(LIMITS, allow_urls=False, origins=[origin]) as fetcher:
            assert BROKEN in await refusal_of(fetcher, origin + "/image.png")


async def test_more_files_than_places_wait_for_their_turn(server: RawServer) -> None:
    inside, most = 0, 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.02)  # time for those to come that should not
        inside -= 1
        writer.write(http("200 OK", BODY))
        await writer.drain()

    server.answers["/counted"] = count
    async with attachments(server, FetchLimits(megabytes=1, seconds=20.0, at_once=2)) as fetcher:
        bodies = await asyncio.gather(*(fetcher.fetch_attachment(server.url + "/counted", 10) for _ in range(8)))
    assert bodies == [BODY] * 8
    assert most == 2


@pytest.mark.parametrize("path", ["/other", "/noise", "/lie"])
async def test_no_signature_reaches_the_log(server: RawServer, path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers["/noise"] = b"\x00\xff\r\n\r\n"
    server.answers["/lie"] = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    async with attachments(server) as fetcher:
        sentence = await refusal_of(fetcher, server.url + path + SIGNED)
    records = [record for record in caplog.records if record.name == "core.fetch"]
    assert [record.__dict__["source"] for record in records] == [server.url + path]
    assert "5ec2e7" not in str([record.__dict__ for record in caplog.records]) + sentence


@dataclass
class Internet:
    """Names with their addresses, one list for each time they are asked for; public hosts are this local server."""

    server: RawServer
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def look_up(self, host: str, port: int) -> Iterable[AddressInfo]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    def make_socket(self, info: AddressInfo) -> socket.socket:
        """A socket that ends at the local server, whatever it is told to connect to."""
        internet = self
        self.allowed.append(str(info[4][0]))
        host, _, port = self.server.url.removeprefix("http://").partition(":")

        class Rerouted(socket.socket):
            def connect(self, address: object) -> None:
                internet.connected.append(str(address[0]) if isinstance(address, tuple) else "")
                super().connect((host, int(port)))

        return Rerouted(socket.AF_INET, socket.SOCK_STREAM)


@pytest.fixture
def internet(server: RawServer) -> Internet:
    return Internet(server, {"example.com": [[PUBLIC]]})


@contextlib.asynccontextmanager
async def urls(internet: Internet, limits: FetchLimits = LIMITS) -> AsyncIterator[ImageFetcher]:
    async with open_fetcher(
        limits, allow_urls=True, lookup=internet.look_up, make_socket=internet.make_socket
    ) as fetcher:
        yield fetcher


async def url_refusal_of(fetcher: ImageFetcher, url: str) -> str:
    with pytest.raises(UserError) as refused:
        await fetcher.fetch_url(url)
    return str(refused.value)


async def test_a_typed_address_is_refused_while_that_is_off(server: RawServer) -> None:
    async with attachments(server) as fetcher:
        sentence = await url_refusal_of(fetcher, server.url + "/image.png")
    assert sentence == "Addresses of images aren't taken here. Attach the file instead."
    assert server.heads == []


@pytest.mark.parametrize("text", ["http://example.com/image.png", " <http://example.com:80/image.png> "])
async def test_a_typed_address_is_fetched_where_that_is_on(internet: Internet, text: str) -> None:
    async with urls(internet) as fetcher:
        assert await fetcher.fetch_url(text) == BODY
    assert internet.connected == [PUBLIC]
    assert "Host: example.com\r\n" in internet.server.heads[0]


async def test_a_literal_public_address_is_fetched(internet: Internet) -> None:
    async with urls(internet) as fetcher:
        assert await fetcher.fetch_url(f"http://{PUBLIC}/image.png") == BODY
    assert internet.connected == [PUBLIC]


async def test_a_literal_public_address_of_version_6_is_allowed(internet: Internet) -> None:
    async with urls(internet) as fetcher:
        assert await url_refusal_of(fetcher, "http://[2606:4700:4700::1111]/image.png") == CANT  # no such socket here
    assert internet.allowed == ["2606:4700:4700::1111"]


PRIVATE_URLS = [
    "http://127.0.0.1/image.png",
    "http://127.1/image.png",
    "http://2130706433/image.png",
    "http://017700000001/image.png",
    "http://0x7f000001/image.png",
    "http://0x7f.0.0.1/image.png",
    "http://0177.0.0.1/image.png",
    "http://0/image.png",
    "http://127.0.0.1./image.png",
    "http://127。0。0。1/image.png",
    "http://\uff11\uff12\uff17.0.0.1/image.png",
    "http://①②⑦.0.0.1/image.png",
    "http://10.0.0.1/image.png",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://[::1]/image.png",
    "http://[::]/image.png",
    "http://[::ffff:127.0.0.1]/image.png",
    "http://[::ffff:7f00:1]/image.png",
    "http://[64:ff9b::7f00:1]/image.png",
    "http://[2002:7f00:1::]/image.png",
    "http://[fe80::1%25lo]/image.png",
    "http://[fd00:ec2::254]/image.png",
    "https://127.0.0.1/image.png",
]


@pytest.mark.parametrize("url", PRIVATE_URLS)
async def test_no_spelling_of_a_private_address_is_connected_to(internet: Internet, url: str) -> None:
    async with urls(internet) as fetcher:
        assert await url_refusal_of(fetcher, url) in (CANT, NO_ADDRESS)
    assert (internet.allowed, internet.server.heads) == ([], [])


NO_ADDRESS = "This is not the address of an image. One looks like https://example.com/image.png."


@pytest.mark.parametrize("url", PRIVATE_URLS)
async def test_the_system_s_own_resolver_and_sockets_are_checked_too(url: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        assert await url_refusal_of(fetcher, url) in (CANT, NO_ADDRESS)


@pytest.mark.parametrize("host", ["localhost", "localhost.", "LOCALHOST", "ip6-localhost"])
async def test_the_system_s_names_for_this_machine_are_refused(host: str) -> None:
    async with open_fetcher(LIMITS, allow_urls=True) as fetcher:
        assert await url_refusal_of(fetcher, f"http://{host}/image.png") == CANT


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"], ["::ffff:10.0.0.1"], []],
    ids=str,
)
async def test_a_host_with_a_single_private_address_is_refused(internet: Internet, addresses: list[str]) -> None:
    internet.names["rebinding.example"] = [addresses]
    async with urls(internet) as fetcher:
        assert await url_refusal_of(fetcher, "http://rebinding.example/image.png") == CANT
    assert internet.allowed == []


async def test_a_name_that_turns_private_is_asked_for_once_and_connected_to_where_it_was(internet: Internet) -> None:
    internet.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    async with urls(internet) as fetcher:
        assert await fetcher.fetch_url("http://rebinding.example/image.png") == BODY
        assert (internet.asked, internet.connected) == (["rebinding.example"], [PUBLIC])
        assert await url_refusal_of(fetcher, "http://rebinding.example/image.png") == CANT
    assert internet.connected == [PUBLIC]


async def test_a_name_that_turned_public_again_is_asked_for_anew(internet: Internet) -> None:
    internet.names["moving.example"] = [[PUBLIC], [SECOND_PUBLIC]]
    async with urls(internet) as fetcher:
        await fetcher.fetch_url("http://moving.example/image.png")
        await fetcher.fetch_url("http://moving.example/image.png")
    assert internet.connected == [PUBLIC, SECOND_PUBLIC]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 T", "308 P"])
async def test_a_redirect_to_loopback_is_not_followed(internet: Internet, status: str) -> None:
    target = internet.server.url + "/image.png"
    internet.server.answers["/moved"] = http(status, b"", Location=target)
    async with urls(internet) as fetcher:
        assert "leads on to another one" in await url_refusal_of(fetcher, "http://example.com/moved")
    assert len(internet.server.heads) == 1


@pytest.mark.parametrize("url", ["http://example.com:8080/a", "https://example.com:80/a", "http://example.com:0/a"])
async def test_only_standard_ports_are_taken(internet: Internet, url: str) -> None:
    async with urls(internet) as fetcher:
        assert "without a port" in await url_refusal_of(fetcher, url)
    assert internet.asked == []


@pytest.mark.parametrize("url", ["http://ann:pw@example.com/a", "http://example.com@127.0.0.1/a"])
async def test_a_typed_login_is_refused(internet: Internet, url: str) -> None:
    async with urls(internet) as fetcher:
        assert "name or password" in await url_refusal_of(fetcher, url)
    assert internet.asked == []


async def test_a_typed_address_s_body_is_capped_and_timed_too(internet: Internet) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.Event().wait()

    internet.server.answers |= {"/hang": hang, "/large": http("200 OK", bytes(MEGABYTE + 1))}
    async with urls(internet, HURRIED) as fetcher:
        assert "took too long" in await url_refusal_of(fetcher, "http://example.com/hang")
    async with urls(internet) as fetcher:
        assert "larger than 1 MB" in await url_refusal_of(fetcher, "http://example.com/large")


async def test_the_environment_s_proxy_is_not_used(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with urls(internet) as fetcher:
        assert await fetcher.fetch_url("http://example.com/image.png") == BODY
    async with attachments(internet.server) as fetcher:
        assert await fetcher.fetch_attachment(internet.server.url + "/image.png", 10) == BODY


async def test_of_a_typed_address_the_log_gets_its_origin_alone(
    internet: Internet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with urls(internet) as fetcher:
        sentence = await url_refusal_of(fetcher, "http://example.com/bot-s3cret/file?key=s3cret#s3cret")
    records = [record for record in caplog.records if record.name == "core.fetch"]
    assert [record.__dict__["source"] for record in records] == ["http://example.com"]
    assert "s3cret" not in str([record.__dict__ for record in caplog.records]) + sentence


LABEL = st.sampled_from(
    ["127", "0", "1", "10", "0x7f", "0177", "localhost", "2130706433", "a", "xn--a", "%31", "\uff11"]
)
HOSTS = st.one_of(
    st.lists(LABEL, min_size=1, max_size=5).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.text(max_size=20),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@given(scheme=st.sampled_from(["http", "https", "HTTP"]), host=HOSTS, rest=st.sampled_from(["", "/", "/a?b#c", "\\@a"]))
def test_whatever_is_typed_no_private_address_is_connected_to(
    runner: asyncio.Runner, scheme: str, host: str, rest: str
) -> None:
    connected: list[str] = []

    def look_up(name: str, port: int) -> Iterable[AddressInfo]:
        """As the system does for numbers in any form; every other name is a trap."""
        with contextlib.suppress(OSError, UnicodeError):
            return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    def make_socket(info: AddressInfo) -> socket.socket:
        connected.append(str(info[4][0]))
        raise OSError("no network in this test")

    async def fetch() -> None:
        async with open_fetcher(LIMITS, allow_urls=True, lookup=look_up, make_socket=make_socket) as fetcher:
            with pytest.raises(UserError):
                await fetcher.fetch_url(f"{scheme}://{host}{rest}")

    runner.run(fetch())
    assert [address for address in connected if private(address)] == []


def private(address: str) -> bool:
    """Judged in another way than the code under test does: by whether the system would route it to this network."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    if len(packed) == 16 and packed[:12] == b"\0" * 10 + b"\xff\xff":
        packed = packed[12:]
    if len(packed) == 16:
        return packed[0] >> 5 != 1 or packed[:2] == b"\x20\x02"
    return packed[0] in (0, 10, 127) or packed[0] >= 224 or packed[:2] in (b"\xa9\xfe", b"\xc0\xa8")


async def test_memory_follows_the_limit_and_not_the_body(server: RawServer) -> None:
    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    server.answers["/endless"] = pour
    async with attachments(server) as fetcher:
        tracemalloc.start()
        try:
            await refusal_of(fetcher, server.url + "/endless")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6 * MEGABYTE
