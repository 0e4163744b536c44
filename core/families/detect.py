"""Which family a checkpoint is of. Pure: it knows a list's entry, the table, and what was corrected.

A correction counts before anything else, then the file's hash, then its name with the folders it lies in. Webuis say no
more of a checkpoint in their lists: `config` is a file of its own name beside it, null on Forge, and SD.Next's
`type` is the kind of file (safetensors, diffusers), not of model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from core.families.family import UNKNOWN, Family
from core.families.names import Name
from core.families.reading import HASH_LENGTH
from core.families.table import Table
from core.webui.catalog import Checkpoint

_SUFFIX = re.compile(r"\.(safetensors|ckpt|gguf|sft|pth?)$")
_STEPS = re.compile(r"(?<!\d)(\d{1,2})[\s_-]?steps?(?![a-z])", re.IGNORECASE)
_MOST_STEPS = 16
"""A distilled checkpoint whose name says more is not naming its steps."""


def title_key(title: str) -> str:
    """A plain title as every webui would write it: in any case, with either slash."""
    return title.strip().replace("\\", "/").lower()


def correction_key(title: str) -> str:
    """The same without the file's ending, which not every webui writes."""
    return _SUFFIX.sub("", title_key(title))


def family_of(checkpoint: Checkpoint, table: Table, corrections: Mapping[str, str]) -> Family:
    """The checkpoint's family, UNKNOWN where nothing tells it.

    `corrections` holds keys such as `pony` or `sdxl/lightning` by plain title or stem, each as it stands or as
    `title_key` or `correction_key` writes it. One that the table doesn't know (any more) is passed over.
    """
    family = _corrected(checkpoint, table, corrections)
    # Not model_name: in AUTOMATIC1111's the end of a folder can't be seen.
    written = f"{checkpoint.plain_title}/{checkpoint.stem}"
    if family is None:
        name = Name(written)
        base = _by_hash(checkpoint, table) or table.told_family(name) or UNKNOWN.name
        variant = table.told_variant(name)
        family = table.family(f"{base}/{variant}" if variant else base) or UNKNOWN
    return _with_its_steps(family, written) if family.distilled else family


def _corrected(checkpoint: Checkpoint, table: Table, corrections: Mapping[str, str]) -> Family | None:
    for name in (checkpoint.plain_title, checkpoint.stem):
        for key in (name, title_key(name), correction_key(name)):
            if key in corrections and (family := table.family(corrections[key])) is not None:
                return family
    return None


def _by_hash(checkpoint: Checkpoint, table: Table) -> str | None:
    hashes = (known.lower()[:HASH_LENGTH] for known in checkpoint.hashes)
    return next((table.by_hash[known] for known in hashes if known in table.by_hash), None)


def _with_its_steps(family: Family, written: str) -> Family:
    """`sdxl_lightning_4step` is to be drawn in 4 steps."""
    found = _STEPS.search(written)
    steps = int(found[1]) if found else 0
    return replace(family, steps=steps) if 1 <= steps <= _MOST_STEPS else family
