"""What all tests share: Hypothesis without a stopwatch, since the machine may be busy with other things."""

from hypothesis import HealthCheck, settings

settings.register_profile("easel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("easel")
