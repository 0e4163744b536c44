"""The clock inside the bot: it has to see a block, since a small figure is what it is there to show."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks.ground import Report
from benchmarks.probed_bot import Probe

BLOCK = 0.05


async def test_a_block_of_the_loop_is_noted_at_its_full_length_and_at_its_time(tmp_path: Path) -> None:
    probe = Probe()
    probe.start()
    await asyncio.sleep(0.01)
    start = time.monotonic()
    time.sleep(BLOCK)  # noqa: ASYNC251  # the block that is to be seen
    end = time.monotonic()
    await asyncio.sleep(0.01)
    probe.note("rendered", "7")
    path = tmp_path / "report.json"
    probe.write(path)
    report = Report.read(path)
    assert report.longest_gap(start, end) > BLOCK * 0.9
    assert report.longest_gap(end + 3600, end + 7200) == 0
    assert set(report.times("7")) == {"rendered"}
    assert report.times("8") == {}
