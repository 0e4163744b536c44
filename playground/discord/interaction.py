"""One interaction from the member's press to the last follow-up. Knows no HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from playground.discord.messages import Json, Message
from playground.discord.places import Channel, Guild, Member, Permission

COMMAND: Final = 2
COMPONENT: Final = 3
AUTOCOMPLETE: Final = 4
MODAL_SUBMIT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """The bot's first response as it was sent; `at` is seconds after the interaction was created."""

    type: int
    data: Json
    at: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One suggestion of an autocomplete."""

    name: str
    value: str | int | float


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Interaction:
    """What a member did and how the bot answered. Times are monotonic seconds."""

    id: int
    token: str
    kind: int
    member: Member
    channel: Channel
    data: Json
    message: Message | None = None
    metadata: Json = field(default_factory=dict)
    created: float = field(default_factory=time.monotonic)
    acked_after: float | None = None
    callbacks: list[Callback] = field(default_factory=list)
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Choice] | None = None
    expired: bool = False

    def __repr__(self) -> str:
        return f"<Interaction {self.id} of {self.member.name}, type {self.kind}, {self.messages}>"

    @property
    def guild(self) -> Guild | None:
        return self.channel.guild

    @property
    def owners(self) -> Json:
        """`authorizing_integration_owners`: the guild (a DM with the bot has "0"), or the person who installed it."""
        if not self.channel.has_bot:
            return {"1": str(self.member.id)}
        return {"0": str(self.guild.id) if self.guild else "0"}

    @property
    def forced_ephemeral(self) -> bool:
        """Whether everything that answers it is shown to its member alone (documentation, "Application")."""
        is_foreign = self.guild is not None and not self.guild.has_bot
        return is_foreign and Permission.USE_EXTERNAL_APPS not in self.member.permissions

    @property
    def response(self) -> Message | None:
        """The original response; for a button answered in place, the message the button is on."""
        return self.original

    @property
    def messages(self) -> list[Message]:
        first = [self.original] if self.original is not None else []
        return first + self.follow_ups

    @property
    def acknowledged(self) -> bool:
        return self.acked_after is not None

    def age(self) -> float:
        return time.monotonic() - self.created

    def expire(self) -> None:
        """Ends the token's life now, as its 15 minutes would."""
        self.expired = True

    def acknowledge(self, kind: int, data: dict[str, Any]) -> None:
        self.acked_after = self.age()
        self.callbacks.append(Callback(type=kind, data=data, at=self.acked_after))
