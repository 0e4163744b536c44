"""Members react to messages, as their own client would let them, and the bot hears of it where it asked to."""

from __future__ import annotations

from playground.discord import wire
from playground.discord.errors import NotSendable
from playground.discord.faults import Faults
from playground.discord.gateway import Gateway
from playground.discord.memory import Memory
from playground.discord.messages import Json, Message
from playground.discord.places import Member
from playground.discord.starting import check_visible
from playground.discord.trouble import Trouble

GUILD_REACTIONS = 1 << 10
DIRECT_REACTIONS = 1 << 13
_NORMAL = 0


class Reacting(Trouble):
    """Reactions with Unicode emoji; each person has each once on a message."""

    def __init__(self, memory: Memory, gateway: Gateway, faults: Faults) -> None:
        super().__init__(memory, gateway, faults)
        self._reactions: set[tuple[int, int, str]] = set()

    def react(self, member: Member, message: Message, emoji: str) -> None:
        """Adds a reaction.

        Raises:
            NotSendable: the member does not see the message, nobody can react to it, or they have already.
        """
        check_visible(member, message)
        if message.ephemeral:
            raise NotSendable(f"nobody can react to message {message.id}, which only {member.name} sees")
        key = (message.id, member.id, emoji)
        if key in self._reactions:
            raise NotSendable(f"{member.name} has reacted with {emoji} to message {message.id} already")
        self._reactions.add(key)
        self._tell_reaction("MESSAGE_REACTION_ADD", member, message, emoji)

    def unreact(self, member: Member, message: Message, emoji: str) -> None:
        """Takes a reaction back."""
        key = (message.id, member.id, emoji)
        if key not in self._reactions:
            raise NotSendable(f"{member.name} has not reacted with {emoji} to message {message.id}")
        self._reactions.remove(key)
        self._tell_reaction("MESSAGE_REACTION_REMOVE", member, message, emoji)

    def _tell_reaction(self, event: str, member: Member, message: Message, emoji: str) -> None:
        """The documented payload; whose message it is is said of messages that no webhook made."""
        payload: Json = {
            "user_id": str(member.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": _NORMAL,
        }
        guild = message.channel.guild
        if guild is not None:
            payload["guild_id"] = str(guild.id)
        if event == "MESSAGE_REACTION_ADD":
            payload["burst_colors"] = []
            if not message.webhook:
                payload["message_author_id"] = str(message.author_id)
            if guild is not None:
                payload["member"] = {k: v for k, v in wire.member_json(member).items() if k != "permissions"}
        self._gateway.dispatch(event, payload, intent=DIRECT_REACTIONS if guild is None else GUILD_REACTIONS)
        self._memory.changed()
