"""The commands as they are registered, and what their autocomplete offers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from cogs.asking import Desk
from cogs.checkpoint import CheckpointCog
from cogs.client import INTENTS, EaselClient
from cogs.control import ControlCog
from cogs.describe import DescribeCog
from cogs.draw import DrawCog
from cogs.help import HelpCog
from cogs.history import HistoryCog
from cogs.menu_views import NAMES
from cogs.menus import MenusCog
from cogs.pnginfo import PngInfoCog
from cogs.presets import PresetCog
from cogs.queue import QueueCog
from cogs.show import ShowCog
from cogs.status import StatusCog
from cogs.upscale import UpscaleCog
from cogs.wishes import WishesCog
from core.size import parse_size
from core.store.database import database_url, open_database
from core.store.facts import Facts
from core.webui.catalog import Catalog, Checkpoint, Named, find_checkpoint
from tests.cogs.command_limits import broken_limits

README = Path(__file__).parents[2] / "README.md"
TYPE = discord.AppCommandOptionType


class NothingWished:
    """No admin has wished anything of a webui."""

    async def unfinished(self) -> dict[str, Any]:
        return {}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[EaselClient]:
    async def on_login(_client: EaselClient) -> None:
        """Nothing is logged in here."""

    async with (
        open_database(database_url(None, tmp_path)) as database,
        EaselClient(facts=Facts(database), on_login=on_login) as client,
    ):
        nothing = cast(Any, None)
        desk = Desk(studio=nothing, delivery=nothing, intake=nothing)
        for cog in (
            DrawCog(desk),
            ControlCog(desk),
            QueueCog(nothing, nothing),
            StatusCog(nothing),
            PngInfoCog(nothing),
            CheckpointCog(nothing, cast(Any, NothingWished()), nothing, None, client=client),
            UpscaleCog(desk),
            DescribeCog(desk),
            PresetCog(desk, nothing, nothing, nothing),
            HistoryCog(nothing, nothing, nothing),
            ShowCog(nothing, nothing, nothing, nothing, nothing, nothing),
            HelpCog(client.tree),
            MenusCog(desk, nothing, nothing, nothing, nothing, client.tree),
            WishesCog(nothing),
        ):
            await client.add_cog(cog)
        yield client


def definitions(client: EaselClient) -> dict[str, dict[str, Any]]:
    return {command.name: cast(Any, command.to_dict(client.tree)) for command in client.tree.get_commands()}


async def test_every_command_is_within_discord_s_limits(client: EaselClient) -> None:
    commands = definitions(client)
    drawing = {"draw", "control", "upscale", "describe"}
    others = {"queue", "status", "pnginfo", "checkpoint", "preset", "history", "show", "help", "my", "settings"}
    assert commands.keys() == drawing | others | {*NAMES.values()}
    for command in commands.values():
        assert broken_limits(command) == []


async def test_the_menus_of_messages_are_no_more_than_the_library_takes(client: EaselClient) -> None:
    menus = [command for command in definitions(client).values() if command["type"] == 3]
    assert [menu["name"] for menu in menus] == ["Image info", "Draw from this", "Upscale", "Describe"]


async def test_the_readme_names_each_option_of_draw_once(client: EaselClient) -> None:
    table = README.read_text("utf-8").partition("\n## /draw\n")[2].partition("| --- | --- |\n")[2].partition("\n\n")[0]
    cells = [row.split(" | ")[0] for row in table.splitlines() if not row.startswith("| `extra`: ")]
    named = [name for cell in cells for name in re.findall(r"`([a-z_0-9]+)`", cell)]
    assert sorted(named) == sorted(option["name"] for option in definitions(client)["draw"]["options"])


async def test_draw_has_the_options_people_were_promised(client: EaselClient) -> None:
    options = definitions(client)["draw"]["options"]
    assert [(option["name"], option["type"]) for option in options] == [
        ("prompt", TYPE.string.value),
        ("negative_prompt", TYPE.string.value),
        ("checkpoint", TYPE.string.value),
        ("size", TYPE.string.value),
        ("steps", TYPE.integer.value),
        ("cfg_scale", TYPE.number.value),
        ("sampler", TYPE.string.value),
        ("scheduler", TYPE.string.value),
        ("seed", TYPE.integer.value),
        ("count", TYPE.integer.value),
        ("clip_skip", TYPE.integer.value),
        ("styles", TYPE.string.value),
        ("loras", TYPE.string.value),
        ("vae", TYPE.string.value),
        ("hires", TYPE.number.value),
        ("hires_upscaler", TYPE.string.value),
        ("distilled_cfg", TYPE.number.value),
        ("image", TYPE.attachment.value),
        ("denoising_strength", TYPE.number.value),
        ("mask", TYPE.attachment.value),
        ("face_fix", TYPE.boolean.value),
        ("extra", TYPE.string.value),
        ("preset", TYPE.string.value),
        ("spoiler", TYPE.boolean.value),
        ("private", TYPE.boolean.value),
    ]
    assert [option["name"] for option in options if option["required"]] == ["prompt"]
    assert {option["name"] for option in options if option.get("autocomplete")} == {
        "checkpoint",
        "size",
        "sampler",
        "scheduler",
        "styles",
        "loras",
        "vae",
        "hires_upscaler",
        "extra",
        "preset",
    }


async def test_what_works_on_an_image_has_the_options_people_were_promised(client: EaselClient) -> None:
    found = {
        name: [(option["name"], TYPE(option["type"])) for option in definitions(client)[name]["options"]]
        for name in ("upscale", "describe")
    }
    numbers = ("upscaler_2_visibility", "gfpgan", "codeformer", "codeformer_weight")
    assert found == {
        "upscale": [
            ("image", TYPE.attachment),
            ("image_url", TYPE.string),
            ("factor", TYPE.number),
            *((name, TYPE.string) for name in ("size", "upscaler", "upscaler_2")),
            *((name, TYPE.number) for name in numbers),
            *((name, TYPE.boolean) for name in ("spoiler", "private")),
        ],
        "describe": [
            ("image", TYPE.attachment),
            *((name, TYPE.string) for name in ("image_url", "model")),
            ("private", TYPE.boolean),
        ],
    }


async def test_commands_are_for_everywhere_but_those_about_what_members_share(client: EaselClient) -> None:
    for name, command in definitions(client).items():
        is_shared = name == "checkpoint"
        assert command["contexts"] == ([0, 1] if is_shared else [0, 1, 2])
        assert command["integration_types"] == ([0] if is_shared else [0, 1])


async def test_queue_and_status_have_the_options_people_were_promised(client: EaselClient) -> None:
    found = {
        name: [(option["name"], option.get("autocomplete", False)) for option in definitions(client)[name]["options"]]
        for name in ("queue", "status")
    }
    assert found == {"queue": [("cancel", True)], "status": [("webui", True), ("action", False)]}


def test_no_privileged_intent_is_asked_for() -> None:
    assert [name for name, wanted in INTENTS if wanted] == ["guilds", "guild_reactions", "dm_reactions"]
    assert not INTENTS.value & discord.Intents(members=True, presences=True, message_content=True).value


def command(**changes: Any) -> dict[str, Any]:
    return {"name": "draw", "type": 1, "description": "Draw", "options": [], **changes}


def option(name: str = "prompt", **changes: Any) -> dict[str, Any]:
    return {"name": name, "type": 3, "description": "Text", "required": False, **changes}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (command(name="Draw"), "small letters"),
        (command(name="x" * 33), "small letters"),
        (command(description=""), "1 to 100"),
        (command(description="x" * 101), "1 to 100"),
        (command(options=[option(f"o{number}") for number in range(26)]), "more than 25 options"),
        (command(options=[option(), option()]), "one name"),
        (command(options=[option("a"), option("b", required=True)]), "behind an optional"),
        (command(options=[option(choices=[{"name": "a", "value": 1}] * 26)]), "more than 25 choices"),
        (command(options=[option(choices=[{"name": "x" * 101, "value": 1}])]), "longer than 100"),
        (command(options=[option(choices=[{"name": "x", "value": "x"}], autocomplete=True)]), "together"),
        (command(options=[option(f"o{number}", description="x" * 400) for number in range(25)]), "8000"),
    ],
)
def test_the_walk_finds_what_the_library_lets_through(broken: dict[str, Any], problem: str) -> None:
    assert any(problem in found for found in broken_limits(broken))


LONG = tuple(
    Checkpoint(
        title=f"{'sub/' * 30}model {number} 😀.safetensors [0123{number:06x}]",
        model_name=f"m{number}",
        stem=f"m{number}",
    )
    for number in range(60)
)
CATALOG = Catalog(
    checkpoints=LONG,
    samplers=tuple(Named(f"DPM++ {number}M", (f"k_{number}",)) for number in range(40)),
    schedulers=(Named("Karras", ("karras",)), Named("Automatic", ("automatic",))),
)


def cog_with(catalog: Catalog | None) -> Any:
    return DrawCog(
        Desk(
            studio=cast(Any, SimpleNamespace(get_catalog=lambda: catalog)),
            delivery=cast(Any, None),
            intake=cast(Any, None),
        )
    )


def assert_sendable(choices: list[app_commands.Choice[str]]) -> None:
    assert 0 < len(choices) <= 25
    for choice in choices:
        for text in (choice.name, choice.value):
            assert 0 < len(text.encode("utf-16-le")) // 2 <= 100


@pytest.mark.parametrize("typed", ["", "MODEL", "m"])
async def test_offered_checkpoints_fit_discord_and_lead_back(typed: str) -> None:
    choices = await cog_with(CATALOG).complete_checkpoint(cast(Any, None), typed)
    assert_sendable(choices)
    assert len({choice.value for choice in choices}) == len(choices)
    assert all(find_checkpoint(CATALOG, choice.value) for choice in choices)


async def test_offered_samplers_and_schedulers_contain_what_was_typed() -> None:
    cog = cog_with(CATALOG)
    samplers = await cog.complete_sampler(cast(Any, None), "dpm++ 3")
    assert_sendable(samplers)
    assert all("dpm++ 3" in choice.name.lower() for choice in samplers)
    schedulers = await cog.complete_scheduler(cast(Any, None), "KARR")
    assert [(choice.name, choice.value) for choice in schedulers] == [("Karras", "Karras")]


async def test_offered_sizes_can_be_understood() -> None:
    choices = await cog_with(None).complete_size(cast(Any, None), "")
    assert_sendable(choices)
    assert all(str(parse_size(choice.value)) == choice.value for choice in choices)


async def test_nothing_is_offered_while_no_webui_has_answered() -> None:
    cog = cog_with(None)
    for complete in (cog.complete_checkpoint, cog.complete_sampler, cog.complete_scheduler):
        assert await complete(cast(Any, None), "a") == []
