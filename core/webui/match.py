"""Whether a webui has what a job asks for by name. Pure; it refuses nothing: see core.webui.payload."""

from __future__ import annotations

from core.webui.catalog import Catalog, find_checkpoint, find_name


def offers(catalog: Catalog, *, checkpoint: str | None, sampler: str | None, scheduler: str | None) -> bool:
    """Whether every name is found there, in any of its spellings; None is what nobody chose, and every webui has it."""
    return (
        (checkpoint is None or find_checkpoint(catalog, checkpoint) is not None)
        and (sampler is None or find_name(catalog.samplers, sampler) is not None)
        and (scheduler is None or find_name(catalog.schedulers, scheduler) is not None)
    )
