"""Routes that register application commands, global and for one guild. Runs none of them."""

from __future__ import annotations

from playground.discord import rules
from playground.discord.calls import Answer, Call, Route
from playground.discord.check_commands import CHAT_INPUT, check_command, check_commands
from playground.discord.errors import FormErrors, refusal
from playground.discord.memory import Memory
from playground.discord.messages import Json

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


class Commands:
    """The registry of commands; a name keeps its id through a bulk overwrite."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def routes(self) -> list[Route]:
        routes = []
        for base in (_GLOBAL, _GUILD):
            routes += [
                Route("GET", base, self.list),
                Route("PUT", base, self.overwrite),
                Route("POST", base, self.create),
                Route("GET", base + "/{command_id}", self.get),
                Route("PATCH", base + "/{command_id}", self.edit),
                Route("DELETE", base + "/{command_id}", self.delete),
            ]
        return routes

    def _guild(self, call: Call) -> str | None:
        """The guild of the path as the commands carry it; None is global."""
        if call.number("application_id") != self._memory.application_id:
            raise refusal(10002)
        guild = call.params.get("guild_id")
        if guild is not None and call.number("guild_id") not in self._memory.guilds:
            raise refusal(50001)
        return guild

    def _of(self, guild: str | None) -> list[Json]:
        return [command for command in self._memory.commands.values() if command.get("guild_id") == guild]

    def _one(self, call: Call) -> Json:
        guild = self._guild(call)
        command = self._memory.commands.get(call.number("command_id"))
        if command is None or command.get("guild_id") != guild:
            raise refusal(10063)
        return command

    def list(self, call: Call) -> Answer:
        return Answer(200, self._of(self._guild(call)))

    def get(self, call: Call) -> Answer:
        return Answer(200, self._one(call))

    def overwrite(self, call: Call) -> Answer:
        guild = self._guild(call)
        if not isinstance(call.body, list):
            raise refusal(50035)
        check_commands(call.body)
        before = {_key(command): int(command["id"]) for command in self._of(guild)}
        for number in before.values():
            del self._memory.commands[number]
        registered = [self._store(body, guild, before.get(_key(body))) for body in call.body]
        self._memory.command_puts += 1
        self._memory.changed()
        return Answer(200, registered)

    def create(self, call: Call) -> Answer:
        """An upsert: 201 for a new name, 200 where the name was there."""
        guild, body = self._guild(call), call.object()
        errors = FormErrors()
        check_command(body, "", errors)
        errors.raise_if_any()
        existing = {_key(command): int(command["id"]) for command in self._of(guild)}
        known = existing.get(_key(body))
        kind = body.get("type") or CHAT_INPUT
        if known is None and sum(1 for one, _ in existing if one == kind) >= rules.COMMANDS_BY_TYPE[kind]:
            raise refusal(30032)
        stored = self._store(body, guild, known)
        self._memory.changed()
        return Answer(201 if known is None else 200, stored)

    def edit(self, call: Call) -> Answer:
        command = self._one(call)
        body = {key: command.get(key) for key in ("name", "description", "options", "type")} | call.object()
        errors = FormErrors()
        check_command(body, "", errors)
        errors.raise_if_any()
        merged = command | call.object()
        stored = self._store(merged, command.get("guild_id"), int(command["id"]))
        self._memory.changed()
        return Answer(200, stored)

    def delete(self, call: Call) -> Answer:
        del self._memory.commands[int(self._one(call)["id"])]
        self._memory.changed()
        return Answer(204)

    def _store(self, body: Json, guild: str | None, known: int | None) -> Json:
        number = known if known is not None else self._memory.ids.next()
        permissions = body.get("default_member_permissions")
        command: Json = {
            "id": str(number),
            "application_id": str(self._memory.application_id),
            "version": str(self._memory.ids.next()),
            "type": body.get("type") or CHAT_INPUT,
            "name": body["name"],
            "name_localizations": body.get("name_localizations"),
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations"),
            "default_member_permissions": None if permissions is None else str(permissions),
            "dm_permission": body.get("dm_permission") is not False,
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
            "options": [_without_nulls(option) for option in body.get("options") or []],
            "nsfw": bool(body.get("nsfw")),
        }
        if guild is not None:
            command["guild_id"] = guild
        self._memory.commands[number] = command
        return command


def _key(command: Json) -> tuple[int, str]:
    return command.get("type") or CHAT_INPUT, command["name"]


def _without_nulls(option: Json) -> Json:
    kept = {key: value for key, value in option.items() if value is not None}
    if "options" in kept:
        kept["options"] = [_without_nulls(inner) for inner in kept["options"]]
    return kept
