"""What follows from a webui's failure: the job waits and is given out again, or it ends with a sentence. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import (
    ModelMissing,
    NanPicture,
    NoPicture,
    OutcomeUnknown,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.webui.breaker import AWAY

MAX_BREAKS = 3
"""How often a connection may break with the outcome unknown before the job ends: a request that crashes the server
would otherwise crash it for ever."""

_OF_THAT_WEBUI = (ServerFault, UnreadableAnswer, NoPicture, ModelMissing, OutOfMemory, NanPicture)
"""What another machine may do better: it has other files, a larger card, or computes with another precision.

Not refused settings: every webui was asked for them in the same words.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`again`: back into the queue; `broke`: counts towards MAX_BREAKS; `sentence` is for the person either way.

    `avoid`: the job must not go to this backend again.
    """

    again: bool
    broke: bool
    sentence: str
    avoid: bool = False


def judge(error: WebuiError, breaks: int, *, elsewhere: bool = False) -> Verdict:
    """`breaks` is how often this job's outcome stayed unknown before.

    `elsewhere`: another webui could draw the job, and has not failed at it yet.
    """
    if isinstance(error, OutcomeUnknown):
        if breaks + 1 >= MAX_BREAKS:
            return Verdict(
                again=False,
                broke=True,
                sentence=f"The connection to the webui broke {MAX_BREAKS} times while it was drawing this; I gave up.",
            )
        return Verdict(again=True, broke=True, sentence=f"{error.sentence} Your job is in the queue again.")
    if isinstance(error, AWAY):
        return Verdict(again=True, broke=False, sentence=f"{error.sentence} Your job waits and is drawn after that.")
    if elsewhere and isinstance(error, _OF_THAT_WEBUI):
        return Verdict(again=True, broke=False, sentence=f"{error.sentence} Another webui tries it.", avoid=True)
    return Verdict(again=False, broke=False, sentence=error.sentence)
