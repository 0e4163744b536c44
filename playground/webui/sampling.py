"""Samplers and schedulers of webui 1.10.1 and the rule by which the server picks them. Knows no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sampler:
    """A sampler as `/samplers` lists it; `options["scheduler"]` is the schedule it takes when none is asked for."""

    name: str
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The item of `GET /sdapi/v1/samplers`."""
        return {"name": self.name, "aliases": list(self.aliases), "options": dict(self.options)}


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A noise schedule as `/schedulers` lists it."""

    name: str
    label: str
    aliases: tuple[str, ...] | None = None
    default_rho: float = -1.0
    need_inner_model: bool = False

    def as_json(self) -> dict[str, Any]:
        """The item of `GET /sdapi/v1/schedulers`."""
        return {
            "name": self.name,
            "label": self.label,
            "aliases": None if self.aliases is None else list(self.aliases),
            "default_rho": self.default_rho,
            "need_inner_model": self.need_inner_model,
        }

    def names(self) -> tuple[str, ...]:
        """Every spelling the server takes for it."""
        return (self.label, self.name, *(self.aliases or ()))


_KARRAS = {"scheduler": "karras"}
_EXPONENTIAL = {"scheduler": "exponential"}
_SECOND = {"second_order": "True"}
_BROWNIAN = {"brownian_noise": "True"}

SAMPLERS: tuple[Sampler, ...] = (
    Sampler("DPM++ 2M", ("k_dpmpp_2m",), _KARRAS),
    Sampler("DPM++ SDE", ("k_dpmpp_sde",), {**_KARRAS, **_SECOND, **_BROWNIAN}),
    Sampler("DPM++ 2M SDE", ("k_dpmpp_2m_sde",), {**_EXPONENTIAL, **_BROWNIAN}),
    Sampler("DPM++ 2M SDE Heun", ("k_dpmpp_2m_sde_heun",), {**_EXPONENTIAL, **_BROWNIAN, "solver_type": "heun"}),
    Sampler("DPM++ 2S a", ("k_dpmpp_2s_a",), {**_KARRAS, "uses_ensd": "True", **_SECOND}),
    Sampler("DPM++ 3M SDE", ("k_dpmpp_3m_sde",), {**_EXPONENTIAL, "discard_next_to_last_sigma": "True", **_BROWNIAN}),
    Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), {"uses_ensd": "True"}),
    Sampler("Euler", ("k_euler",)),
    Sampler("LMS", ("k_lms",)),
    Sampler("Heun", ("k_heun",), _SECOND),
    Sampler("DPM2", ("k_dpm_2",), {**_KARRAS, "discard_next_to_last_sigma": "True", **_SECOND}),
    Sampler(
        "DPM2 a", ("k_dpm_2_a",), {**_KARRAS, "discard_next_to_last_sigma": "True", "uses_ensd": "True", **_SECOND}
    ),
    Sampler("DPM fast", ("k_dpm_fast",), {"uses_ensd": "True"}),
    Sampler("DPM adaptive", ("k_dpm_ad",), {"uses_ensd": "True"}),
    Sampler("Restart", ("restart",), {**_KARRAS, **_SECOND}),
    Sampler("DDIM", ("ddim",)),
    Sampler("DDIM CFG++", ("ddim_cfgpp",)),
    Sampler("PLMS", ("plms",)),
    Sampler("UniPC", ("unipc",)),
    Sampler("LCM", ("k_lcm",)),
)

SCHEDULERS: tuple[Scheduler, ...] = (
    Scheduler("automatic", "Automatic"),
    Scheduler("uniform", "Uniform", need_inner_model=True),
    Scheduler("karras", "Karras", default_rho=7.0),
    Scheduler("exponential", "Exponential"),
    Scheduler("polyexponential", "Polyexponential", default_rho=1.0),
    Scheduler("sgm_uniform", "SGM Uniform", ("SGMUniform",), need_inner_model=True),
    Scheduler("kl_optimal", "KL Optimal"),
    Scheduler("align_your_steps", "Align Your Steps"),
    Scheduler("simple", "Simple", need_inner_model=True),
    Scheduler("normal", "Normal", need_inner_model=True),
    Scheduler("ddim", "DDIM", need_inner_model=True),
    Scheduler("beta", "Beta", need_inner_model=True),
)


@dataclass(frozen=True, slots=True)
class Sampling:
    """What the server really uses.

    `schedule` is the label written into the infotext. `noted` says whether it also stands in
    `extra_generation_params`, as it does for every schedule but "Automatic".
    """

    sampler: str
    schedule: str
    noted: bool


def pick_sampling(
    asked_sampler: str | None,
    asked_scheduler: str | None,
    samplers: Sequence[Sampler],
    schedulers: Sequence[Scheduler],
) -> Sampling:
    """Choose as the server does: unknown names fall back silently, "DPM++ 2M Karras" is split in two."""
    name = asked_sampler or samplers[0].name
    scheduler = _find(asked_scheduler, schedulers) or schedulers[0]
    for candidate in schedulers:
        suffix = next((f" {word}" for word in candidate.names() if name.endswith(f" {word}")), None)
        if suffix is not None:
            name, scheduler = name.removesuffix(suffix), candidate
    sampler = next((each for each in samplers if name == each.name or name in each.aliases), samplers[0])
    if scheduler.name == "automatic":
        scheduler = _find(sampler.options.get("scheduler"), schedulers) or scheduler
    return Sampling(sampler.name, scheduler.label, noted=scheduler.name != "automatic")


def _find(name: str | None, schedulers: Sequence[Scheduler]) -> Scheduler | None:
    return next((each for each in schedulers if name in (each.name, each.label)), None)
