"""The samplers and schedulers of Forge and reForge, as recorded from them. Data only."""

from dataclasses import replace
from typing import Any

from playground.webui.sampling import SAMPLERS, SCHEDULERS, Sampler, Scheduler

_SHARED = 15  # the first fifteen are A1111's: DPM++ 2M to Restart


def _typed(sampler: Sampler) -> Sampler:
    # A1111 and reForge make strings of all options, Forge leaves true as it is.
    options: dict[str, Any] = {key: True if value == "True" else value for key, value in sampler.options.items()}
    return replace(sampler, options=options)


FORGE_SAMPLERS: tuple[Sampler, ...] = (
    *(_typed(sampler) for sampler in SAMPLERS[:_SHARED]),
    Sampler("HeunPP2", ("heunpp2",)),
    Sampler("IPNDM", ("ipndm",)),
    Sampler("IPNDM_V", ("ipndm_v",)),
    Sampler("DEIS", ("deis",)),
    *SAMPLERS[_SHARED:],
    Sampler("DDPM", ("ddpm",)),
)

FORGE_SCHEDULERS: tuple[Scheduler, ...] = (
    *SCHEDULERS,
    Scheduler("turbo", "Turbo", need_inner_model=True),
    Scheduler("align_your_steps_GITS", "Align Your Steps GITS"),
    Scheduler("align_your_steps_11", "Align Your Steps 11"),
    Scheduler("align_your_steps_32", "Align Your Steps 32"),
)

_REFORGE_NAMES = (
    ("Euler Dy", "k_euler_dy"),
    ("Euler SMEA Dy", "k_euler_smea_dy"),
    ("Euler Negative", "k_euler_negative"),
    ("Euler Negative Dy", "k_euler_dy_negative"),
    ("DDIM", "ddim"),
    ("PLMS", "plms"),
    ("UniPC", "unipc"),
    ("LCM", "k_lcm"),
    ("DPM++ SDE Classic", "dpmpp_sde_classic"),
    ("ER SDE", "ER SDE"),
    ("Kohaku_LoNyu_Yog", "Kohaku_LoNyu_Yog"),
    ("Euler CFG++", "euler_cfg_pp"),
    ("Euler Ancestral CFG++", "euler_ancestral_cfg_pp"),
    ("DPM++ 2S Ancestral CFG++", "dpmpp_2s_ancestral_cfg_pp"),
    ("DPM++ 2M CFG++", "dpmpp_2m_cfg_pp"),
    ("DPM++ SDE CFG++", "dpmpp_sde_cfg_pp"),
    ("DPM++ 3M SDE CFG++", "dpmpp_3m_sde_cfg_pp"),
    ("Euler DY CFG++", "euler_dy_cfg_pp"),
    ("Euler SMEA DY CFG++", "euler_smea_dy_cfg_pp"),
    ("Euler A DY CFG++", "euler_ancestral_dy_cfg_pp"),
    ("DPM++ 2M DY CFG++", "dpmpp_2m_dy_cfg_pp"),
    ("RES Multistep", "res_multistep"),
    ("RES Multistep CFG++", "res_multistep_cfg_pp"),
    ("RES Multistep Ancestral", "res_multistep_ancestral"),
    ("RES Multistep Ancestral CFG++", "res_multistep_ancestral_cfg_pp"),
    ("Gradient Estimation", "gradient_estimation"),
    ("Gradient Estimation CFG++", "gradient_estimation_CFG++"),
    ("SEEDS 2 DP", "SEEDS_2"),
    ("SEEDS 3 DP", "SEEDS_3"),
    ("SA-Solver", "SA-Solver"),
    ("SA-Solver-Pece", "SA-Solver-Pece"),
    ("DPM++ 2M DY", "dpmpp_2m_dy"),
    ("DPM++ 3M DY", "dpmpp_3m_dy"),
    ("DPM++ 3M SDE DY", "dpmpp_3m_sde_dy"),
    ("DDPM", "ddpm"),
    ("HeunPP2", "heunpp2"),
    ("IPNDM", "ipndm"),
    ("IPNDM_V", "ipndm_v"),
    ("DEIS", "deis"),
    ("RES Solver", "res_solver"),
    ("ODE (Bosh3)", "ode_bosh3"),
    ("ODE (Fehlberg2)", "ode_fehlberg2"),
    ("ODE (Adaptive Heun)", "ode_adaptive_heun"),
    ("ODE (Dopri5)", "ode_dopri5"),
    ("ODE Custom", "ode_custom"),
    ("Euler A Turbo", "euler_ancestral_turbo"),
    ("DPM++ 2M Turbo", "dpmpp_2m_turbo"),
    ("DPM++ 2M SDE Turbo", "dpmpp_2m_sde_turbo"),
    ("Euler Comfy", "euler_comfy"),
    ("Euler A Comfy", "euler_ancestral_comfy"),
    ("Euler A Comfy RF", "euler_ancestral_comfy_RF"),
    ("Heun Comfy", "heun_comfy"),
    ("DPM++ 2S Ancestral Comfy", "dpmpp_2s_ancestral_comfy"),
    ("DPM++ 2S Ancestral Comfy RF", "sample_dpmpp_2s_ancestral_RF"),
    ("DPM++ SDE Comfy", "dpmpp_sde_comfy"),
    ("DPM++ 2M Comfy", "dpmpp_2m_comfy"),
    ("DPM++ 2M SDE Comfy", "dpmpp_2m_sde_comfy"),
    ("DPM++ 3M SDE Comfy", "dpmpp_3m_sde_comfy"),
    ("DPM++ 2S Ancestral CFG++ Dyn", "dpmpp_2s_ancestral_cfg_pp_dyn"),
    ("DPM++ 2S Ancestral CFG++ Intern", "dpmpp_2s_ancestral_cfg_pp_intern"),
    ("Custom Sampler", "custom_sampler"),
)

REFORGE_SAMPLERS: tuple[Sampler, ...] = (
    *SAMPLERS[:_SHARED],
    *(Sampler(name, (alias,)) for name, alias in _REFORGE_NAMES),
)

REFORGE_SCHEDULERS: tuple[Scheduler, ...] = (
    Scheduler("automatic", "Automatic"),
    Scheduler("karras", "Karras", default_rho=7.0),
    Scheduler("exponential", "Exponential"),
    Scheduler("polyexponential", "Polyexponential", default_rho=1.0),
    Scheduler("sinusoidal_sf", "Sinusoidal SF"),
    Scheduler("invcosinusoidal_sf", "Invcosinusoidal SF"),
    Scheduler("react_cosinusoidal_dynsf", "React Cosinusoidal DynSF"),
    Scheduler("uniform", "Uniform", need_inner_model=True),
    Scheduler("sgm_uniform", "SGM Uniform", ("SGMUniform",), need_inner_model=True),
    Scheduler("kl_optimal", "KL Optimal"),
    Scheduler("simple", "Simple", need_inner_model=True),
    Scheduler("normal", "Normal", need_inner_model=True),
    Scheduler("ddim", "DDIM", need_inner_model=True),
    Scheduler("align_your_steps", "Align Your Steps"),
    Scheduler("align_your_steps_custom", "Align Your Steps Custom"),
    Scheduler("beta", "Beta", need_inner_model=True),
    Scheduler("turbo", "Turbo", need_inner_model=True),
    Scheduler("cosine", "Cosine"),
    Scheduler("cosine-exponential blend", "Cosine-exponential Blend"),
    Scheduler("phi", "Phi"),
    Scheduler("laplace", "Laplace"),
    Scheduler("karras dynamic", "Karras Dynamic"),
    Scheduler("align_your_steps_GITS", "Align Your Steps GITS"),
    Scheduler("align_your_steps_11", "Align Your Steps 11"),
    Scheduler("align_your_steps_32", "Align Your Steps 32"),
)
