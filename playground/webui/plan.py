"""A validated request turned into what will be drawn: seeds, sizes, sampler, infotexts, `info`. No time, no HTTP."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.webui.catalog import Catalog, Checkpoint
from playground.webui.errors import CrashError
from playground.webui.flavour import Flavour
from playground.webui.infotext import VERSION, write_infotext
from playground.webui.options import Options
from playground.webui.pairs import hires_pairs, noise_pairs, other_checkpoint, refiner_pairs, settings_pairs
from playground.webui.sampling import Sampling

Route = Literal["txt2img", "img2img"]
SEEDS = 4_294_967_294  # a random seed is below this
_NO_KERNEL = (
    "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3). "
    "Kernel size can't be greater than actual input size"
)


@dataclass(frozen=True, slots=True)
class Hires:
    """The second pass: its steps, the final picture's size in pixels, and its checkpoint if it has one of its own."""

    steps: int
    width: int
    height: int
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one generation that is known before its first step.

    `guidance`, `settings` and `extra` are pairs of the infotext. `loras` is None where their step failed. `black`: the
    checkpoint lacks something it needs.
    """

    prompt: str
    negative: str
    styles: list[str]
    seeds: list[int]
    subseeds: list[int]
    subseed_strength: float
    sampling: Sampling
    steps: int
    cfg_scale: float
    width: int
    height: int
    n_iter: int
    batch_size: int
    denoising: float | None
    hires: Hires | None
    checkpoint: Checkpoint
    clip_skip: int
    face_model: str | None
    vae: str | None
    extra: dict[str, Any]
    resize_from: tuple[int, int]
    guidance: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    version: str = VERSION
    refiner: Checkpoint | None = None
    loras: list[str] | None = None
    black: bool = False

    @property
    def pixels(self) -> tuple[int, int]:
        """The first pass's real size: what was asked, cut to multiples of 8."""
        return self.width // 8 * 8, self.height // 8 * 8

    def infotext(self, index: int) -> str:
        """The text of the picture at that index."""
        varied = self.subseed_strength > 0
        pairs: dict[str, Any] = {
            "Steps": self.steps,
            "Sampler": self.sampling.sampler,
            "Schedule type": self.sampling.schedule,
            "CFG scale": self.cfg_scale,
            **self.guidance,
            "Seed": self.seeds[index],
            "Face restoration": self.face_model,
            "Size": f"{self.width}x{self.height}",
            "Model hash": self.checkpoint.short_hash,
            "Model": self.checkpoint.stem,
            "VAE hash": None if self.vae is None else "735e4c3a44",
            "VAE": self.vae,
            "Variation seed": self.subseeds[index] if varied else None,
            "Variation seed strength": self.subseed_strength if varied else None,
            "Seed resize from": "{}x{}".format(*self.resize_from) if min(self.resize_from) > 0 else None,
            "Denoising strength": None,
            "Clip skip": self.clip_skip if self.clip_skip > 1 else None,
            **self.settings,
        }
        pairs |= self.extra
        pairs["Version"] = self.version
        return write_infotext(self.prompt, self.negative, pairs)

    def info(self, infotexts: list[str], timestamp: str, *, first: int = 0) -> dict[str, Any]:
        """The object that goes into `info` as a JSON string; lists name the planned pictures."""
        count = len(self.seeds)
        return {
            "prompt": self.prompt,
            "all_prompts": [self.prompt] * count,
            "negative_prompt": self.negative,
            "all_negative_prompts": [self.negative] * count,
            "seed": self.seeds[0],
            "all_seeds": self.seeds,
            "subseed": self.subseeds[0],
            "all_subseeds": self.subseeds,
            "subseed_strength": self.subseed_strength,
            "width": self.width,
            "height": self.height,
            "sampler_name": self.sampling.sampler,
            "cfg_scale": self.cfg_scale,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "restore_faces": self.face_model is not None,
            "face_restoration_model": self.face_model,
            "sd_model_name": self.checkpoint.stem,
            "sd_model_hash": self.checkpoint.short_hash,
            "sd_vae_name": self.vae,
            "sd_vae_hash": None if self.vae is None else "735e4c3a44",
            "seed_resize_from_w": self.resize_from[0],
            "seed_resize_from_h": self.resize_from[1],
            "denoising_strength": self.denoising,
            "extra_generation_params": self.extra,
            "index_of_first_image": first,
            "infotexts": infotexts,
            "styles": self.styles,
            "job_timestamp": timestamp,
            "clip_skip": self.clip_skip,
            "is_using_inpainting_conditioning": False,
            "version": self.version,
        }


def make_plan(
    route: Route,
    payload: Mapping[str, Any],
    sampling: Sampling,
    catalog: Catalog,
    options: Options,
    checkpoint: Checkpoint,
    flavour: Flavour | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Plan:
    """Turn a validated payload into a plan. Raises CrashError where the server would crash on it.

    `notes` are pairs that the input images and the extensions add to the infotext.
    """
    _check_numbers(payload)
    flavour = flavour or Flavour()
    styles = [str(name) for name in payload["styles"] or []]
    prompt, negative = _texts(payload, styles, catalog)
    wide, high, payload = _first_phase(route, payload)
    hires = _plan_hires(payload, catalog) if route == "txt2img" and payload["enable_hr"] else None
    refiner = other_checkpoint(payload["refiner_checkpoint"], catalog)
    loras = [] if payload["disable_extra_networks"] else flavour.loras(prompt, catalog)
    return Plan(
        prompt=prompt,
        negative=negative,
        styles=styles,
        **_seeds(payload),
        sampling=sampling,
        **{key: payload[key] for key in ("steps", "cfg_scale", "n_iter", "batch_size")},
        width=wide,
        height=high,
        denoising=payload["denoising_strength"],
        hires=hires,
        checkpoint=checkpoint,
        clip_skip=_clip_skip(options["CLIP_stop_at_last_layers"]),
        face_model=_face_model(payload, options),
        extra={
            **flavour.modules(options, catalog),
            **({"Schedule type": sampling.schedule} if sampling.noted else {}),
            **_strength_pairs(route, payload, hires, flavour, catalog),
            **noise_pairs(payload),
            **refiner_pairs(payload, refiner),
            **_network_pairs(catalog, prompt, negative, loras),
            **(notes or {}),
        },
        resize_from=(payload["seed_resize_from_w"], payload["seed_resize_from_h"]),
        refiner=refiner,
        loras=loras,
        **_flavoured(payload, flavour, catalog, options, checkpoint),
    )


def _texts(payload: Mapping[str, Any], styles: list[str], catalog: Catalog) -> tuple[str, str]:
    texts = _strip_comments(payload["prompt"]), _strip_comments(payload["negative_prompt"])
    return catalog.apply_styles(*texts, styles)


def _flavoured(
    payload: Mapping[str, Any], flavour: Flavour, catalog: Catalog, options: Options, checkpoint: Checkpoint
) -> dict[str, Any]:
    return {
        "vae": flavour.vae(options, catalog),
        "guidance": flavour.guidance(payload, checkpoint),
        "version": flavour.version,
        "black": flavour.is_black(checkpoint, options, catalog),
        "settings": settings_pairs(payload, options),
    }


def _face_model(payload: Mapping[str, Any], options: Options) -> str | None:
    wanted = options["face_restoration"] if payload["restore_faces"] is None else payload["restore_faces"]
    return options["face_restoration_model"] if wanted else None


def _seeds(payload: Mapping[str, Any]) -> dict[str, Any]:
    count = payload["n_iter"] * payload["batch_size"]
    strength = payload["subseed_strength"] or 0
    seed, subseed = _fixed(payload["seed"]), _fixed(payload["subseed"])
    return {
        # With a variation all pictures share the seed and differ in the subseed.
        "seeds": [seed + (index if strength == 0 else 0) for index in range(count)],
        "subseeds": [subseed + index for index in range(count)],
        "subseed_strength": strength,
    }


def _strength_pairs(
    route: Route, payload: Mapping[str, Any], hires: Hires | None, flavour: Flavour, catalog: Catalog
) -> dict[str, Any]:
    if route == "img2img":
        return {"Denoising strength": payload["denoising_strength"]}
    return {} if hires is None else hires_pairs(payload, hires.checkpoint, flavour, catalog)


def _network_pairs(catalog: Catalog, prompt: str, negative: str, loras: list[str] | None) -> dict[str, Any]:
    hashes = catalog.lora_hashes(prompt) if loras else None
    embeddings = catalog.embedding_hashes(prompt, negative)
    pairs = {"Lora hashes": hashes, "TI hashes": embeddings}
    return {key: value for key, value in pairs.items() if value}


def _first_phase(route: Route, payload: Mapping[str, Any]) -> tuple[int, int, Mapping[str, Any]]:
    """The first pass's size; in the old manner the request gives that, and width and height are the final size."""
    wide, high = payload["width"], payload["height"]
    if route == "img2img" or not payload["enable_hr"]:
        return wide, high, payload
    first = payload["firstphase_width"] or 0, payload["firstphase_height"] or 0
    if not all(first):
        return wide, high, payload
    return *first, {**payload, "hr_resize_x": wide, "hr_resize_y": high, "width": first[0], "height": first[1]}


def _check_numbers(payload: Mapping[str, Any]) -> None:
    # null passes validation for these and means None, not the default.
    if payload["prompt"] is None or payload["negative_prompt"] is None:
        raise CrashError("AttributeError", "'NoneType' object has no attribute 'strip'")
    for name in ("n_iter", "batch_size"):
        if payload[name] is None:
            raise CrashError("TypeError", "can't multiply sequence by non-int of type 'NoneType'")
        if payload[name] < 1:
            raise CrashError("IndexError", "list index out of range")
    for name in ("steps", "width", "height", "cfg_scale", "seed_resize_from_w", "seed_resize_from_h"):
        if payload[name] is None:
            raise CrashError("TypeError", "unsupported operand type(s) for //: 'NoneType' and 'int'")
    if payload["width"] < 8 or payload["height"] < 8:
        raise CrashError("RuntimeError", _NO_KERNEL)
    if payload["steps"] < 1:
        raise CrashError("ZeroDivisionError", "integer division or modulo by zero")


def _fixed(seed: int | None) -> int:
    return random.randrange(SEEDS) if seed is None or seed == -1 else seed


def _clip_skip(value: Any) -> int:
    # The server checks no option's type when it is set; a wrong one breaks the jobs after it.
    if not isinstance(value, (int, float)):
        kind = type(value).__name__
        raise CrashError("TypeError", f"'<=' not supported between instances of '{kind}' and 'int'")
    return int(value)


def _strip_comments(text: str) -> str:
    lines = [(line, line.split("#", 1)[0]) for line in text.split("\n")]
    return "\n".join(kept for line, kept in lines if kept.strip() or not line.startswith("#"))


def _plan_hires(payload: Mapping[str, Any], catalog: Catalog) -> Hires:
    upscaler = payload["hr_upscaler"]
    if upscaler is not None and not catalog.has_upscaler(upscaler, latent=True):
        raise CrashError("Exception", f"could not find upscaler named {upscaler}")
    other = other_checkpoint(payload["hr_checkpoint_name"], catalog)
    wide, high = payload["width"], payload["height"]
    x, y = payload["hr_resize_x"], payload["hr_resize_y"]
    if not x and not y:
        x, y = int(wide * payload["hr_scale"]), int(high * payload["hr_scale"])
    x, y = x or y * wide // high, y or x * high // wide
    return Hires(payload["hr_second_pass_steps"] or payload["steps"], x // 8 * 8, y // 8 * 8, other)
