"""Machines, webuis and the database die at random instants. `scripts/soak --machines` does it for longer."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from tests.e2e.scale_kills import run_storm
from tests.e2e.scale_tally import Plan
from tests.postgres import LocalPostgres


@pytest.mark.timeout(240)
async def test_every_picture_arrives_once_through_a_short_storm(tmp_path: Path, postgres: LocalPostgres) -> None:
    plan = Plan(seed=secrets.randbelow(10**6), jobs=60, kills=8, stops=2, freezes=2, points=False)
    sys.stdout.write(f"repeat with: scripts/soak {plan}\n")
    tally = await run_storm(tmp_path, postgres, plan)
    assert tally.good, str(tally)
    assert tally.pictures > 0
