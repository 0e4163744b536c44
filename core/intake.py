"""Takes in the images that people send with a request: fetched, made plain, and kept where any process finds them.

It knows no Discord: an attachment is its address and its size in bytes. An address that a person typed is asked for
only where the operator allows that, which the fetcher knows; what is kept never names it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace

from msgspec import UNSET

from core.errors import UserError
from core.fetch import ImageFetcher
from core.images.inbound import InboundLimits, PreparedImage, fit_mask, mask_from_alpha, opaque, prepare
from core.jobs.patience import for_a_person
from core.request import GenerationRequest
from core.store.forgetting import keep_forgetting
from core.store.inputs import InputRows

AT_ONCE = 1
"""Images that are decoded at the same time: each may take hundreds of megabytes for a moment."""
KEPT_SECONDS = 24 * 3600.0
"""An image that no unfinished job needs is deleted after so long."""
GONE = (
    "An image that this picture was made from is no longer kept: I keep them for a day. Attach it again to a command "
    "of your own."
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that a person attached; `size` in bytes."""

    url: str
    size: int


@dataclass(frozen=True, slots=True)
class Typed:
    """The address of an image that a person typed in place of a file; it may hold a secret, so no repr shows it."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Discord's own copy of an image that an embed shows; its size is not known."""

    url: str = field(repr=False)


Source = Sent | Typed | Embedded
"""Where an image is to be had."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An image that was taken in: the key that a request names it by, and its size in pixels."""

    key: str
    width: int
    height: int


class Intake:
    """The only way in for images."""

    def __init__(self, fetcher: ImageFetcher, rows: InputRows, limits: InboundLimits | None = None) -> None:
        self._fetcher = fetcher
        self._rows = rows
        self._limits = limits or InboundLimits()
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def takes_addresses(self) -> bool:
        """Whether an address may be given in place of a file."""
        return self._fetcher.takes_urls

    async def fetch(self, source: Source) -> bytes:
        """Its bytes, as they are; UserError where they can't be had, or addresses aren't taken here."""
        if isinstance(source, Typed):
            return await self._fetcher.fetch_url(source.url)
        if isinstance(source, Embedded):
            return await self._fetcher.fetch_embedded(source.url)
        return await self._fetcher.fetch_attachment(source.url, source.size)

    async def add(self, request: GenerationRequest, image: Source | None, mask: Source | None) -> GenerationRequest:
        """The request with its images stored and named by their keys; UserError where one can't be taken.

        Where no mask is sent, the image's own transparency is one. The picture is to get the image's shape.
        """
        if image is None:
            if mask is not None:
                raise UserError("A mask says where your image is drawn over: send the image with it.")
            return request
        drawn_over, over = await self._prepare(image, mask)
        for one in (drawn_over, over):
            if one is not None:
                await self._keep(one)
        shape = (drawn_over.width, drawn_over.height)
        return replace(request, image=drawn_over.key, mask=UNSET if over is None else over.key, shape=shape)

    async def add_control(self, request: GenerationRequest, image: Source) -> GenerationRequest:
        """The request with this image for its controls, and drawn over where a strength for that was said.

        UserError where it can't be taken. The picture is to get the image's shape.
        """
        data = await self.fetch(image)
        async with self._turn:
            guide = await asyncio.to_thread(lambda: opaque(prepare(data, self._limits)))
        await self._keep(guide)
        if request.control is not UNSET:
            request = replace(request, control=tuple(replace(use, image=guide.key) for use in request.control))
        request = replace(request, shape=(guide.width, guide.height))
        return request if request.denoising_strength is UNSET else replace(request, image=guide.key)

    async def add_image(self, request: GenerationRequest, image: Source) -> GenerationRequest:
        """The request of what works on an image alone, with that stored and named, and `width` and `height` its own."""
        stored = await self.take(await self.fetch(image), whole=request.task == "upscale")
        return replace(request, image=stored.key, width=stored.width, height=stored.height)

    async def take(self, data: bytes, *, whole: bool = False) -> Stored:
        """Store an image whose bytes are here already; UserError where it can't be taken.

        `whole`: nor where it would have to be made smaller for that.
        """
        async with self._turn:
            prepared = await asyncio.to_thread(prepare, data, self._limits)
        if whole and prepared.scaled_from is not None:
            width, height = prepared.scaled_from
            raise UserError(
                f"This image has {width}×{height} pixels, more than the {self._limits.kept_pixels / 1e6:.1f} million "
                "that can be enlarged here."
            )
        await self._keep(prepared)
        return Stored(prepared.key, prepared.width, prepared.height)

    async def keep_longer(self, request: GenerationRequest) -> None:
        """Keep the images that a request names for as long as new ones; UserError where one is gone."""
        keys = request.input_keys
        if keys and await for_a_person(lambda: self._rows.touch(keys, time.time())) < len(keys):
            raise UserError(GONE)

    async def _prepare(self, image: Source, mask: Source | None) -> tuple[PreparedImage, PreparedImage | None]:
        data = await self.fetch(image)
        mask_data = None if mask is None else await self.fetch(mask)
        async with self._turn:
            return await asyncio.to_thread(self._prepare_both, data, mask_data)

    def _prepare_both(self, data: bytes, mask_data: bytes | None) -> tuple[PreparedImage, PreparedImage | None]:
        image = prepare(data, self._limits)
        if mask_data is None:
            return image, mask_from_alpha(image)
        return image, fit_mask(prepare(mask_data, self._limits), (image.width, image.height))

    async def _keep(self, image: PreparedImage) -> None:
        await for_a_person(lambda: self._rows.put(image.key, image.png, time.time()))


async def forget_inputs(rows: InputRows, in_use: Callable[[], Awaitable[Collection[str]]]) -> None:
    """Delete what no unfinished job needs, for ever; `in_use` are the keys that are needed."""

    async def delete() -> int:
        before = time.time() - KEPT_SECONDS
        return await rows.delete_unused(before, await in_use())

    await keep_forgetting("images that were sent in", delete)
