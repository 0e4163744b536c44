"""The local Discord and the local webui on a thread of their own, and what the demo's one member does there.

The terminal stays with the main thread, where Ctrl-C arrives. It knows no terminal.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from playground.discord import Attachment, Interaction, LocalDiscord, Message
from playground.webui import LocalWebui

T = TypeVar("T")

MEMBER: Final = "you"
SLASH: Final = 1
"""Discord's type of commands that are typed."""
CANCEL: Final = "Cancel"
"""What the button says that stops a job."""
_SILENCE: Final = "The application did not respond"
"""What Discord shows where a bot has not answered in time."""
_LATE_SECONDS: Final = 5.0
"""How long further pictures of the same command may come after the first."""
_FOREVER: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class View:
    """The answer to a command as its member sees it at one moment. `over`: nothing more will come."""

    content: str
    only_you: bool
    button: str | None
    attachments: tuple[Attachment, ...]
    over: bool


class Performance:
    """One command that was sent: its views arrive in `views` as they change, until one is `over`."""

    def __init__(self, stage: Stage, interaction: Interaction, expected: int) -> None:
        self._stage = stage
        self.interaction = interaction
        self.expected = expected
        self.views: SimpleQueue[View] = SimpleQueue()

    def press(self, button: str) -> None:
        """Press a button of the answer, as its member would."""
        self._stage.press(self.interaction, button)


class Stage:
    """Open it, start a bot with its `settings`, then `draw`."""

    def __init__(self, *, step_seconds: float) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playground", daemon=True)
        self._discord = LocalDiscord()
        self._webui = LocalWebui(seconds_per_step=step_seconds, load_seconds=0.5)
        self._following: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Listen."""
        self._thread.start()
        self._run(self._discord.start())
        self._run(self._webui.start())

    def close(self) -> None:
        """Stop listening and end the thread."""
        if self._thread.is_alive():
            self._run(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    @property
    def settings(self) -> dict[str, str]:
        """What the bot's environment has to say to find this stage."""
        return {
            "DISCORD_TOKEN": self._discord.token,
            "DRAIN_SECONDS": "1",  # whoever leaves the demo waits for no picture
            "DISCORD_API_URL": self._discord.api_url,
            "WEBUI_URLS": self._webui.url,
        }

    @property
    def addresses(self) -> tuple[str, str]:
        """Where Discord and the webui listen, for people."""
        return f"127.0.0.1:{self._discord.port}", f"127.0.0.1:{self._webui.port}"

    @property
    def checkpoints(self) -> int:
        """How many the webui has."""
        return len(self._webui.catalog.checkpoints)

    @property
    def commands(self) -> Mapping[str, dict[str, Any]]:
        """The slash commands that the bot has registered, by name; menus of messages are none."""
        return {name: one for name, one in self._discord.commands.items() if one.get("type", SLASH) == SLASH}

    def bot_is_online(self, seconds: float) -> bool:
        """Whether the bot is there within so many seconds, its commands registered."""
        try:
            self._run(self._discord.wait_for_bot(seconds))
        except TimeoutError:
            return False
        return True

    def draw(self, command: str, options: Mapping[str, str]) -> Performance:
        """Send a slash command as the member. NotSendable where the member's own client would refuse."""
        return self._run(self._draw(command, options))

    def press(self, interaction: Interaction, button: str) -> None:
        """Press a button on the answer to `interaction`, if it is still there."""
        self._run(self._press(interaction, button))

    def sent_by_webui(self, digest: str) -> bool:
        """Whether the webui sent a file with this SHA-256, in hex."""
        return any(digest in render.digests for render in self._webui.renders)

    async def _draw(self, command: str, options: Mapping[str, str]) -> Performance:
        given: dict[str, Any] = dict(options)
        interaction = await self._discord.slash(self._discord.member(MEMBER), command, **given)
        count = options.get("count", "1")
        expected = min(int(count), 10) if count.isdecimal() else 1
        performance = Performance(self, interaction, expected)
        task = asyncio.create_task(self._follow(performance))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return performance

    async def _follow(self, performance: Performance) -> None:
        """Put every change into the performance's queue."""
        interaction = performance.interaction
        seen: View | None = None

        def changed() -> View | None:
            view = _view(interaction)
            return view if view is not None and view != seen else None

        try:
            await self._discord.until(lambda: interaction.acknowledged, self._discord.rules.ack_seconds + 0.5)
        except TimeoutError:
            performance.views.put(View(_SILENCE, True, None, (), over=True))
            return
        while seen is None or not seen.over:
            seen = await self._discord.until(changed, _FOREVER)
            if seen.over and seen.attachments:
                seen = await self._complete(performance, seen)
            performance.views.put(seen)

    async def _complete(self, performance: Performance, view: View) -> View:
        """Pictures that did not fit into one message follow in others."""

        def all_there() -> View | None:
            later = _view(performance.interaction)
            return later if later is not None and len(later.attachments) >= performance.expected else None

        try:
            return await self._discord.until(all_there, _LATE_SECONDS)
        except TimeoutError:
            return _view(performance.interaction) or view

    async def _press(self, interaction: Interaction, button: str) -> None:
        message = interaction.response
        if message is not None and any(one.get("custom_id") == button for one in message.buttons()):
            await self._discord.press(interaction.member, message, button)

    async def _end(self) -> None:
        for task in self._following:
            task.cancel()
        await self._discord.stop()
        await self._webui.stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _view(interaction: Interaction) -> View | None:
    """None before there is a message. An answer that can't be cancelled any more is the last."""
    messages = [message for message in interaction.messages if not message.deleted and not message.thinking]
    if not messages:
        return None
    buttons = [str(one["custom_id"]) for one in messages[0].buttons() if one.get("label") == CANCEL]
    return View(
        content=messages[0].content,
        only_you=messages[0].ephemeral,
        button=buttons[0] if buttons else None,
        attachments=tuple(_attachments(messages)),
        over=not buttons,
    )


def _attachments(messages: list[Message]) -> list[Attachment]:
    return [attachment for message in messages for attachment in message.attachments]
