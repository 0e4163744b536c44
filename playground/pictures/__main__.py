"""Makes docs/result.webp and docs/history.webp: scripts/pictures calls it with the bundled web components.

python -m playground.pictures BUNDLE.js FOLDER
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageChops

from playground.demo.process import BotProcess
from playground.discord import LocalDiscord, Member, Message
from playground.pictures.page import page, picture_url, show
from playground.webui import LocalWebui

_BACKGROUND: Final = (54, 57, 62)
_WIDTH: Final = 760
_PROMPT: Final = "a lighthouse at sunset, waves, oil painting"
_MORE: Final = ("a fox in the snow", "a castle on a hill, autumn", "a harbour at night, rain")


async def _drawn(discord: LocalDiscord, ada: Member, prompt: str, **options: Any) -> Message:
    interaction = await discord.slash(ada, "draw", prompt=prompt, **options)

    def finished() -> Message | None:
        message = interaction.response
        ended = (
            message is not None
            and message.attachments
            and not any(button.get("label") == "Cancel" for button in message.buttons())
        )
        return message if ended else None

    return await discord.until(finished, 60, "a picture")


async def _scenes() -> dict[str, str]:
    """The HTML of each picture, by its file's name; without the head of its page."""
    async with LocalDiscord() as discord, LocalWebui(seconds_per_step=0.001) as webui:
        settings = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "WEBUI_URLS": webui.url}
        bot = await asyncio.to_thread(BotProcess, settings)
        try:
            await discord.wait_for_bot(60)
            ada = discord.member("ada")
            for number, prompt in enumerate(_MORE):
                await _drawn(discord, ada, prompt, size="768x512", seed=number + 3)
            result = await _drawn(discord, ada, _PROMPT, size="768x512", seed=42)
            avatar = picture_url(_avatar(result.attachments[0].data), "image/png")
            asked = await discord.slash(ada, "history")
            history = await discord.until(lambda: asked.response, 20, "the history")
            await discord.until(lambda: not history.thinking, 20, "the history's pages")
            return {
                "result": show(result, asked_by="ada", command="/draw", avatar=avatar),
                "history": show(history, asked_by="ada", command="/history", avatar=avatar),
            }
        finally:
            await asyncio.to_thread(bot.close, keep_log=False)


def _avatar(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGB").resize((80, 80), Image.Resampling.LANCZOS, box=(200, 0, 712, 512))
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()


def _photograph(body: str, bundle: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet, shot = Path(folder) / "page.html", Path(folder) / "page.png"
        sheet.write_text(page([body], bundle.resolve().as_uri()), "utf-8")
        subprocess.run(  # noqa: S603  # a browser, with a page that was made here
            [  # noqa: S607  # whichever is installed
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--force-device-scale-factor=2", f"--window-size={_WIDTH},1400", "--virtual-time-budget=5000",
                f"--screenshot={shot}", sheet.as_uri(),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        with Image.open(shot) as picture:
            _cut(picture.convert("RGB")).save(target, "WEBP", quality=88, method=6)


def _cut(picture: Image.Image) -> Image.Image:
    """Without what is below the message."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, _BACKGROUND)).getbbox()
    return picture if box is None else picture.crop((0, 0, picture.width, min(box[3] + 24, picture.height)))


def main() -> None:
    """Make all of them."""
    bundle, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for name, body in asyncio.run(_scenes()).items():
        _photograph(body, bundle, folder / f"{name}.webp")


if __name__ == "__main__":
    main()
