"""Health and metrics over HTTP, for container engines and Prometheus. It knows two routes and no secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from core.errors import ConfigurationError
from core.metrics import Metrics

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def serve_http(port: int, health: Callable[[], Mapping[str, bool]], metrics: Metrics) -> AsyncIterator[None]:
    """Serve `/healthz` (200 while every part of `health` is well, else 503) and `/metrics` on all addresses."""

    async def healthz(_request: web.Request) -> web.Response:
        parts = dict(health())
        return web.json_response(parts, status=200 if all(parts.values()) else 503)

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": PROMETHEUS_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", show_metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, port=port).start()
        except OSError as error:
            raise ConfigurationError(f"HTTP_PORT: port {port} can't be used ({error.strerror}).") from error
        yield
    finally:
        await runner.cleanup()
