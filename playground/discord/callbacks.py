"""The first response to an interaction: which types are allowed, in time, once. Knows no command by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from playground.discord.calls import Answer, Call, Route
from playground.discord.check_components import check_modal
from playground.discord.check_message import asked_flags, check_choices
from playground.discord.errors import FormErrors, refusal
from playground.discord.interaction import AUTOCOMPLETE, COMPONENT, MODAL_SUBMIT, Choice, Interaction
from playground.discord.memory import Memory
from playground.discord.messages import Json, Message
from playground.discord.posting import Origin, Posting
from playground.discord.rules import FLAG_EPHEMERAL

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, SUGGESTIONS, MODAL = 4, 5, 6, 7, 8, 9
_WITH_RESOURCE: Final = (MESSAGE, UPDATE)


@dataclass(frozen=True, slots=True)
class Response:
    """A callback on its way: the interaction it answers, its `data`, and the request it came in."""

    interaction: Interaction
    data: Json
    call: Call


class Callbacks:
    """`POST /interactions/{id}/{token}/callback`."""

    def __init__(self, memory: Memory, posting: Posting) -> None:
        self._memory = memory
        self._posting = posting
        self._by_type: dict[int, Callable[[Response], None]] = {
            MESSAGE: self._send,
            DEFERRED: self._defer,
            DEFERRED_UPDATE: self._defer_update,
            UPDATE: self._update,
            SUGGESTIONS: self._suggest,
            MODAL: self._open_modal,
        }

    def routes(self) -> list[Route]:
        path = "/interactions/{interaction_id}/{interaction_token}/callback"
        return [Route("POST", path, self.respond, bot=False)]

    def respond(self, call: Call) -> Answer:
        interaction = self._memory.interactions.get(call.params["interaction_token"])
        if interaction is None or interaction.id != call.number("interaction_id"):
            raise refusal(10062)
        if interaction.acknowledged:
            raise refusal(40060)
        if interaction.expired or interaction.age() > self._memory.rules.ack_seconds:
            raise refusal(10062)
        body = call.object()
        kind, data = body.get("type"), body.get("data") or {}
        if not isinstance(kind, int) or kind not in allowed_types(interaction):
            errors = FormErrors()
            errors.add("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed_types(interaction))}.")
            errors.raise_if_any()
        self._by_type[body["type"]](Response(interaction, data, call))
        interaction.acknowledge(body["type"], data)
        self._memory.changed()
        if not call.asks("with_response"):
            return Answer(204)
        return Answer(200, self._told(interaction, body["type"]))

    def _told(self, interaction: Interaction, kind: int) -> Json:
        """The answer to `with_response`; `resource` comes with types 4 and 7 only."""
        told: Json = {"id": str(interaction.id), "type": interaction.kind}
        message = interaction.original
        if message is not None:
            told |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.thinking,
                "response_message_ephemeral": message.ephemeral,
            }
        if kind in _WITH_RESOURCE and message is not None:
            return {"interaction": told, "resource": {"type": kind, "message": self._memory.message_json(message)}}
        return {"interaction": told}

    def _origin(self, interaction: Interaction) -> Origin:
        return origin_of(interaction, self._memory.bot_user_id)

    def _send(self, response: Response) -> None:
        interaction = response.interaction
        data = as_answered(interaction, response.data)
        interaction.original = self._posting.create(
            interaction.channel, data, response.call.files, self._origin(interaction)
        )

    def _defer(self, response: Response) -> None:
        """Of all flags only EPHEMERAL counts here."""
        interaction = response.interaction
        flags = asked_flags(as_answered(interaction, response.data)) & FLAG_EPHEMERAL
        interaction.original = self._posting.think(interaction.channel, flags, self._origin(interaction))

    def _defer_update(self, response: Response) -> None:
        response.interaction.original = response.interaction.message

    def _update(self, response: Response) -> None:
        message = _source(response.interaction)
        self._posting.edit(message, response.data, response.call.files)
        response.interaction.original = message

    def _suggest(self, response: Response) -> None:
        choices = response.data.get("choices")
        check_choices(choices)
        response.interaction.choices = [Choice(one["name"], one["value"]) for one in choices or []]

    def _open_modal(self, response: Response) -> None:
        check_modal(response.data)
        response.interaction.modal = response.data


def allowed_types(interaction: Interaction) -> set[int]:
    """Callback types that may answer this kind of interaction."""
    if interaction.kind == AUTOCOMPLETE:
        return {SUGGESTIONS}
    types = {MESSAGE, DEFERRED}
    if interaction.kind != MODAL_SUBMIT:
        types.add(MODAL)
    if interaction.kind == COMPONENT or interaction.message is not None:
        types |= {DEFERRED_UPDATE, UPDATE}
    return types


def as_answered(interaction: Interaction, data: Json) -> Json:
    """What is sent in answer, as Discord takes it: ephemeral where it lets nothing else through."""
    if not interaction.forced_ephemeral:
        return data
    return {**data, "flags": (data.get("flags") or 0) | FLAG_EPHEMERAL}


def origin_of(interaction: Interaction, bot_user_id: int) -> Origin:
    return Origin(
        author_id=bot_user_id,
        webhook=True,
        seen_by=interaction.member,
        interaction_metadata=interaction.metadata,
    )


def _source(interaction: Interaction) -> Message:
    message = interaction.message
    if message is None or message.deleted:
        raise refusal(10008)
    return message
