"""Registering application commands: what Discord takes, what it refuses, and where the error points."""

from typing import Any

import pytest

from playground.discord import LocalDiscord
from tests.playground.discord.conftest import Rest, command


def option(name: str = "prompt", kind: int = 3, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "What to draw", "type": kind} | more


async def test_a_bulk_overwrite_replaces_everything_and_keeps_ids(server: LocalDiscord, rest: Rest) -> None:
    first = await rest.register(command("draw", options=[option(required=True)]), command("queue"))
    second = await rest.register(command("draw", description="Changed"), {"name": "Image info", "type": 3})
    assert sorted(server.commands) == ["Image info", "draw"]
    assert second.body[0]["id"] == first.body[0]["id"]
    assert second.body[0]["version"] != first.body[0]["version"]
    assert server.command_puts == 2


async def test_single_commands_are_created_changed_read_and_deleted(server: LocalDiscord, rest: Rest) -> None:
    base = f"/applications/{server.application_id}/commands"
    made = await rest("POST", base, command("draw"))
    assert made.status == 201
    assert (await rest("POST", base, command("draw", description="Again"))).status == 200
    one = f"{base}/{made.body['id']}"
    changed = await rest("PATCH", one, {"description": "Once more"})
    assert (changed.status, changed.body["description"]) == (200, "Once more")
    assert (await rest("GET", one)).body["description"] == "Once more"
    assert len((await rest("GET", base)).body) == 1
    assert (await rest("DELETE", one)).status == 204
    assert (await rest("GET", one)).code == 10063
    assert server.commands == {}


async def test_guild_commands_are_a_list_of_their_own(server: LocalDiscord, rest: Rest) -> None:
    base = f"/applications/{server.application_id}/guilds/{server.guild.id}/commands"
    assert (await rest("PUT", base, [command("here")])).body[0]["guild_id"] == str(server.guild.id)
    await rest.register(command("everywhere"))
    assert [one["name"] for one in (await rest("GET", base)).body] == ["here"]
    assert sorted(server.commands) == ["everywhere", "here"]
    assert (await rest("GET", f"/applications/{server.application_id}/guilds/1/commands")).code == 50001
    assert (await rest("GET", "/applications/1/commands")).code == 10002


_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an upper case name": (command("Draw"), "0.name"),
    "a space in the name": (command("draw it"), "0.name"),
    "a name of 33": (command("d" * 33), "0.name"),
    "no description": (command(description=""), "0.description"),
    "a description of 101": (command(description="d" * 101), "0.description"),
    "26 options": (command(options=[option(f"o{n}") for n in range(26)]), "0.options"),
    "two options of one name": (command(options=[option(), option()]), "0.options.1.name"),
    "required after optional": (command(options=[option("a"), option("b", required=True)]), "0.options.1.required"),
    "an unknown type": (command(options=[option(kind=12)]), "0.options.0.type"),
    "an upper case option": (command(options=[option("Prompt")]), "0.options.0.name"),
    "choices and autocomplete": (
        command(options=[option(autocomplete=True, choices=[{"name": "a", "value": "a"}])]),
        "0.options.0.autocomplete",
    ),
    "26 choices": (
        command(options=[option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])]),
        "0.options.0.choices",
    ),
    "a choice name of 101": (
        command(options=[option(choices=[{"name": "n" * 101, "value": "a"}])]),
        "0.options.0.choices.0.name",
    ),
    "a text choice of a number": (
        command(options=[option(kind=4, choices=[{"name": "a", "value": "a"}])]),
        "0.options.0.choices.0.value",
    ),
    "autocomplete on an attachment": (command(options=[option(kind=11, autocomplete=True)]), "0.options.0.type"),
    "a length limit on a number": (command(options=[option(kind=4, max_length=3)]), "0.options.0.max_length"),
    "a value limit on a text": (command(options=[option(min_value=3)]), "0.options.0.min_value"),
    "8001 characters": (
        command(
            options=[
                option(f"o{n}", choices=[{"name": "n" * 100, "value": "v" * 100} for _ in range(5)]) for n in range(8)
            ]
        ),
        "0.options",
    ),
    "a subcommand beside an option": (command(options=[option(), option("sub", 1)]), "0.options"),
    "groups in groups": (
        command(options=[option("a", 2, options=[option("b", 2, options=[])])]),
        "0.options.0.options.0.type",
    ),
    "a context menu with a description": ({"name": "Info", "type": 3, "description": "d"}, "0.description"),
    "an unknown command type": (command(type=9), "0.type"),
}


@pytest.mark.parametrize("what", _WRONG)
async def test_a_wrong_command_is_refused_where_it_is_wrong(lenient: LocalDiscord, careless: Rest, what: str) -> None:
    wrong, path = _WRONG[what]
    reply = await careless.register(wrong)
    assert (reply.status, reply.code) == (400, 50035)
    node = reply.body["errors"]
    for part in path.split("."):
        node = node[part]
    assert node["_errors"][0]["message"]
    assert lenient.commands == {}


async def test_a_name_may_be_in_any_script_and_only_once(careless: Rest) -> None:
    assert (await careless.register(command("zeichne-ü2"), command("描く"), command("วาด"))).status == 200
    twice = await careless.register(command("draw"), command("draw"))
    assert "1" in twice.body["errors"]


async def test_there_are_at_most_100_commands_and_15_menus_of_a_kind(careless: Rest) -> None:
    slash = [command(f"c{n}") for n in range(100)]
    menus = [{"name": f"Menu {n}", "type": 3} for n in range(15)]
    assert (await careless.register(*slash, *menus)).status == 200
    assert (await careless.register(*slash, command("more"))).code == 30032
    assert (await careless.register(*menus, {"name": "More", "type": 3})).code == 30032
