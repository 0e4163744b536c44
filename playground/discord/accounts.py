"""Routes about who the bot is, where its gateway is, and the CDN. Changes nothing but DM channels."""

from __future__ import annotations

from playground.discord import wire
from playground.discord.calls import Answer, Blob, Call, Route
from playground.discord.errors import refusal
from playground.discord.gateway import IDENTIFIES_PER_DAY, Gateway
from playground.discord.memory import Memory
from playground.discord.messages import Json


class Accounts:
    """The bot's own user and application, people, guilds, and uploaded bytes."""

    def __init__(self, memory: Memory, gateway: Gateway) -> None:
        self._memory = memory
        self._gateway = gateway

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/users/@me", self.me),
            Route("GET", "/oauth2/applications/@me", self.application),
            Route("GET", "/applications/@me", self.application),
            Route("GET", "/gateway", self.gateway, bot=False),
            Route("GET", "/gateway/bot", self.gateway_bot),
            Route("POST", "/users/@me/channels", self.open_dm),
            Route("GET", "/users/{user_id}", self.user),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
            Route("GET", "/attachments/{channel_id}/{attachment_id}/{filename}", self.attachment, bot=False),
        ]

    def me(self, _call: Call) -> Answer:
        return Answer(200, self._memory.bot_user | {"mfa_enabled": False, "locale": "en-US", "verified": True})

    def application(self, _call: Call) -> Answer:
        owner = wire.user_json(self._memory.application_id, "owner")
        application: Json = {
            "id": str(self._memory.application_id),
            "name": "Easel",
            "icon": None,
            "description": "",
            "type": None,
            "bot": self._memory.bot_user,
            "bot_public": True,
            "bot_require_code_grant": False,
            "rpc_origins": [],
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": owner,
            "approximate_guild_count": len(self._memory.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": ["bot", "applications.commands"],
        }
        return Answer(200, application)

    def gateway(self, _call: Call) -> Answer:
        return Answer(200, {"url": self._gateway.url})

    def gateway_bot(self, _call: Call) -> Answer:
        start_limit = {
            "total": IDENTIFIES_PER_DAY,
            "remaining": max(IDENTIFIES_PER_DAY - self._gateway.identifies, 0),
            "reset_after": 86_400_000,
            "max_concurrency": 1,
        }
        return Answer(200, {"url": self._gateway.url, "shards": 1, "session_start_limit": start_limit})

    def open_dm(self, call: Call) -> Answer:
        wanted = str(call.object().get("recipient_id"))
        member = self._memory.members.get(int(wanted)) if wanted.isdecimal() else None
        if member is None:
            raise refusal(50033)
        return Answer(200, wire.channel_json(member.dm, self._memory.bot_user_id))

    def user(self, call: Call) -> Answer:
        if call.number("user_id") == self._memory.bot_user_id:
            return Answer(200, self._memory.bot_user)
        member = self._memory.members.get(call.number("user_id"))
        if member is None:
            raise refusal(10013)
        return Answer(200, wire.member_user(member))

    def member(self, call: Call) -> Answer:
        if call.number("guild_id") not in self._memory.guilds:
            raise refusal(10004)
        member = self._memory.members.get(call.number("user_id"))
        if member is None:
            raise refusal(10007)
        return Answer(200, {key: value for key, value in wire.member_json(member).items() if key != "permissions"})

    def attachment(self, call: Call) -> Blob | Answer:
        """The bytes as they were uploaded; 404 when they have expired or their message is gone."""
        number = call.number("attachment_id")
        found = self._memory.attachments.get(number)
        if found is None or number in self._memory.gone_attachments or found.filename != call.params["filename"]:
            return Answer(404, {"message": "This content is no longer available.", "code": 0})
        return Blob(found.data, found.content_type)
