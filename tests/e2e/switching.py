"""What tests of /checkpoint share: an admin, their commands, and what reached the webuis and the rows."""

from __future__ import annotations

from typing import Any

from playground.discord import Channel, Interaction, Member, Message
from playground.webui import Checkpoint, LocalWebui
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage

FILES = ("dreamLandscapes_v4.safetensors", "paperCutout_v12.safetensors")
POST = "/sdapi/v1/options"


def broken_webui(**options: Any) -> LocalWebui:
    files = [*map(Checkpoint, FILES), Checkpoint("damaged_v1.safetensors", broken=True)]
    return cheap_webui(checkpoints=files, **options)


def admin_of(stage: Stage) -> Member:
    return stage.discord.member("grace", administrator=True)


async def command(stage: Stage, member: Member, words: str, channel: Channel | None = None, **options: Any) -> Message:
    return await stage.answered(await stage.discord.slash(member, f"checkpoint {words}", channel=channel, **options))


async def asked(stage: Stage, words: str, **options: Any) -> Interaction:
    return await stage.discord.slash(admin_of(stage), f"checkpoint {words}", **options)


async def ended(stage: Stage, words: str, **options: Any) -> str:
    """What an admin reads once it has ended."""
    interaction = await asked(stage, words, **options)

    def says() -> str | None:
        message = interaction.response
        lines = [] if message is None else [line for line in message.content.splitlines() if line.startswith("- ")]
        is_over = any("done: " in line for line in lines) and all(": " in line for line in lines)
        return message.content if message is not None and is_over else None

    return await stage.discord.until(says, 20, f"{words} to end")


def posted(webui: LocalWebui) -> list[Any]:
    """The options that were set for good."""
    return [request.body for request in webui.requests if request.method == "POST" and request.path == POST]


def switches(stage: Stage) -> list[dict[str, Any]]:
    return stage._select("SELECT * FROM switches ORDER BY created_at")
