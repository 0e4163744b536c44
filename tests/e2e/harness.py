"""The stage of every end-to-end test: a local Discord, local webuis, and the real bot process between them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

from playground.discord import Interaction, LocalDiscord, Member, Message, Rules, Upload
from playground.webui import LocalWebui
from tests.buttons import cancels
from tests.e2e.bot_process import ENTRY, ROOT, BotProcess
from tests.e2e.proof import check_log, check_messages

T = TypeVar("T")

_DOCUMENT = ROOT / os.environ.get("DISCORD_OPENAPI", "../shared/contracts/discord-openapi.json")
OPENAPI = _DOCUMENT if _DOCUMENT.exists() else None
START_SECONDS = 40.0
_POLL_SECONDS = 0.02
STEM = re.compile(r"easel-(\d+)-(\d+)\.")


class Stage:
    """What a test acts on and looks at. `ada` is the member who asks, unless another one is named."""

    def __init__(self, discord: LocalDiscord, webuis: Sequence[LocalWebui], bot: BotProcess) -> None:
        self.discord = discord
        self.webuis = webuis
        self.bot = bot
        self.expected_errors: tuple[str, ...] = ()
        self.ada = discord.member("ada")
        self._violations_before = 0
        self._logs_before: dict[BotProcess, int] = {}

    @property
    def processes(self) -> Sequence[BotProcess]:
        """Every process of Easel's that was started."""
        return (self.bot,)

    @property
    def webui(self) -> LocalWebui:
        """The first, and mostly the only one."""
        return self.webuis[0]

    # The bot's life

    async def start(self) -> None:
        """Start the bot; on return it is online and its commands are there."""
        identifies = self.discord.identifies
        await self.bot.spawn()
        await self.discord.wait_for_bot(START_SECONDS, identifies=identifies + 1)

    async def kill(self) -> None:
        """SIGKILL, until Discord has noticed."""
        await self.bot.kill()
        await self.discord.until(lambda: not self.discord.connected, what="the gateway to be left")

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    async def frozen(self, seconds: float) -> None:
        """Let the process stand still for so long, as a swapping machine does."""
        self.bot.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.bot.send(signal.SIGCONT)

    # What members do and see

    async def draw(self, prompt: str = "a lighthouse", *, member: Member | None = None, **options: Any) -> Interaction:
        """Send `/draw` and return at once."""
        return await self.discord.slash(member or self.ada, "draw", prompt=prompt, **options)

    async def answered(self, interaction: Interaction, timeout: float = 30.0) -> Message:
        """The reply, as soon as there is one."""
        return await self.discord.until(lambda: interaction.response, timeout, f"an answer to {interaction.id}")

    async def asked(self, prompt: str = "a lighthouse", **options: Any) -> Message:
        """Send `/draw`; its reply."""
        return await self.answered(await self.draw(prompt, **options))

    async def delivered(self, interaction: Interaction, pictures: int = 1, timeout: float = 30.0) -> Message:
        """The first message with pictures of this job, once so many pictures are there in all."""

        def arrived() -> Message | None:
            carriers = self.carriers(interaction)
            found = sum(len(message.attachments) for message in carriers)
            return carriers[0] if found >= pictures else None

        return await self.discord.until(arrived, timeout, f"{pictures} pictures of {interaction.id}")

    async def drawn(self, prompt: str = "a lighthouse", **options: Any) -> Message:
        """Send `/draw` and wait for its message with pictures."""
        interaction = await self.draw(prompt, **options)
        return await self.delivered(interaction, options.get("count") or 1)

    async def says(self, interaction: Interaction, words: str, timeout: float = 30.0) -> Message:
        """The job's reply, once it has `words` in it."""

        def said() -> Message | None:
            message = interaction.response
            return message if message is not None and words in message.content else None

        return await self.discord.until(said, timeout, f"{words!r} about {interaction.id}")

    async def refused(self, prompt: str = "a lighthouse", **options: Any) -> str:
        """Send a `/draw` that must not become a job; the sentence that only its sender sees."""
        message = await self.asked(prompt, **options)
        assert message.ephemeral, f"a refusal that everybody sees: {message.content}"
        assert not message.buttons()
        return message.content

    async def presses_cancel(self, message: Message, member: Member | None = None) -> Interaction:
        (button,) = cancels(message)
        return await self.discord.press(member or self.ada, message, button["custom_id"])

    def carriers(self, interaction: Interaction) -> list[Message]:
        """Every message that shows pictures of this job now, oldest first."""
        places = [self.discord.messages(interaction.channel), self.discord.messages(interaction.member.dm)]
        messages = {message.id: message for place in places for message in place}
        mark = f"easel-{interaction.id}-"
        return [message for message in messages.values() if any(mark in one.filename for one in message.attachments)]

    def uploads(self, interaction: Interaction) -> list[Upload]:
        """Every file of this job that ever appeared."""
        return [upload for upload in self.discord.uploads if f"easel-{interaction.id}-" in upload.filename]

    def arrived_once(self, interaction: Interaction, pictures: int = 1, *, sheet: bool | None = None) -> None:
        """Assert that each picture of the job appeared exactly once, and that they are still there.

        So did its contact sheet, or with `sheet` False none did: unless said, there is one of five pictures or more.
        """
        uploads = self.uploads(interaction)
        numbers = sorted(int(found[2]) for one in uploads if (found := STEM.search(one.filename)))
        assert numbers == list(range(1, pictures + 1)), f"pictures {numbers} of {interaction}"
        sheets = int(pictures >= 5 if sheet is None else sheet)
        assert len(uploads) - len(numbers) == sheets, f"sheets of {interaction}: {[one.filename for one in uploads]}"
        shown = sum(len(message.attachments) for message in self.carriers(interaction))
        assert shown == pictures + sheets, f"{shown} of {pictures} pictures and {sheets} sheets of {interaction}"

    # The bot's memory

    def row(self, interaction: Interaction) -> dict[str, Any]:
        """The job's row; {} where there is none."""
        return next(iter(self.rows(f"id = '{interaction.id}'")), {})

    def rows(self, where: str = "1") -> list[dict[str, Any]]:
        return self._select(f"SELECT * FROM jobs WHERE {where}")  # noqa: S608  # ours

    def parts(self, interaction: Interaction) -> list[dict[str, Any]]:
        """The rows of the job's pictures that were given out, in order."""
        return self._select(f"SELECT * FROM parts WHERE job_id = '{interaction.id}' ORDER BY number")  # noqa: S608  # ours

    def _select(self, query: str) -> list[dict[str, Any]]:
        path = self.bot.data_dir / "easel.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    async def reaches(self, interaction: Interaction, state: str, timeout: float = 30.0) -> dict[str, Any]:
        """The row, once it says `state`: that comes a moment after what Discord shows."""
        await until(lambda: self.row(interaction).get("state") == state, timeout, f"{interaction.id} to be {state}")
        return self.row(interaction)

    def complaints(self) -> list[str]:
        """What was logged as an error, or said outside of the log; each once."""
        bad = [one for process in self.processes for one in process.events() if one.keys() & {"raw", "exception"}]
        bad += [one for process in self.processes for one in process.events() if one.get("level") == "error"]
        return sorted({f"{one.get('event', one.get('raw'))}: {str(one.get('exception', ''))[-200:]}" for one in bad})

    # Before and after each test

    def begin(self) -> None:
        """What happened before is no affair of the test that begins."""
        self._violations_before = len(self.discord.violations)
        self._logs_before = {process: len(process.events()) for process in self.processes}
        self.expected_errors = ()

    def heal(self) -> None:
        """Nothing that a test switched on disturbs the next one."""
        self.discord.heal()
        for webui in self.webuis:
            webui.clear_faults()
            webui.release()

    def check(self) -> None:
        """What holds after every test, whatever it was about."""
        violations = self.discord.violations[self._violations_before :]
        assert not violations, violations
        secrets = [self.discord.token, *(interaction.token for interaction in self.discord.interactions)]
        secrets += [webui.url.partition("://")[2].partition("@")[0] for webui in self.webuis if "@" in webui.url]
        for process in self.processes:
            check_log(process.events()[self._logs_before.get(process, 0) :], self.expected_errors)
            assert not any(secret in process.log() for secret in secrets), "a secret is in the log"
        hosts = [str(self.discord.port), *(str(webui.port) for webui in self.webuis)]
        check_messages(self.discord.interactions, self.discord.messages, hosts)


@asynccontextmanager
async def open_stage(
    folder: Path,
    *webuis: LocalWebui,
    rules: Rules | None = None,
    entry: Path = ENTRY,
    start: bool = True,
    kindly: bool = True,
    listening: bool = True,
    **settings: str,
) -> AsyncIterator[Stage]:
    """A stage with the bot online (unless `start` is False).

    At the end the bot is told to stop and must stop well, or, unless `kindly`, is killed, which saves a second.
    `listening`: whether the webuis accept connections from the beginning. `settings` are the bot's environment.
    """
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(LocalDiscord(rules=rules, openapi=OPENAPI))
        for webui in webuis:
            await stack.enter_async_context(webui)
            if not listening:
                webui.refuse_connections()
        urls = ",".join(webui.url for webui in webuis)
        known = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "WEBUI_URLS": urls}
        known |= {"DRAIN_SECONDS": "1"}
        bot = BotProcess(folder, known | settings, entry)
        stage = Stage(discord, webuis, bot)
        try:
            if start:
                await stage.start()
            yield stage
        finally:
            stage.heal()
            try:
                if kindly and stage.bot.running:
                    await stops_well(stage)
            finally:
                if stage.bot.running:
                    await stage.bot.kill()


async def stops_well(stage: Stage) -> None:
    """SIGTERM, as container engines stop a bot; it ends at once, and has nothing to complain about."""
    said = len(stage.bot.events())
    status = await stage.bot.terminate()
    assert status == 0, f"the bot ended with {status} after SIGTERM"
    check_log(stage.bot.events()[said:], stage.expected_errors)


async def until(condition: Callable[[], T], timeout: float = 30.0, what: str = "a condition") -> T:
    """The first truthy value, of what lies in files or in several places at once and can't tell that it has changed."""
    try:
        async with asyncio.timeout(timeout):
            while True:
                if value := condition():
                    return value
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"waited {timeout} s for {what}") from None
