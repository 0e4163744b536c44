"""What SD.Next's readings say: its version, its state, its lists. Shapes only: no state, no HTTP."""

from typing import Any

from playground.webui import lists
from playground.webui.catalog import INSTALL_DIR, Catalog, Checkpoint
from playground.webui.progress import JobState
from playground.webui.sampling import Sampler
from playground.webui.sdnext_plan import COMMIT


def version() -> dict[str, Any]:
    """`GET /version`."""
    return {
        "app": "sd.next",
        "updated": "2026-07-23",
        "commit": COMMIT,
        "branch": "master",
        "url": "https://github.com/vladmandic/sdnext/tree/master",
        "ui": "main",
    }


def samplers(all_samplers: list[Sampler]) -> list[dict[str, Any]]:
    """`GET /samplers`: without aliases."""
    return [{"name": each.name, "options": dict(each.options)} for each in all_samplers]


def prompt_styles(catalog: Catalog) -> list[dict[str, Any]]:
    """`GET /prompt-styles`: three keys more than A1111."""
    more = {"extra": "", "filename": f"{INSTALL_DIR}/models/styles.json", "preview": None}
    return [{**style, **more} for style in lists.prompt_styles(catalog)]


def detailers(names: list[str]) -> list[dict[str, str]]:
    """`GET /detailers` and `GET /face-restorers`."""
    return [{"name": name, "path": f"{INSTALL_DIR}/models/yolo/{name}.pt"} for name in names]


def checkpoint(loaded: Checkpoint | None) -> dict[str, Any]:
    """`GET /checkpoint`."""
    if loaded is None:
        return {"type": None, "class": None}
    item = loaded.as_json()
    names = {"title": item["title"], "name": loaded.stem, "filename": item["filename"], "hash": item["hash"]}
    return {"type": "sdxl", "class": "StableDiffusionXLPipeline", "checkpoint": item["filename"], **names}


def status(state: JobState, task_id: str | None, queued: int, uptime: int) -> dict[str, Any]:
    """`GET /status`."""
    progress, eta = state.task_progress() if state.job_count else (0.0, None)
    return {
        "status": "running" if state.job_count else "idle",
        "task": state.job,
        "timestamp": state.job_timestamp,
        "current": state.job,
        "id": task_id,
        "job": state.job_no,
        "jobs": max(state.job_count, 0),
        "total": max(state.job_count, 0),
        "step": state.sampling_step,
        "steps": state.sampling_steps,
        "queued": queued,
        "uptime": uptime,
        "elapsed": None,
        "eta": eta,
        "progress": progress,
    }
