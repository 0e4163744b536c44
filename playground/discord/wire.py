"""What is remembered, written as Discord's JSON. Decides nothing and changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from playground.discord.interaction import Interaction
from playground.discord.messages import Attachment, Json, Message
from playground.discord.places import DIRECT, FORUM, GROUP, ORDINARY, VOICE, Channel, Guild, Member
from playground.discord.rules import MIB
from playground.discord.snowflake import time_of
from playground.discord.wire_parts import component_json, embed_json

JOINED: Final = "2024-01-01T00:00:00.000000+00:00"
_ATTACHMENT_IS_SPOILER: Final = 1 << 3
_FOR_A_MEMBER: Final = 1


def dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def user_json(user_id: int, name: str, *, bot: bool = False) -> Json:
    return {
        "id": str(user_id),
        "username": name,
        "global_name": None if bot else name.capitalize(),
        "discriminator": "0",
        "avatar": None,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
        "bot": bot,
    }


def member_user(member: Member) -> Json:
    return user_json(member.id, member.name)


def member_json(member: Member) -> Json:
    """A guild member; `permissions` are there because interactions carry them."""
    roles = [str(role.id) for role in member.roles]
    return {**_membership(), "roles": roles, "user": member_user(member), "permissions": str(int(member.permissions))}


def bot_member_json(user: Json) -> Json:
    return {**_membership(), "user": user}


def _membership() -> Json:
    return {
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [],
        "joined_at": JOINED,
        "premium_since": None,
        "communication_disabled_until": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


_OF_KIND: Final[dict[int, Json]] = {
    VOICE: {"bitrate": 64000, "user_limit": 0, "rtc_region": None},
    FORUM: {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None},
}


def channel_json(channel: Channel, bot_user_id: int) -> Json:
    if channel.recipient is not None:
        return {
            "id": str(channel.id),
            "type": DIRECT,
            "last_message_id": None,
            "flags": 0,
            "recipients": [member_user(channel.recipient)],
        }
    if channel.people:
        people = [member_user(member) for member in channel.people]
        owner = str(channel.people[0].id)
        named = {"name": channel.name, "icon": None, "owner_id": owner, "recipients": people}
        return {"id": str(channel.id), "type": GROUP, "last_message_id": None, "flags": 0, **named}
    if channel.parent is not None:
        return _thread_json(channel, channel.parent, bot_user_id)
    overwrites = [
        {
            "id": str(bot_user_id),
            "type": _FOR_A_MEMBER,
            "allow": str(int(channel.permissions)),
            "deny": str(int(ORDINARY & ~channel.permissions)),
        }
    ]
    return {
        "id": str(channel.id),
        "type": channel.kind,
        "guild_id": str(channel.guild.id) if channel.guild else "0",
        "name": channel.name,
        "position": 0,
        "parent_id": None,
        "topic": None,
        "nsfw": channel.nsfw,
        "rate_limit_per_user": 0,
        "last_message_id": None,
        "flags": 0,
        "permission_overwrites": overwrites,
        **_OF_KIND.get(channel.kind, {}),
    }


def _thread_json(channel: Channel, parent: Channel, bot_user_id: int) -> Json:
    """A thread, or a post in a forum: it has its parent's permissions and age limit."""
    archiving = {"archived": False, "archive_timestamp": JOINED, "auto_archive_duration": 1440, "locked": False}
    return {
        "id": str(channel.id),
        "type": channel.kind,
        "guild_id": str(parent.guild.id) if parent.guild else "0",
        "parent_id": str(parent.id),
        "name": channel.name,
        "owner_id": str(bot_user_id),
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "message_count": 0,
        "member_count": 1,
        "total_message_sent": 0,
        "flags": 0,
        "thread_metadata": archiving,
    }


def role_json(identity: int, name: str, *, position: int = 1, permissions: int = 0) -> Json:
    """A role without colours or icon; `@everyone` has the guild's id."""
    return {
        "id": str(identity),
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild_json(guild: Guild, bot_user: Json, member_count: int) -> Json:
    """The payload of GUILD_CREATE: complete enough for a client that caches guilds."""
    bot_user_id = int(bot_user["id"])
    empty_lists = (
        "emojis stickers features threads presences voice_states stage_instances "
        "guild_scheduled_events soundboard_sounds"
    )
    return {
        **{key: [] for key in empty_lists.split()},
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "owner_id": str(guild.id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "premium_tier": premium_tier(guild),
        "premium_subscription_count": 0,
        "preferred_locale": guild.locale,
        "roles": [
            role_json(guild.id, "@everyone", position=0, permissions=int(ORDINARY)),
            *(role_json(role.id, role.name) for role in guild.roles),
        ],
        "channels": [channel_json(channel, bot_user_id) for channel in guild.channels if channel.parent is None],
        "threads": [channel_json(channel, bot_user_id) for channel in guild.channels if channel.parent is not None],
        "members": [bot_member_json(bot_user)],
        "member_count": member_count,
        "joined_at": JOINED,
        "large": False,
        "unavailable": False,
    }


def premium_tier(guild: Guild) -> int:
    """The boost tier that goes with the guild's upload limit."""
    size = guild.file_bytes or 0
    return 3 if size >= 100 * MIB else 2 if size >= 50 * MIB else 0


def attachment_json(attachment: Attachment) -> Json:
    payload: Json = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": attachment.url,
        "proxy_url": attachment.url,
        "content_type": attachment.content_type,
        "flags": _ATTACHMENT_IS_SPOILER if attachment.spoiler else 0,
    }
    optional = {
        "description": attachment.description,
        "width": attachment.width,
        "height": attachment.height,
        "ephemeral": attachment.ephemeral or None,
    }
    return payload | {key: value for key, value in optional.items() if value is not None}


def message_json(message: Message, author: Json, mentioned: list[Json], application_id: int) -> Json:
    payload: Json = {
        "id": str(message.id),
        "type": 20 if message.interaction_metadata else 19 if message.reference else 0,
        "channel_id": str(message.channel.id),
        "author": author,
        "content": message.content,
        "timestamp": time_of(message.id).isoformat(),
        "edited_timestamp": _moment(message.edited_at),
        "tts": message.tts,
        "mention_everyone": message.pinged_everyone,
        "mentions": mentioned,
        "mention_roles": [],
        "attachments": [attachment_json(attachment) for attachment in message.attachments],
        "embeds": [embed_json(embed, message.attachments) for embed in message.embeds],
        "components": [component_json(component, message.attachments) for component in message.components],
        "flags": message.flags,
        "pinned": False,
    }
    optional: Json = {
        "nonce": message.nonce,
        "message_reference": message.reference,
        "message_snapshots": message.snapshots or None,
        "interaction_metadata": message.interaction_metadata,
    }
    if message.webhook:
        optional |= {"webhook_id": str(application_id), "application_id": str(application_id)}
    return payload | {key: value for key, value in optional.items() if value is not None}


def _moment(epoch: float | None) -> str | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, tz=UTC).isoformat()


def interaction_json(
    interaction: Interaction, *, application_id: int, file_bytes: int, message: Json | None, bot_user_id: int
) -> Json:
    """The `d` of INTERACTION_CREATE (documentation, "Receiving and Responding")."""
    channel, member, guild = interaction.channel, interaction.member, interaction.guild
    payload: Json = {
        "id": str(interaction.id),
        "application_id": str(application_id),
        "type": interaction.kind,
        "data": interaction.data,
        "token": interaction.token,
        "version": 1,
        "locale": member.locale,
        "channel": channel_json(channel, bot_user_id),
        "channel_id": str(channel.id),
        "app_permissions": str(int(channel.permissions)),
        "entitlements": [],
        "authorizing_integration_owners": interaction.owners,
        "context": 0 if guild else 1 if channel.has_bot else 2,
        "attachment_size_limit": file_bytes,
    }
    if guild is None:
        payload["user"] = member_user(member)
    else:
        payload |= {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
            "guild_locale": guild.locale,
            "member": member_json(member),
        }
    if message is not None:
        payload["message"] = message
    return payload
