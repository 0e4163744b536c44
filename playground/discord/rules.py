"""Discord's numbers that a test may want to change, and those that never change. Knows nothing of HTTP."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The adjustable part of Discord's behaviour; sizes in bytes, times in seconds.

    Source: Discord's developer documentation, pages "Receiving and Responding", "Message", "Uploading Files",
    "Rate Limits" and "Gateway".
    """

    ack_seconds: float = 3.0
    """How long after INTERACTION_CREATE the first response may come; later is 404 10062."""
    token_seconds: float = 900.0
    """Life of an interaction token; later is 401 50027."""
    file_bytes: int = 10 * MIB
    """Largest single upload where the guild has no boost (`Guild.file_bytes` overrides it)."""
    request_bytes: int = 25 * MIB
    """Largest whole request."""
    nonce_seconds: float = 300.0
    """How long an enforced nonce is remembered ("the past few minutes")."""
    session_seconds: float = 90.0
    """How long a broken gateway session can be resumed."""
    route_limit: tuple[int, float] | None = None
    """Requests per window of that many seconds, for each route and channel; None counts nothing."""
    privileged_intents: int = 0
    """Privileged intents that are switched on for the application; asking for others closes with 4014."""


CONTENT: Final = 2000
ATTACHMENTS: Final = 10
ATTACHMENT_DESCRIPTION: Final = 1024
EMBEDS: Final = 10
EMBED_TOTAL: Final = 6000
EMBED_FIELDS: Final = 25
NONCE: Final = 25
ROWS: Final = 5
BUTTONS_IN_ROW: Final = 5
CUSTOM_ID: Final = 100
BUTTON_LABEL: Final = 80
SELECT_OPTIONS: Final = 25
SELECT_TEXT: Final = 100
PLACEHOLDER: Final = 150
V2_COMPONENTS: Final = 40
V2_TEXT: Final = 4000
MODAL_TITLE: Final = 45
MODAL_COMPONENTS: Final = 5
GALLERY_ITEMS: Final = 10
CHOICES: Final = 25
CHOICE_TEXT: Final = 100
OPTIONS: Final = 25
COMMAND_DESCRIPTION: Final = 100
COMMAND_CHARACTERS: Final = 8000
STRING_OPTION: Final = 6000
SAFE_INTEGER: Final = 2**53
COMMANDS_BY_TYPE: Final = {1: 100, 2: 15, 3: 15}

FLAG_SUPPRESS_EMBEDS: Final = 1 << 2
FLAG_EPHEMERAL: Final = 1 << 6
FLAG_LOADING: Final = 1 << 7
FLAG_SILENT: Final = 1 << 12
FLAG_COMPONENTS_V2: Final = 1 << 15
