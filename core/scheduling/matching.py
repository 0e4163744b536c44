"""Which backend can draw which job, and whether it would have to load a checkpoint for it. Pure.

Names are looked up once for each different wish and catalog, however many jobs have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.scheduling.facts import BackendFacts, WaitingJob
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.match import offers
from core.webui.needs import first_lack

ANY = ""
"""In the place of a checkpoint's title: whatever is loaded will do."""

Places = Mapping[str, str]
"""Backend → the checkpoint that a job is drawn with there, by its title in that backend's catalog."""


def can_draw(job: WaitingJob, catalog: Catalog) -> bool:
    """Whether a backend has every name that the job asks for, and can do all of it."""
    has_names = offers(catalog, checkpoint=job.checkpoint, sampler=job.sampler, scheduler=job.scheduler)
    return has_names and first_lack(catalog, job.needs) is None


def is_open(backend: BackendFacts) -> bool:
    """Whether it takes jobs, now or as soon as it is idle."""
    return backend.up and backend.accepts and backend.catalog is not None


def loaded_title(backend: BackendFacts) -> str | None:
    """The title of the checkpoint it has loaded; None where that isn't known."""
    if backend.catalog is None or backend.catalog.loaded_checkpoint is None:
        return None
    found = find_checkpoint(backend.catalog, backend.catalog.loaded_checkpoint)
    return None if found is None else found.title


class Matcher:
    """Looks names up, and remembers. Jobs for which the answer is the same get the same object."""

    def __init__(self, backends: Sequence[BackendFacts]) -> None:
        self._backends = backends
        self._by_wish: dict[tuple[object, ...], Places] = {}
        self._same: dict[tuple[tuple[str, str], ...], Places] = {}

    def places(self, job: WaitingJob) -> Places:
        """Every backend that takes jobs, can draw this one, and has not failed at it.

        Where all that are left have failed at it, those: the one that was to try it is gone, and failing once more
        tells its owner so. Where every backend is known and none has what it asks for, any may take it: building the
        payload will find that out and say so with the nearest names, which is better than waiting for ever.
        """
        wish = (job.checkpoint, job.sampler, job.scheduler, job.needs, job.avoid)
        found = self._by_wish.get(wish)
        if found is None:
            places = self._look_up(job)
            found = self._by_wish[wish] = self._same.setdefault(tuple(places.items()), places)
        return found

    def _look_up(self, job: WaitingJob) -> Places:
        able = [(one, one.catalog) for one in self._backends if one.catalog is not None and can_draw(job, one.catalog)]
        if not able and all(backend.catalog is not None for backend in self._backends):
            places = {one.key: ANY for one in self._backends if is_open(one)}
        else:
            places = {one.key: _title(one, catalog, job) for one, catalog in able if is_open(one)}
        return {key: title for key, title in places.items() if key not in job.avoid} or places


def _title(backend: BackendFacts, catalog: Catalog, job: WaitingJob) -> str:
    if any(need.kind == "task" for need in job.needs):
        return ANY  # no checkpoint takes part in it
    wanted = job.checkpoint or backend.default_checkpoint
    found = None if wanted is None else find_checkpoint(catalog, wanted)
    return ANY if found is None else found.title
