"""Fixtures: a stage of a test's own, or one that the tests of a module share; and the bot's log where a test fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from playground.webui import LocalWebui
from tests.e2e.harness import Stage, open_stage

OpenStage = Callable[..., Awaitable[Stage]]
_LOG_SHOWN = 12_000


def cheap_webui(**options: Any) -> LocalWebui:
    """A quick webui whose pictures are simple ones."""
    return LocalWebui(**{"seconds_per_step": 0.002, "cheap_pictures": True, **options})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """One running bot for a module, with one webui: cheap, or what the module's `WEBUI` says."""
    webui = LocalWebui(**getattr(request.module, "WEBUI", {"seconds_per_step": 0.002, "cheap_pictures": True}))
    async with open_stage(tmp_path_factory.mktemp("shared"), webui) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    """The module's bot, for one test: healed and checked afterwards."""
    shared_stage.begin()
    yield shared_stage
    shared_stage.heal()
    shared_stage.check()


@pytest.fixture
async def new_stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStage]:
    """Opens a stage of the test's own: `await new_stage(webui, …)`, with the arguments of `open_stage`."""
    async with AsyncExitStack() as stack:
        opened: list[Stage] = []

        async def open_one(*webuis: LocalWebui, **options: Any) -> Stage:
            opening = open_stage(tmp_path, *(webuis or (cheap_webui(),)), **({"kindly": False} | options))
            stage = await stack.enter_async_context(opening)
            opened.append(stage)
            request.node.stash[_STAGES] = opened
            return stage

        yield open_one
        for stage in opened:
            stage.check()


_STAGES = pytest.StashKey[list[Stage]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the bot's log below whatever went wrong."""
    report = yield
    if call.excinfo is not None and report.failed:
        stages = [*item.stash[_STAGES]] if _STAGES in item.stash else []
        shared = getattr(item, "funcargs", {}).get("stage")
        stages += [shared] if isinstance(shared, Stage) else []
        logs = [process.log()[-_LOG_SHOWN:] for stage in stages for process in stage.processes]
        report.sections += [("the bot's log", log) for log in logs]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked as what it is."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
