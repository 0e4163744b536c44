"""The README's table of what works on which webui is what these answer."""

from pathlib import Path

import aiohttp

from core.webui.dialects import Speech
from tests.core.webui.features import catalogs, table

README = Path(__file__).parents[3] / "README.md"
SPEECH = {
    "A1111": Speech.A1111,
    "reForge": Speech.A1111,
    "Forge": Speech.FORGE,
    "Forge Neo": Speech.FORGE,
    "SD.Next": Speech.SDNEXT,
    "sd.cpp": Speech.SDCPP,
    "KoboldCpp": Speech.KOBOLD,
    "Draw Things": Speech.DRAWTHINGS,
}


async def test_each_webui_is_spoken_to_in_its_own_way(session: aiohttp.ClientSession) -> None:
    found = await catalogs(session)
    assert {name: catalog.capabilities.speech for name, catalog in found.items()} == SPEECH


async def test_the_readme_says_what_works_on_which_webui(session: aiohttp.ClientSession) -> None:
    written = table(await catalogs(session))
    assert written in README.read_text("utf-8"), f"the README should say:\n{written}"
