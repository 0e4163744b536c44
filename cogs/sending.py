"""Sends a job's post to the first place that takes it, as large as that place allows. It knows no job and no route."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from cogs.files import shrink_all
from cogs.growing import Gone, Place, Post, Refused, TooLarge
from core.jobs.model import Delivered

log = logging.getLogger(__name__)

SMALLEST_LIMIT = 256 * 1024
"""Bytes below which a picture is not squeezed any further, however small a place says its limit is."""


async def send(post: Post, places: Sequence[Place], otherwise: Delivered) -> Delivered:
    """The first place that takes it, with what those before it do not show; `otherwise` where none does."""
    for place in places:
        try:
            return Delivered(place.name, str(await _send_smaller(place, post)))
        except Gone:
            log.info("the job's message was deleted, so its pictures are kept only")
            return Delivered("kept", None)
        except Refused:
            log.info("a place did not take the answer: %s", place.name)
            left = place.missing(post.uploads)
            if post.uploads and not left:
                return Delivered(place.name, str(place.message_id))
            post = replace(post, uploads=left)
    return otherwise


async def _send_smaller(place: Place, post: Post) -> int:
    """Send; where the place says the files are too large, whatever its limit was said to be, halve them."""
    while True:
        try:
            return await place.send(post)
        except TooLarge:
            left = place.missing(post.uploads)
            largest = max((upload.size for upload in left), default=0)
            if largest // 2 < SMALLEST_LIMIT:
                raise
            smaller, refusals = await shrink_all(left, largest // 2)
            if not smaller:
                raise
            post = replace(post, uploads=smaller, refusals={**post.refusals, **refusals})
