"""Saves a delivered picture and looks at it again on the disk, as anybody with Pillow would. It knows no terminal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from PIL import Image

from playground.discord import Attachment

INFOTEXT_KEY: Final = "parameters"
"""The text chunk of a PNG in which webuis keep the infotext."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One picture on the disk: size in pixels, its infotext as Pillow reads it, its SHA-256 in hex."""

    path: Path
    kind: str
    width: int
    height: int
    bytes: int
    infotext: str | None
    digest: str

    def proves(self, prompt: str) -> bool:
        """Whether it is a PNG that carries the prompt and its seed."""
        text = self.infotext or ""
        return self.kind == "PNG" and " ".join(prompt.split()) in " ".join(text.split()) and "Seed:" in text


def save(attachment: Attachment, folder: Path) -> Saved:
    """Write the attachment into `folder`, which is there, under its own name, then read the file back."""
    path = folder / PurePosixPath(attachment.filename).name
    path.write_bytes(attachment.data)
    with Image.open(path) as image:
        text = image.info.get(INFOTEXT_KEY)
        return Saved(
            path=path,
            kind=image.format or "",
            width=image.width,
            height=image.height,
            bytes=path.stat().st_size,
            infotext=text if isinstance(text, str) else None,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
