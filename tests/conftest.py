"""What all tests share: a PostgreSQL, and Hypothesis without a stopwatch and without chance, so that a run can be
repeated.

`--hypothesis-profile=search` looks further, and elsewhere each time.
"""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres"]

QUIET = [HealthCheck.too_slow]

settings.register_profile("easel", deadline=None, suppress_health_check=QUIET, derandomize=True)
settings.register_profile("search", deadline=None, suppress_health_check=QUIET, max_examples=2000)
settings.load_profile("easel")


def pytest_configure(config: pytest.Config) -> None:
    """The profile of the command line, which was read before ours were known."""
    settings.load_profile(config.getoption("--hypothesis-profile") or "easel")
