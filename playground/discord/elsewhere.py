"""What people do without the bot: post what their clients make of links, forward, and meet where there is no bot."""

from __future__ import annotations

from collections.abc import Sequence

from playground.discord import wire
from playground.discord.gateway import GUILDS
from playground.discord.messages import File, Json, Message
from playground.discord.places import GROUP, Channel, Guild, Member
from playground.discord.posting import Origin, Posting
from playground.discord.trouble import Trouble

_FORWARD = 1
_OF_A_SNAPSHOT = ("type", "content", "mentions", "mention_roles", "attachments", "embeds", "timestamp", "components")


class Elsewhere(Trouble):
    """Places and messages that a bot does not make."""

    _posting: Posting

    def post(
        self,
        member: Member,
        content: str = "",
        *,
        files: Sequence[File] = (),
        embeds: Sequence[Json] = (),
        channel: Channel,
    ) -> Message:
        """A person's message, with the embeds that Discord makes of its links; a webhook's looks like it."""
        message = self._posting.create(channel, {"content": content or "_ _"}, files, Origin(author_id=member.id))
        message.content, message.embeds = content, list(embeds)
        return message

    def forward(self, member: Member, message: Message, channel: Channel) -> Message:
        """The message as a snapshot, which names no author."""
        told = self._memory.message_json(message)
        snapshot = {key: told[key] for key in (*_OF_A_SNAPSHOT, "edited_timestamp", "flags")}
        forwarded = self.post(member, channel=channel)
        forwarded.snapshots = [{"message": snapshot}]
        reference: Json = {"type": _FORWARD, "channel_id": str(message.channel.id), "message_id": str(message.id)}
        forwarded.reference = reference
        return forwarded

    def add_foreign_guild(self, name: str) -> Channel:
        """The first channel of a guild that has no bot: it tells the bot nothing."""
        guild = Guild(id=self._memory.ids.next(), name=name, has_bot=False)
        return self._memory.new_channel(guild, "general")

    def add_place(self, guild: Guild, name: str, kind: int, parent: Channel | None = None) -> Channel:
        """A voice channel, a forum, or below a `parent` a thread or a post."""
        channel = self._memory.new_channel(guild, name)
        channel.kind, channel.parent = kind, parent
        event = "CHANNEL_CREATE" if parent is None else "THREAD_CREATE"
        self._gateway.dispatch(event, wire.channel_json(channel, self._memory.bot_user_id), intent=GUILDS)
        return channel

    def add_group(self, name: str, *people: Member) -> Channel:
        """A private channel of several people, none of whom is the bot."""
        group = Channel(id=self._memory.ids.next(), name=name, kind=GROUP, people=people)
        self._memory.channels[group.id] = group
        return group

    def delete_message(self, message: Message) -> None:
        """As a moderator does; its attachments are gone with it."""
        self._posting.delete(message)
