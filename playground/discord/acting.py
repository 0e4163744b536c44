"""Members use commands: slash, autocomplete and context menus, as their own client would let them."""

from __future__ import annotations

from typing import Any

from playground.discord import wire
from playground.discord.check_commands import CHAT_INPUT, MESSAGE, USER
from playground.discord.errors import NotSendable
from playground.discord.interaction import AUTOCOMPLETE, COMMAND, Choice, Interaction
from playground.discord.memory import Memory
from playground.discord.messages import Attachment, Json, Message
from playground.discord.options import Leaf, give_options, leaf_of
from playground.discord.places import Channel, Member, Permission
from playground.discord.starting import Starting, as_file, check_allowed, check_visible

_GUILD_CONTEXT, _DM_CONTEXT, _PRIVATE_CONTEXT = 0, 1, 2
_FOR_GUILDS, _FOR_USERS = 0, 1


class Acting:
    """What a member does by typing a command or opening a context menu."""

    def __init__(self, memory: Memory, starting: Starting) -> None:
        self._memory = memory
        self._starting = starting

    def slash(self, member: Member, name: str, channel: Channel, values: dict[str, Any]) -> Interaction:
        """`name` may go on with group and subcommand: `preset save`."""
        command, leaf = self._resolve(member, name, channel)
        uploaded: dict[str, Attachment] = {}

        def attach(option: str, value: Any) -> str:
            attachment = self._starting.upload(channel, as_file(option, value))
            uploaded[str(attachment.id)] = attachment
            return str(attachment.id)

        data = _data(command, leaf.wrap(give_options(leaf, values, attach)))
        resolved = _resolved(values, uploaded)
        if resolved:
            data["resolved"] = resolved
        return self._starting.start(COMMAND, member, channel, data)

    async def autocomplete(
        self, member: Member, name: str, channel: Channel, option: str, typed: Any, values: dict[str, Any]
    ) -> list[Choice]:
        """The suggestions shown while `option` is being typed; the other values may be there or not.

        Raises:
            TimeoutError: none came in time; the member sees "Loading options failed".
        """
        command, leaf = self._resolve(member, name, channel)
        focused = leaf.find(option)
        if not focused.get("autocomplete"):
            raise NotSendable(f"{option!r} has no autocomplete")
        given = give_options(leaf, values, _no_upload, partial=True)
        given = [entry for entry in given if entry["name"] != option]
        given.append({"name": option, "type": focused["type"], "value": typed, "focused": True})
        interaction = self._starting.start(AUTOCOMPLETE, member, channel, _data(command, leaf.wrap(given)))
        await self._memory.until(
            lambda: interaction.acknowledged,
            timeout=self._memory.rules.ack_seconds,
            what=f"suggestions for {option!r}",
        )
        return interaction.choices or []

    def message_menu(self, member: Member, name: str, message: Message) -> Interaction:
        check_visible(member, message)
        command = self._command(member, name, MESSAGE, message.channel)
        payload = self._memory.message_json(message)
        return self._menu(member, message.channel, command, message.id, {"messages": {str(message.id): payload}})

    def user_menu(self, member: Member, name: str, target: Member, channel: Channel) -> Interaction:
        command = self._command(member, name, USER, channel)
        return self._menu(member, channel, command, target.id, _people([target]))

    def _menu(self, member: Member, channel: Channel, command: Json, target: int, resolved: Json) -> Interaction:
        data = _data(command, []) | {"target_id": str(target), "resolved": resolved}
        return self._starting.start(COMMAND, member, channel, data)

    def _resolve(self, member: Member, name: str, channel: Channel) -> tuple[Json, Leaf]:
        first, *below = name.removeprefix("/").split()
        command = self._command(member, first, CHAT_INPUT, channel)
        return command, leaf_of(command, below)

    def _command(self, member: Member, name: str, kind: int, channel: Channel) -> Json:
        """The registered command; one of the guild hides a global one of that name."""
        check_allowed(member, channel)
        guild = str(channel.guild.id) if channel.guild else None
        found = [
            command
            for command in self._memory.commands.values()
            if command["type"] == kind and command["name"] == name and command.get("guild_id") in (None, guild)
        ]
        if not found:
            known = sorted(c["name"] for c in self._memory.commands.values() if c["type"] == kind)
            raise NotSendable(f"there is no command {name!r}; there are: {', '.join(known)}")
        command = max(found, key=lambda one: "guild_id" in one)
        _check_usable(command, member, channel)
        return command


def _check_usable(command: Json, member: Member, channel: Channel) -> None:
    """Where and by whom the command can be used at all: contexts, age restriction, default permissions."""
    context = _GUILD_CONTEXT if channel.guild else _DM_CONTEXT if channel.has_bot else _PRIVATE_CONTEXT
    contexts = command["contexts"]
    in_dm = command["dm_permission"] if contexts is None else _DM_CONTEXT in contexts
    usable = in_dm if context == _DM_CONTEXT else contexts is None or context in contexts
    installed = _FOR_GUILDS if channel.has_bot else _FOR_USERS
    if not usable or (installed == _FOR_USERS and installed not in command["integration_types"]):
        raise NotSendable(f"{command['name']!r} cannot be used in {channel.name}")
    if command["nsfw"] and channel.guild and not channel.nsfw:
        raise NotSendable(f"{command['name']!r} is for age-restricted channels only")
    needed = command["default_member_permissions"]
    if needed is None or channel.guild is None or Permission.ADMINISTRATOR in member.permissions:
        return
    if int(needed) == 0 or int(needed) & ~int(member.permissions):
        raise NotSendable(f"{member.name} may not use {command['name']!r}")


def _data(command: Json, options: list[Json]) -> Json:
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    if options:
        data["options"] = options
    return data


def _no_upload(option: str, _value: Any) -> str:
    raise NotSendable(f"{option!r} is not uploaded while another option is typed")


def _people(members: list[Member]) -> Json:
    users = {str(member.id): wire.member_user(member) for member in members}
    partial = {str(m.id): {key: v for key, v in wire.member_json(m).items() if key != "user"} for m in members}
    return {"users": users, "members": partial}


def _resolved_channel(channel: Channel) -> Json:
    """Little is told of a channel, and everything of a thread."""
    told = {"id": str(channel.id), "name": channel.name, "type": channel.kind, "permissions": "0"}
    return told if channel.parent is None else {**wire.channel_json(channel, bot_user_id=0), **told}


def _resolved(values: dict[str, Any], uploaded: dict[str, Attachment]) -> Json:
    members = [value for value in values.values() if isinstance(value, Member)]
    channels = [value for value in values.values() if isinstance(value, Channel)]
    resolved: Json = _people(members) if members else {}
    if channels:
        resolved["channels"] = {str(one.id): _resolved_channel(one) for one in channels}
    if uploaded:
        resolved["attachments"] = {key: wire.attachment_json(value) for key, value in uploaded.items()}
    return resolved
