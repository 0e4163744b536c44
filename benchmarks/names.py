"""Many names and large pictures: how long they hold the bot up, and how much memory they take.

Autocomplete is asked in this process, from what was typed to the choices that Discord gets, on a catalog of 10,000
LoRAs. The memory is that of a webui's list of 10,000 LoRAs with all that its training left in them, as tracemalloc
sees it: while the list is read as it arrives, and of what is kept with its look-up tables. Splicing a text into a PNG
is compared with opening it and saving it anew. An answer of 40 MB is read in a process of its own
(benchmarks.reader), from a webui in another one.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.elsewhere import ROOT, webuis_elsewhere
from benchmarks.figures import Figure, milliseconds, percentile, summary, table
from benchmarks.pictures import infotext, make_pixels
from cogs.completing import offer_last
from core.images.png import splice_text
from core.webui.assets import Assets, Lora
from core.webui.catalog import Catalog
from core.webui.lists import LoraReader

LORAS = 10_000
TYPED = 2_000
PIECE = 128 * 1024
SIDE = 1024
SPLICES = 200
REWRITES = 5
ANSWER_SIDE = 2048
"""Four pictures of this side are an answer of about 40 MB."""
MEGABYTE = 1_000_000
AUTOCOMPLETE_BAR = 5.0
CATALOG_BAR = 10.0
SPLICE_BAR = 100.0
ANSWER_BAR = 12.0
BLOCK_BAR = 15.0
WORDS = ("detail", "style", "ink", "light", "character", "anime", "film", "retro", "xl", "pony", "face", "hand")


async def measure() -> list[Figure]:
    """All of it, one after the other."""
    return [*_autocomplete(), *_memory(), _splice(), *await _large_answer()]


def _names() -> list[str]:
    chance = random.Random(7)  # noqa: S311  # the same names each time
    return [f"{chance.choice(WORDS)}_{chance.choice(WORDS)}_{number:05}_v{number % 7}" for number in range(LORAS)]


def _autocomplete() -> list[Figure]:
    chance = random.Random(11)  # noqa: S311  # the same words each time
    catalog = Catalog(assets=Assets(loras=tuple(map(Lora, _names())))).prepare()
    typed = ["", "a", "nothing of that kind", *(f"{chance.choice(WORDS)[: 1 + n % 6]}" for n in range(TYPED))]
    typed += [f"{chance.choice(WORDS)}:0.8, {chance.choice(WORDS)[:3]}" for _ in range(TYPED)]
    times = [_seconds(catalog, text) for text in typed]
    found = milliseconds(times)
    return [
        Figure(
            what="autocomplete over 10,000 LoRAs, p99",
            value=percentile(found, 99),
            unit="ms",
            bar=AUTOCOMPLETE_BAR,
            detail=summary(found, "ms", 2),
        ),
        Figure(what="  p50", value=percentile(found, 50), unit="ms"),
    ]


def _seconds(catalog: Catalog, typed: str) -> float:
    start = time.perf_counter()
    offer_last(catalog.assets.lora_names, typed, weighted=True)
    return time.perf_counter() - start


def _list(names: Sequence[str]) -> Iterator[bytes]:
    """What a webui says of its LoRAs, in pieces as they come from the network; never whole."""
    tags = {f"{word}, {other}, as somebody wrote it": 7 for word, other in itertools.product(WORDS, repeat=2)}
    training = json.dumps({"ss_tag_frequency": {"images": tags}}).encode()
    left = bytearray(b"[")
    for number, name in enumerate(names):
        path = f"/srv/stable-diffusion-webui/models/Lora/{name}.safetensors"
        said = f'{{"name":"{name}","alias":"{name.replace("_", " ")}","path":"{path}","metadata":'
        left += b"," * (number > 0) + said.encode() + training + b"}"
        while len(left) >= PIECE:
            yield bytes(left[:PIECE])
            del left[:PIECE]
    yield bytes(left) + b"]"


def _memory() -> list[Figure]:
    pieces = _list(_names())
    reader = LoraReader()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        size = 0
        for piece in pieces:
            reader.feed(piece)
            size += len(piece)
        assets = Assets(loras=reader.close())
        peak = tracemalloc.get_traced_memory()[1] - before
        del reader, pieces, piece
        catalog = Catalog(assets=assets).prepare()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    detail = f"{len(catalog.assets.loras):,} LoRAs, whose list is {size / MEGABYTE:.0f} MB"
    return [
        Figure(what="memory of a webui's catalog", value=kept / MEGABYTE, unit="MB", bar=CATALOG_BAR, detail=detail),
        Figure(what="  most of it while the list is read", value=peak / MEGABYTE, unit="MB", bar=CATALOG_BAR),
    ]


def _splice() -> Figure:
    pixels, text = make_pixels(SIDE), infotext("a harbour", 1, SIDE)
    ours, theirs = [], []
    for _ in range(SPLICES):
        start = time.perf_counter()
        splice_text(pixels, "parameters", text)
        ours.append(time.perf_counter() - start)
    for _ in range(REWRITES):
        start = time.perf_counter()
        _rewrite(pixels, text)
        theirs.append(time.perf_counter() - start)
    spliced, rewritten = statistics.median(ours), statistics.median(theirs)
    return Figure(
        what="PNG splice against decode and encode, 1024x1024",
        value=rewritten / spliced,
        unit="× as fast",
        bar=SPLICE_BAR,
        at_least=True,
        detail=f"{1000 * spliced:.2f} ms against {1000 * rewritten:.0f} ms, medians",
    )


def _rewrite(pixels: bytes, text: str) -> bytes:
    """As it is done with Pillow."""
    info, out = PngInfo(), io.BytesIO()
    info.add_text("parameters", text)
    with Image.open(io.BytesIO(pixels)) as image:
        image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


async def _large_answer() -> list[Figure]:
    async with webuis_elsewhere(1, ANSWER_SIDE, 0.0) as webuis:
        command = [sys.executable, "-m", "benchmarks.reader", webuis.urls[0]]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
    seen: dict[str, Any] = json.loads(said)
    blocked, floor = milliseconds(seen["blocked"]), milliseconds(seen["floor"])
    return [
        Figure(
            what="memory while a 4-picture answer is read",
            value=seen["grown"] / MEGABYTE,
            unit="MB",
            bar=ANSWER_BAR,
            detail=f"{seen['size'] / MEGABYTE:.0f} MB each; the most of {len(blocked)} answers, and all that stays",
        ),
        Figure(
            what="loop blocked while it is read",
            value=statistics.median(blocked),
            unit="ms",
            bar=BLOCK_BAR,
            detail=f"median of {len(blocked)} rounds, {min(blocked):.1f} to {max(blocked):.1f} ms",
        ),
        Figure(what="  the machine's own floor", value=statistics.median(floor), unit="ms"),
    ]


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
