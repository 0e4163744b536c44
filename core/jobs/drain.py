"""How a process stops: it takes nothing new, finishes what it has in hand, and hands back what takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from core.jobs.pipeline import Pipeline

log = logging.getLogger(__name__)

GIVE_BACK_SECONDS = 5.0
"""How long that may take, webuis, database and Discord together; the next start, or another worker, does the rest."""


async def drain(pipeline: Pipeline, seconds: float, at_once: asyncio.Event) -> None:
    """Wait for what is in hand, at most so long or until `at_once` is set; then hand back what is being drawn.

    Nobody may give out anything any more. What is drawn and not shown yet is shown at the next start.
    """
    if pipeline.in_hand:
        log.info("stopping: %d pictures are being finished, for at most %g seconds", pipeline.in_hand, seconds)
        hurry = asyncio.create_task(at_once.wait())
        done = asyncio.create_task(pipeline.until_empty())
        await asyncio.wait([hurry, done], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (hurry, done):
            task.cancel()
    if pipeline.in_hand:
        log.info("stopping: %d pictures are handed back", pipeline.in_hand)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await pipeline.give_back()
                await pipeline.until_empty()
