"""The webuis' catalogs as several processes, and later ones, know them: written once each, read where they changed.

A catalog of 10,000 LoRAs is a megabyte of JSON, and what else is said of a webui changes with every picture.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from core.store.backends import BackendRow, BackendRows, StoredCatalog
from core.webui.catalog import Catalog
from core.webui.view import BackendView

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    digest: str
    catalog: Catalog


class Catalogs:
    """Those that this process has written or read, by the key of their webui."""

    def __init__(self, rows: BackendRows) -> None:
        self._rows = rows
        self._known: dict[str, _Known] = {}

    async def pack(self, views: Iterable[BackendView]) -> dict[str, StoredCatalog]:
        """What is to be written: the catalogs of these webuis that are others than before."""
        changed: dict[str, StoredCatalog] = {}
        for view in views:
            if view.catalog is None:
                continue
            catalog = view.catalog.with_loaded(view.default_checkpoint)
            known = self._known.get(view.key)
            if known is None or known.catalog != catalog:
                stored = await asyncio.to_thread(_encode, catalog)
                if known is None or known.digest != stored.digest:
                    changed[view.key] = stored
                self._known[view.key] = _Known(stored.digest, catalog)
        return changed

    def digest_of(self, key: str) -> str | None:
        """Of the catalog that was packed or read last."""
        known = self._known.get(key)
        return None if known is None else known.digest

    def forget(self, keys: Iterable[str]) -> None:
        """These were not written after all."""
        for key in keys:
            self._known.pop(key, None)

    async def read(self, rows: Iterable[BackendRow]) -> Mapping[str, Catalog]:
        """The catalogs of these webuis, by key. Where one can't be read there is none."""
        wanted = {row.key: row.catalog_digest for row in rows if row.catalog_digest is not None}
        missing = [key for key, digest in wanted.items() if self.digest_of(key) != digest]
        for key, stored in (await self._rows.fetch_catalogs(missing)).items() if missing else ():
            catalog = await asyncio.to_thread(_decode, key, stored.json)
            if catalog is not None:
                self._known[key] = _Known(stored.digest, catalog)
        return {key: known.catalog for key in wanted if (known := self._known.get(key)) is not None}


def _encode(catalog: Catalog) -> StoredCatalog:
    json = msgspec.json.encode(catalog)
    return StoredCatalog(hashlib.sha256(json).hexdigest(), json.decode())


def _decode(key: str, json: str) -> Catalog | None:
    try:
        return msgspec.json.decode(json, type=Catalog).prepare()
    except msgspec.MsgspecError:
        log.warning("a webui's catalog can't be read; its worker may be of another version", extra={"webui": key})
        return None
