"""The operator's wildcards while the bot runs."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import OpenStage
from tests.e2e.harness import until
from tests.e2e.test_webui_away import IMPATIENT


async def test_a_new_file_is_drawn_from_without_a_restart(new_stage: OpenStage, tmp_path: Path) -> None:
    folder = tmp_path / "wildcards"
    folder.mkdir()
    (folder / "animals.txt").write_text("fox", "utf-8")
    stage = await new_stage(entry=IMPATIENT, WILDCARDS_DIR=str(folder))
    assert "no wildcard" in await stage.refused("a __colours__ __animals__")
    (folder / "colours.txt").write_text("red", "utf-8")
    await until(lambda: "2 wildcards with 2 values" in stage.bot.log(), what="the new file to be read")
    await stage.drawn("a __colours__ __animals__", size="64x64", steps=1)
    assert stage.webui.renders[-1].payload["prompt"] == "a red fox"
