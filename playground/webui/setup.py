"""The keywords that every local webui's constructor takes, for the subclasses that pass them on. Types only."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from playground.webui.catalog import Checkpoint
from playground.webui.sampling import Sampler, Scheduler


class Setup(TypedDict, total=False):
    """The keywords of `LocalWebui`; what they mean is said there."""

    name: str
    checkpoints: Sequence[str | Checkpoint]
    seconds_per_step: float
    load_seconds: float
    auth: tuple[str, str] | None
    base_path: str
    internal: bool
    cheap_pictures: bool
    leaky_overrides: bool
    samples_format: str
    options: Mapping[str, Any] | None
    samplers: Sequence[Sampler] | None
    schedulers: Sequence[Scheduler] | None
    loras: Sequence[str]
    threads: int
    keep_alive: float
    adetailer: bool
    controlnet: bool | None
