"""The one tree of errors. It knows sentences for people and details for the log; it does no I/O.

EaselError
├── UserError             the person can mend it: the sentence is shown as it is
│   ├── NoPlace             the queue has no place for another job; later it will
│   ├── Mistakes            several things at once in what was typed
│   ├── NotOffered          no webui has that name, or can do that (any more, or yet)
│   └── NoDatabase          our own database did not answer in time; later it will
├── ConfigurationError    the operator can mend it: every problem at once
└── WebuiError            what a webui did. `sentence` is for the person, `detail` for the log alone
    ├── NotReady            refused, starting, 503, a 502 at once: the job waits
    │   └── NoApi             it answers without the API: the job waits
    ├── AuthenticationFailed  401/403: the job waits until the operator mends the credentials
    ├── Busy                429, or 503 that says busy: the job waits
    ├── OutcomeUnknown      time-out, closed connection, 504/524, a late 502: asked again once it is known to be over
    ├── BadRequest          400/404/422: this request will never work here
    ├── ModelMissing        the checkpoint, upscaler or the like isn't there
    ├── OutOfMemory         the picture is too large for the graphics card
    ├── NanPicture          the model computed nothing but NaN, or a black picture
    ├── NoPicture           the answer was fine and held no picture
    │   └── NoCaption         the same of words about an image
    ├── UnreadableAnswer    the answer was not what a webui says
    └── ServerFault         any other 500
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class EaselError(Exception):
    """Base of every error that Easel raises on purpose."""


class UserError(EaselError):
    """What a person asked can't be done; `str(error)` is a whole sentence for that person."""


class NoPlace(UserError):
    """The queue has no place left for this person or server; `again_at` (unix seconds) is when to try again."""

    def __init__(self, sentence: str, again_at: float | None) -> None:
        super().__init__(sentence)
        self.again_at = again_at


class Mistakes(UserError):
    """What was typed can't be read; `mistakes` are phrases, one for each thing to mend."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"There is something to mend: {'; '.join(mistakes)}.")
        self.mistakes = tuple(mistakes)


class NotOffered(UserError):
    """A name that no webui lists, or something that none can do: the lists are worth another look."""


class NoDatabase(UserError):
    """The database did not answer while the person could still be answered."""

    def __init__(self) -> None:
        super().__init__("The bot can't reach its database at the moment. Try again in a minute.")


class ConfigurationError(EaselError):
    """What the operator configured can't work; `problems` holds one sentence for each mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class WebuiError(EaselError):
    """A webui did not do what it was asked.

    `detail` may hold host names, paths and answers of the server: it goes to the log and nowhere else.
    """

    sentence: ClassVar[str] = "The webui could not draw this."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.sentence)
        self.detail = detail


class NotReady(WebuiError):
    """No connection, or the server is there and its API isn't (starting, `--api` missing, 503, a 502 at once)."""

    sentence = "The webui can't be reached at the moment."


class NoApi(NotReady):
    """Something answers at the address, but not as a webui: `--api` is missing, or it is still starting."""

    sentence = "The webui is running without its API, or is still starting."


class AuthenticationFailed(WebuiError):
    """401 or 403: the credentials in the webui's URL are missing or wrong."""

    sentence = "The webui refuses the bot's login; whoever runs the bot has to mend that."


class Busy(WebuiError):
    """429, or a 503 that says it is busy: later it will do."""

    sentence = "The webui is busy with other work."


class OutcomeUnknown(WebuiError):
    """The request may have been carried out: time-out, a connection closed half-way, 504, 524."""

    sentence = "The connection to the webui broke while it was drawing."


class BadRequest(WebuiError):
    """400, 404 or 422: the same request will be refused again."""

    sentence = "The webui refused this combination of settings."


class ModelMissing(WebuiError):
    """The server says that a checkpoint or another model can't be found."""

    sentence = "The webui could not find or load the model for this picture."


class OutOfMemory(WebuiError):
    """The graphics card's memory did not suffice."""

    sentence = "The webui ran out of memory: try a smaller size."


class NanPicture(WebuiError):
    """The model produced NaNs, which some servers report and others show as a black picture."""

    sentence = "The model computed an empty (black) picture: try another checkpoint, sampler or size."


class NoPicture(WebuiError):
    """HTTP 200 and no image in it."""

    sentence = "The webui answered without a picture; it may have run out of memory."


class NoCaption(NoPicture):
    """HTTP 200 and no words in it."""

    sentence = "The webui found no words for this image."


class UnreadableAnswer(WebuiError):
    """Not JSON, not base64, or not an image."""

    sentence = "The webui's answer could not be read as a picture."


class ServerFault(WebuiError):
    """Any other failure inside the webui."""

    sentence = "The webui failed while drawing this."
