"""Bot path against a direct script: webui's answer received → Discord request written, one 1024x1024 picture.

One run, one local webui with the same prepared answer of about 2.4 MB (a PNG of 1.8 MB), one picture for the bot and
one for the script in turns, both warm, both real processes. All times are of the system's monotonic clock, which is
the same in every process.

Start: the last byte of the webui's answer is handed to the client's socket. The server notes it, for both alike.
End, bot: the last byte of the PATCH that carries the picture has arrived at the local Discord, which receives it whole
before it looks at it. (Also printed: its head has arrived.) By then the picture and the row that says it is drawn are
synced to the disk, and the engine has recorded two steps.
End, script: `await r.json()`, `base64.b64decode`, `Path.write_bytes` are done. Nothing is synced: the script promises
nothing.

The bot reads the answer while it arrives, so some of its work is done before the start; the script can't do that. So
the same ratio is printed from the answer's first byte, too, where neither has done anything yet.

Then, where the bot's time goes: medians between the pipeline's named points.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, milliseconds, percentile, ratio_spread, summary, table
from benchmarks.ground import ROOT, Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import Drawn, ReadyWebui
from playground.discord import Interaction

SIDE = 1024
WARM_UP = 5
PAIRS = 60
BLOCKS = 3
STAGES = ("rendered", "kept", "drawn", "delivering")


async def measure() -> list[Figure]:
    """The ratios and where the time goes."""
    webui = ReadyWebui(make_pixels(SIDE), SIDE)
    async with stand([webui]) as ground:
        script = await _start_script(webui, ground.folder)
        async with ground.bot() as bot:
            written, interactions = await _take_turns(ground, script)
        await _stop_script(script)
        report = bot.report()
    theirs, ours = webui.drawn[0::2], webui.drawn[1::2]
    figures = _compare(ours, ground, theirs, written)
    times = [report.times(str(interaction.id)) for interaction in interactions]
    return figures + _stages(times[WARM_UP:], ours[WARM_UP:], ground)


async def _start_script(webui: ReadyWebui, folder: Path) -> asyncio.subprocess.Process:
    pictures = folder / "script"
    pictures.mkdir()
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.direct", webui.url, str(pictures)]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)


async def _stop_script(script: asyncio.subprocess.Process) -> None:
    if script.stdin is not None:
        script.stdin.close()
    await script.wait()


async def _take_turns(ground: Ground, script: asyncio.subprocess.Process) -> tuple[list[float], list[Interaction]]:
    """When the script had written each file, and the bot's interactions."""
    member = ground.discord.member("ann")
    written: list[float] = []
    interactions: list[Interaction] = []
    if script.stdin is None or script.stdout is None:
        raise RuntimeError("the script has no pipes")
    for _ in range(WARM_UP + PAIRS):
        script.stdin.write(b"\n")
        written.append(float(await script.stdout.readline()))
        interactions.append(await ground.draw(member, size=f"{SIDE}x{SIDE}"))
        await ground.delivered(interactions[-1:])
    return written, interactions


def _compare(ours: Sequence[Drawn], ground: Ground, theirs: Sequence[Drawn], written: Sequence[float]) -> list[Figure]:
    pairs = list(zip(ours, ground.uploads, theirs, written, strict=True))[WARM_UP:]
    bot = milliseconds([upload.whole - drawn.last_byte for drawn, upload, _, _ in pairs])
    head = milliseconds([upload.head - drawn.last_byte for drawn, upload, _, _ in pairs])
    script = milliseconds([done - drawn.last_byte for _, _, drawn, done in pairs])
    bot_all = milliseconds([upload.whole - drawn.first_byte for drawn, upload, _, _ in pairs])
    script_all = milliseconds([done - drawn.first_byte for _, _, drawn, done in pairs])
    low, high = ratio_spread(bot, script, BLOCKS)
    return [
        Figure(
            what="bot path / direct script, p50",
            value=statistics.median(bot) / statistics.median(script),
            unit="×",
            bar=1.0,
            detail=f"{BLOCKS} parts of the run: {low:.2f} to {high:.2f}",
        ),
        Figure(
            what="bot path / direct script, p99",
            value=percentile(bot, 99) / percentile(script, 99),
            unit="×",
            detail=f"bot {summary(bot, 'ms')}; script {summary(script, 'ms')}",
        ),
        Figure(
            what="  to the request's head only, p50",
            value=statistics.median(head) / statistics.median(script),
            unit="×",
            detail=f"bot {summary(head, 'ms')}",
        ),
        Figure(
            what="  from the answer's first byte, p50",
            value=statistics.median(bot_all) / statistics.median(script_all),
            unit="×",
            detail=f"bot {summary(bot_all, 'ms')}; script {summary(script_all, 'ms')}",
        ),
    ]


def _stages(times: Sequence[dict[str, float]], ours: Sequence[Drawn], ground: Ground) -> list[Figure]:
    """Medians from one point to the next, from the answer's last byte to the request's."""
    uploads = ground.uploads[WARM_UP:]
    marks = [
        [drawn.last_byte, *(seen[stage] for stage in STAGES), upload.head, upload.whole]
        for drawn, seen, upload in zip(ours, times, uploads, strict=True)
    ]
    names = ["answer", *STAGES, "request's head", "request's end"]
    return [
        Figure(
            what=f"  {names[number]} → {names[number + 1]}",
            value=1000 * statistics.median(row[number + 1] - row[number] for row in marks),
            unit="ms",
        )
        for number in range(len(names) - 1)
    ]


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
