"""Follow-ups and edits with an interaction's token, for as long as it lives. Needs no bot token."""

from __future__ import annotations

from typing import Final

from playground.discord.callbacks import as_answered, origin_of
from playground.discord.calls import Answer, Call, Route
from playground.discord.errors import refusal
from playground.discord.interaction import Interaction
from playground.discord.memory import Memory
from playground.discord.messages import Message
from playground.discord.posting import Posting

_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"
_ORIGINAL: Final = "@original"
_FOLLOW_UPS: Final = 5
"""Of an interaction of somebody who installed the application for themselves, where there is no bot."""


class Webhooks:
    """`/webhooks/{application}/{token}` and its messages."""

    def __init__(self, memory: Memory, posting: Posting) -> None:
        self._memory = memory
        self._posting = posting

    def routes(self) -> list[Route]:
        one = _WEBHOOK + "/messages/{message_id}"
        return [
            Route("POST", _WEBHOOK, self.follow_up, bot=False),
            Route("GET", one, self.get, bot=False),
            Route("PATCH", one, self.edit, bot=False),
            Route("DELETE", one, self.delete, bot=False),
        ]

    def _interaction(self, call: Call) -> Interaction:
        """Unknown application or no first response yet: 10015. Unknown or dead token: 50027."""
        if call.number("webhook_id") != self._memory.application_id:
            raise refusal(10015)
        interaction = self._memory.interactions.get(call.params["webhook_token"])
        if interaction is None or interaction.expired or interaction.age() > self._memory.rules.token_seconds:
            raise refusal(50027)
        if not interaction.acknowledged:
            raise refusal(10015)
        return interaction

    def _message(self, call: Call, interaction: Interaction) -> Message:
        wanted = call.params["message_id"]
        reachable = interaction.messages + ([interaction.message] if interaction.message else [])
        for message in reachable:
            is_it = message is interaction.original if wanted == _ORIGINAL else str(message.id) == wanted
            if is_it and not message.deleted:
                return message
        raise refusal(10008)

    def follow_up(self, call: Call) -> Answer:
        """The first one after a deferral edits the thinking message and keeps its choice of ephemeral."""
        interaction = self._interaction(call)
        original = interaction.original
        if original is not None and original.thinking and not original.deleted:
            self._posting.edit(original, call.object(), call.files)
            message = original
        else:
            if not interaction.channel.has_bot and len(interaction.follow_ups) >= _FOLLOW_UPS:
                raise refusal(40094)
            origin = origin_of(interaction, self._memory.bot_user_id)
            data = as_answered(interaction, call.object())
            message = self._posting.create(interaction.channel, data, call.files, origin)
            interaction.follow_ups.append(message)
            self._memory.changed()
        return Answer(200, self._memory.message_json(message))

    def get(self, call: Call) -> Answer:
        return Answer(200, self._memory.message_json(self._message(call, self._interaction(call))))

    def edit(self, call: Call) -> Answer:
        message = self._message(call, self._interaction(call))
        self._posting.edit(message, call.object(), call.files)
        return Answer(200, self._memory.message_json(message))

    def delete(self, call: Call) -> Answer:
        self._posting.delete(self._message(call, self._interaction(call)))
        return Answer(204)
