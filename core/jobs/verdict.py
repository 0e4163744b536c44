"""What follows from a webui's failure: the job waits and is given out again, or it ends with a sentence. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import AuthenticationFailed, Busy, NotReady, OutcomeUnknown, WebuiError

MAX_BREAKS = 3
"""How often a connection may break with the outcome unknown before the job ends: a request that crashes the server
would otherwise crash it for ever."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`again`: back into the queue; `broke`: counts towards MAX_BREAKS; `sentence` is for the person either way."""

    again: bool
    broke: bool
    sentence: str


def judge(error: WebuiError, breaks: int) -> Verdict:
    """`breaks` is how often this job's outcome stayed unknown before."""
    if isinstance(error, OutcomeUnknown):
        if breaks + 1 >= MAX_BREAKS:
            return Verdict(
                again=False,
                broke=True,
                sentence=f"The connection to the webui broke {MAX_BREAKS} times while it was drawing this; I gave up.",
            )
        return Verdict(again=True, broke=True, sentence=f"{error.sentence} Your job is in the queue again.")
    if isinstance(error, NotReady | AuthenticationFailed | Busy):
        return Verdict(again=True, broke=False, sentence=f"{error.sentence} Your job waits and is drawn after that.")
    return Verdict(again=False, broke=False, sentence=error.sentence)
