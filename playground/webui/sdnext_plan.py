"""An SD.Next request turned into what will be drawn, its infotexts and `info`. No time, no HTTP."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from playground.webui.catalog import Catalog, Checkpoint, lora_tags
from playground.webui.drawing import Draft
from playground.webui.errors import CrashError, RefusedError
from playground.webui.infotext import write_infotext
from playground.webui.inpaint import Inputs
from playground.webui.plan import SEEDS, Hires
from playground.webui.sampling import Sampler
from playground.webui.sdnext_fields import DEFAULT_SAMPLER, SAMPLER_ALIASES, SAMPLER_CLASSES

COMMIT = "1f2e3d4c"
_PREVIEW_SCALE = 8
_SMALLEST = 8  # pixels


@dataclass(frozen=True, slots=True)
class NextPlan:
    """Everything about one generation that is known before its first step."""

    draft: Draft
    prompt: str
    negative: str
    styles: list[str]
    subseeds: list[int]
    sampler: str
    checkpoint: Checkpoint
    payload: Mapping[str, Any]
    extra: dict[str, Any]

    def info(self, infotexts: list[str], timestamp: str, detailers: list[str], *, first: int) -> dict[str, Any]:
        """The object that goes into `info` as a JSON string."""
        payload, count = self.payload, len(self.draft.seeds)
        return {
            "prompt": self.prompt,
            "all_prompts": [self.prompt] * count,
            "negative_prompt": self.negative,
            "all_negative_prompts": [self.negative] * count,
            "seed": self.draft.seeds[0],
            "all_seeds": list(self.draft.seeds),
            "subseed": self.subseeds[0],
            "all_subseeds": self.subseeds,
            "subseed_strength": payload["subseed_strength"],
            "width": payload["width"],
            "height": payload["height"],
            "sampler_name": self.sampler,
            "cfg_scale": payload["cfg_scale"],
            "steps": payload["steps"],
            "batch_size": payload["batch_size"],
            "detailer": payload["detailer_enabled"],
            "detailer_model": ", ".join(detailers) if payload["detailer_enabled"] else None,
            "seed_resize_from_w": payload["seed_resize_from_w"],
            "seed_resize_from_h": payload["seed_resize_from_h"],
            "sd_model_hash": self.checkpoint.short_hash,
            "denoising_strength": payload["denoising_strength"],
            "extra_generation_params": self.extra,
            "index_of_first_image": first,
            "infotexts": infotexts,
            "styles": self.styles,
            "job_timestamp": timestamp,
            "clip_skip": payload["clip_skip"],
        }


def find_sampler(asked: Any, samplers: list[Sampler]) -> str:
    """The sampler's name, found whatever its case, or by an alias. Raises RefusedError (404)."""
    if asked in (None, "", DEFAULT_SAMPLER) or isinstance(asked, int):
        return DEFAULT_SAMPLER
    name = SAMPLER_ALIASES.get(str(asked), str(asked)).lower()
    found = next((each.name for each in samplers if each.name.lower() == name), None)
    if found is None:
        raise RefusedError(404, "Sampler not found")
    return found


def make_plan(
    operation: str, payload: Mapping[str, Any], sampler: str, catalog: Catalog, checkpoint: Checkpoint | None,
    inputs: Inputs | None,
) -> NextPlan:  # fmt: skip
    """Turn a validated payload into a plan. Raises CrashError where the server would give the job up."""
    width, height = _size(payload, inputs)
    count = payload["n_iter"] * payload["batch_size"]
    if checkpoint is None or min(width, height) < _SMALLEST or count < 1:
        raise CrashError("Aborted", "the job was given up")
    styles = [str(name) for name in payload["styles"] or []]
    prompt, negative = catalog.apply_styles(payload["prompt"], payload["negative_prompt"], styles)
    strength = payload["subseed_strength"] or 0
    seed, subseed = _fixed(payload["seed"]), _fixed(payload["subseed"])
    seeds = [seed + (index if strength == 0 else 0) for index in range(count)]
    subseeds = [subseed + index for index in range(count)]
    hires, pairs = _plan_hires(payload, width, height)
    extra = {**pairs, **({} if inputs is None else inputs.notes)}
    if operation != "txt2img":
        extra["Denoising strength"] = payload["denoising_strength"]
    loras = [name for name, _ in lora_tags(prompt) if name in catalog.loras]
    draft = Draft(
        prompt,
        seeds,
        max(payload["steps"], 1),
        width,
        height,
        [],
        keys=[f"{seed}/{each}/{strength}" if strength > 0 else "" for each in subseeds],
        batch_size=payload["batch_size"],
        hires=hires,
        inputs=inputs,
        denoising=payload["denoising_strength"] or 0,
        unfinished_scale=_PREVIEW_SCALE,
        loras=loras,
    )
    plan = NextPlan(draft, prompt, negative, styles, subseeds, sampler, checkpoint, payload, extra)
    operations = "; ".join([operation, *(["hires"] if hires else []), *_detailing(payload)])
    texts = [_infotext(plan, index, operations) for index in range(count)]
    return replace(plan, draft=replace(draft, infotexts=texts))


def _size(payload: Mapping[str, Any], inputs: Inputs | None) -> tuple[int, int]:
    """Without a mode of resizing the picture gets the image's own size, but for "only masked"."""
    width, height = payload["width"], payload["height"]
    if inputs is not None and inputs.area is None and not payload["resize_mode"]:
        width, height = inputs.init.size
    return width // 8 * 8, height // 8 * 8


def _detailing(payload: Mapping[str, Any]) -> list[str]:
    return ["detailer"] if payload["detailer_enabled"] else []


def _infotext(plan: NextPlan, index: int, operations: str) -> str:
    payload = plan.payload
    varied = (payload["subseed_strength"] or 0) > 0
    batch = f"{payload['n_iter']}x{payload['batch_size']}"
    known = plan.sampler != DEFAULT_SAMPLER
    pairs: dict[str, Any] = {
        "Steps": payload["steps"],
        "Size": f"{payload['width']}x{payload['height']}",
        "Sampler": plan.sampler if known else None,
        "Scheduler": SAMPLER_CLASSES.get(plan.sampler, "EulerDiscreteScheduler"),
        "Seed": plan.draft.seeds[index],
        "CFG scale": payload["cfg_scale"],
        "CLiP-skip": payload["clip_skip"] if payload["clip_skip"] > 1 else None,
        "Batch": None if batch == "1x1" else batch,
        "Styles": "; ".join(plan.styles) or None,
        "App": "SD.Next",
        "Version": COMMIT,
        "Pipeline": "StableDiffusionXLPipeline",
        "Operations": operations,
        "Model": plan.checkpoint.stem.replace(",", "").replace(":", ""),
        "Model hash": plan.checkpoint.short_hash,
        "Variation seed": plan.subseeds[index] if varied else None,
        "Variation strength": payload["subseed_strength"] if varied else None,
        **plan.extra,
    }
    kept = {key: value for key, value in pairs.items() if not (isinstance(value, (int, float)) and value <= -1)}
    template = f"\nTemplate: {payload['prompt']}" if plan.styles and payload["prompt"] != plan.prompt else ""
    return f"{plan.prompt}\nNegative prompt: {plan.negative}{template}\n{write_infotext('', '', kept)}".strip()


def _plan_hires(payload: Mapping[str, Any], width: int, height: int) -> tuple[Hires | None, dict[str, Any]]:
    """The second pass and its pairs; without steps it is a plain upscaling."""
    upscaler = payload["hr_upscaler"] or "None"
    if not payload["enable_hr"] or payload["hr_resize_mode"] <= 0 or upscaler == "None":
        return None, {}
    to_x, to_y = payload["hr_resize_x"], payload["hr_resize_y"]
    if not to_x and not to_y:
        to_x, to_y = int(width * payload["hr_scale"]), int(height * payload["hr_scale"])
    to_x, to_y = (to_x or to_y * width // height) // 8 * 8, (to_y or to_x * height // width) // 8 * 8
    pairs = {
        "HiRes mode": payload["hr_resize_mode"],
        "Hires upscaler": upscaler,
        "Hires scale": payload["hr_scale"],
        "Hires size": f"{to_x}x{to_y}",
    }
    second = payload["hr_force"] or "Latent" in upscaler
    steps = (payload["hr_second_pass_steps"] or payload["steps"]) if second else 0
    if second:
        strength = payload["hr_denoising_strength"]
        pairs |= {
            "Hires force": payload["hr_force"],
            "Hires steps": steps,
            "Hires strength": strength if strength > 0 else payload["denoising_strength"],
        }
    return Hires(steps, to_x, to_y), pairs


def _fixed(seed: int | None) -> int:
    return random.randrange(SEEDS) if seed is None or seed < 0 else seed
