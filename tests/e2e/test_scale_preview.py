"""Half-done pictures where a worker draws that never talks: shown by it, taken off by whoever takes over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.preferences import Preferences
from core.store.database import database_url, open_database
from core.store.preferences import CHANNEL, PreferenceRows
from playground.discord import Message
from tests.e2e.conftest import cheap_webui
from tests.e2e.scale import open_cluster
from tests.postgres import LocalPostgres

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
EVERY_STEP = {"show_progress_every_n_steps": 1}


def names(message: Message) -> list[str]:
    return [attachment.filename for attachment in message.attachments]


async def test_a_worker_shows_them_and_another_takes_a_dead_ones_off(tmp_path: Path, postgres: LocalPostgres) -> None:
    workers = {name: [cheap_webui(name=name, options=EVERY_STEP)] for name in ("one", "two")}
    async with open_cluster(tmp_path, postgres, workers) as stage:
        async with open_database(database_url(stage.bot.settings["DATABASE_URL"], tmp_path)) as engine:
            wished = Preferences(PreferenceRows(engine))
            await wished.put(CHANNEL, str(stage.discord.channel.id), {"preview": "on"})
        for webui in stage.webuis:
            webui.hold(2)
        interaction = await stage.draw(**OPTIONS)
        message = await stage.answered(interaction)
        preview = f"preview-{interaction.id}.jpg"
        await stage.discord.until(lambda: names(message) == [preview], 20.0, "a preview")
        drawer = await stage.drawer_of(interaction)
        (other,) = [worker for worker in stage.workers if worker is not drawer]
        await drawer.kill()
        await other.webuis[0].until(lambda: other.webuis[0].running is not None, 20.0)
        other.webuis[0].release()
        await stage.delivered(interaction)
        await stage.reaches(interaction, "done")
        assert names(message) == [f"easel-{interaction.id}-1.png"]
        stage.arrived_once(interaction)
        # Cancelled by the gateway, which has never seen a preview of it.
        other.webuis[0].hold(2)
        second = await stage.draw(**OPTIONS)
        message = await stage.answered(second)
        await stage.discord.until(lambda: names(message) == [f"preview-{second.id}.jpg"], 20.0, "a preview")
        await stage.presses_cancel(message)
        await stage.says(second, "Cancelled")
        await stage.discord.until(lambda: not names(message), 10.0, "the preview to be gone")
        stage.check()
