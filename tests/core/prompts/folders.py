"""Folders of wildcards for tests, and generators that draw."""

import random
from pathlib import Path

from core.prompts.draft import Caps
from core.prompts.wildcards import Wildcards

NONE = Wildcards()
CAPS = Caps()


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # what a picture shows is no secret


def write(folder: Path, **files: str) -> Path:
    """Files by name: `colours__warm` is `colours/warm.txt`."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def shelf(folder: Path, **files: str) -> Wildcards:
    """The wildcards of such a folder, read."""
    wildcards = Wildcards(write(folder, **files))
    wildcards.refresh()
    return wildcards
