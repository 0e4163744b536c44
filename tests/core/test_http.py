"""Health and metrics, asked over real HTTP."""

import socket

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.errors import ConfigurationError
from core.http import serve_http
from core.metrics import Metrics


@pytest.fixture
def port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
    return number


async def ask(port: int, path: str) -> tuple[int, str, str]:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def test_health_is_200_while_every_part_is_well_and_503_else(port: int) -> None:
    parts = {"discord": True, "dispatcher": False}
    async with serve_http(port, lambda: parts, Metrics()):
        assert await ask(port, "/healthz") == (
            503,
            "application/json; charset=utf-8",
            '{"discord": true, "dispatcher": false}',
        )
        parts["dispatcher"] = True
        status, _, text = await ask(port, "/healthz")
        assert (status, text) == (200, '{"discord": true, "dispatcher": true}')


async def test_metrics_are_what_prometheus_reads(port: int) -> None:
    metrics = Metrics()
    metrics.submitted.inc()
    async with serve_http(port, dict, metrics):
        status, kind, text = await ask(port, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["easel_jobs_submitted"].samples[0].value == 1


async def test_nothing_else_is_served(port: int) -> None:
    async with serve_http(port, dict, Metrics()):
        assert (await ask(port, "/"))[0] == 404
        assert (await ask(port, "/metrics/x"))[0] == 404


async def test_a_port_in_use_is_said_in_a_sentence(port: int) -> None:
    async with serve_http(port, dict, Metrics()):
        with pytest.raises(ConfigurationError, match=rf"HTTP_PORT: port {port} can't be used \(.+\)\."):
            async with serve_http(port, dict, Metrics()):
                pass
        assert (await ask(port, "/healthz"))[0] == 200


async def test_the_port_is_free_again_afterwards(port: int) -> None:
    for _ in range(2):
        async with serve_http(port, dict, Metrics()):
            assert (await ask(port, "/healthz"))[0] == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(port, "/healthz")
