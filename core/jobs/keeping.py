"""Puts a rendered picture where it stays, with what is known of it. It changes no row and knows no order of steps."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec import UNSET

from core.errors import UnreadableAnswer
from core.images.infotext import format_infotext
from core.images.store import PictureStore, Raw
from core.jobs.engine import Piece, Record
from core.jobs.model import Drawing, Job
from core.jobs.renderer import request_of
from core.webui.answer import Rendered
from core.webui.pool import BackendPool


class Keeper:
    """From the spool to the pictures."""

    def __init__(self, pool: BackendPool, pictures: PictureStore) -> None:
        self._pool = pool
        self._pictures = pictures

    async def keep(self, job: Job, piece: Piece, before: Record) -> Drawing:
        """What came, in its place, with its infotext inside; UnreadableAnswer where its file is gone, OSError.

        `before` is the record of the render.
        """
        rendered = msgspec.convert(before["rendered"], Rendered)
        if rendered.caption is not None:
            return Drawing(pictures=(), seeds=(), caption=rendered.caption, seconds=before["seconds"])
        picture = rendered.pictures[0]
        raw = self._pictures.spool(piece.spool) / picture.file
        try:
            infotext = picture.infotext or await self._find_infotext(job, piece, rendered, before["backend"])
            maps = [Raw(raw.with_name(name)) for name in rendered.maps]
            kept = await self._pictures.keep_all([Raw(raw, infotext), *maps])
        except FileNotFoundError as error:
            raise UnreadableAnswer(str(error)) from None
        return Drawing(
            pictures=tuple(kept[:1]),
            maps=tuple(kept[1:]),
            seeds=(_seed(job, rendered, piece.number),),
            numbers=(piece.number,),
            warnings=rendered.warnings,
            checkpoint=rendered.checkpoint,
            sampler=rendered.sampler,
            scheduler=rendered.scheduler,
            steps=rendered.steps,
            cfg_scale=rendered.cfg_scale,
            upscaler=rendered.upscaler,
            seconds=before["seconds"],
        )

    async def _find_infotext(self, job: Job, piece: Piece, rendered: Rendered, backend: str) -> str:
        """What the webui's png-info finds; else from the request."""
        file = self._pictures.spool(piece.spool) / rendered.pictures[0].file
        data = await asyncio.to_thread(file.read_bytes)
        found = None
        if any(view.key == backend for view in self._pool.views()):
            found = await self._pool.client(backend).read_png_info(data)
        return found or format_infotext(
            request_of(job, piece.number),
            seed=_seed(job, rendered, piece.number),
            checkpoint=rendered.checkpoint,
            size=(rendered.width or 0, rendered.height or 0),
        )


def _seed(job: Job, rendered: Rendered, number: int) -> int:
    """What the webui said, else what was asked: webuis count up from the first picture's seed."""
    said = rendered.pictures[0].seed
    asked = job.request.seed_of(number)
    return said or 0 if said is not None or asked is UNSET else asked
