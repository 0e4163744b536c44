"""Processes, webuis and the database die at random instants. `scripts/soak` does it for longer."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from tests.e2e.storm import run_storm, run_storm_alone
from tests.e2e.storm_tally import Plan, Tally
from tests.postgres import LocalPostgres


def plan_of(*, machines: bool) -> Plan:
    plan = Plan(
        seed=secrets.randbelow(10**6), machines=machines, jobs=60, kills=10, deaths=6, stops=2, freezes=2, points=False
    )
    sys.stdout.write(f"repeat with: scripts/soak {plan}\n")
    return plan


def check(tally: Tally) -> None:
    assert tally.good, str(tally)
    assert tally.pictures > 0


@pytest.mark.timeout(240)
async def test_every_picture_arrives_once_through_a_short_storm_over_one_bot(tmp_path: Path) -> None:
    check(await run_storm_alone(tmp_path, plan_of(machines=False)))


@pytest.mark.timeout(240)
async def test_every_picture_arrives_once_through_a_short_storm_over_machines(
    tmp_path: Path, postgres: LocalPostgres
) -> None:
    check(await run_storm(tmp_path, postgres, plan_of(machines=True)))
