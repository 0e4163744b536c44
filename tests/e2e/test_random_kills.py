"""SIGKILL at random instants. `scripts/soak` does the same ten times as often."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from tests.e2e.kills import run_kills

KILLS = 20


@pytest.mark.timeout(240)
async def test_every_picture_arrives_once_through_twenty_kills(tmp_path: Path) -> None:
    seed = secrets.randbelow(10**6)
    sys.stdout.write(f"repeat with: scripts/soak --kills {KILLS} --seed {seed}\n")
    tally = await run_kills(tmp_path, KILLS, seed)
    assert tally.good, str(tally)
    assert tally.answered > 0
