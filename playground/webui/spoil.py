"""The faults that lie in the JSON of an otherwise finished generation. Knows the A1111 reply's three keys only."""

import base64
from typing import Any

from playground.webui.faults import Fault, Planned

_NOT_A_PICTURE = b"This text pretends to be a picture. " * 40


def spoil(reply: dict[str, Any], planned: Planned | None) -> dict[str, Any]:
    """The reply as the fault wants it; unchanged for all other faults."""
    match planned.fault if planned else None:
        case Fault.OUT_OF_MEMORY_200:
            changed: dict[str, Any] = {"images": []}
        case Fault.BLANK_IMAGE:
            changed = {"images": [""]}
        case Fault.NULL_IMAGES:
            changed = {"images": None}
        case Fault.GARBAGE_BASE64:
            changed = {"images": ["%%% not base64 %%%"]}
        case Fault.NOT_AN_IMAGE:
            changed = {"images": [base64.b64encode(_NOT_A_PICTURE).decode()]}
        case Fault.INFO_EMPTY:
            changed = {"info": ""}
        case Fault.INFO_NOT_JSON:
            changed = {"info": "Steps: 20, Sampler: Euler a"}
        case Fault.INFO_MISSING:
            return {key: value for key, value in reply.items() if key != "info"}
        case _:
            return reply
    return {**reply, **changed}
