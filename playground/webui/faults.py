"""The faults that can be switched on, and which request meets which. Knows nothing of HTTP."""

from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase


class Fault(Enum):
    """One way of failing. Each says whether the picture is drawn all the same."""

    NO_API = auto()  # 404 on the route, as without --api; nothing drawn
    HANG = auto()  # no answer until `unhang()`; nothing drawn before
    SLOW = auto()  # the answer starts `amount` seconds late (default 1.0); drawn
    TRICKLE = auto()  # the body comes in slices over `amount` seconds (default 1.0); drawn
    CLOSE_UNREAD = auto()  # closed at once, nothing drawn
    CLOSE_BEFORE_ANSWER = auto()  # drawn, then closed without a byte of answer
    CLOSE_MID_BODY = auto()  # drawn, closed after half of the body
    TRUNCATED_JSON = auto()  # drawn, a complete HTTP answer whose JSON stops half way
    OUT_OF_MEMORY = auto()  # 500 in the middle of the generation
    OUT_OF_MEMORY_200 = auto()  # 200 with `images: []`
    NAN = auto()  # 500 after the last step
    MODEL_NOT_FOUND = auto()  # 500 while the checkpoint is loaded
    LEAKY_ERROR = auto()  # 500 whose text has a host name, a path, credentials and a stack trace
    BLANK_IMAGE = auto()  # `images: [""]`
    NULL_IMAGES = auto()  # `images: null`
    GARBAGE_BASE64 = auto()  # `images: ["%%% not base64 %%%"]`
    NOT_AN_IMAGE = auto()  # base64 of bytes that are no picture
    INFO_EMPTY = auto()  # `info: ""`
    INFO_NOT_JSON = auto()  # `info` is text that is no JSON
    INFO_MISSING = auto()  # no `info` key
    NO_METADATA = auto()  # pictures without infotext, as with enable_pnginfo off
    JPEG = auto()  # pictures in JPEG
    WEBP = auto()  # pictures in WebP
    BLACK_IMAGE = auto()  # every pixel black
    FEWER_IMAGES = auto()  # the last picture is missing
    GRID_FIRST = auto()  # a grid before the pictures, index_of_first_image 1
    WRONG_CHECKPOINT = auto()  # another checkpoint than the one asked for
    HUGE_PNG = auto()  # a PNG of noise of at least `amount` bytes (default 11 MiB)
    VALIDATION_ECHO = auto()  # 422 echoing the body and 5 MB of text; nothing drawn
    UNAUTHORIZED = auto()  # 401, nothing drawn
    TOO_MANY_REQUESTS = auto()  # 429 with Retry-After `amount` seconds (default 1); nothing drawn
    UNAVAILABLE = auto()  # 503, nothing drawn
    HTML_200 = auto()  # 200 with a page, as from a captive portal; nothing drawn
    HTML_502 = auto()  # a proxy's page, nothing drawn
    HTML_504 = auto()  # a proxy's page at once, while the picture is drawn behind it
    HTML_524 = auto()  # the same from a tunnel


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault met by one request, with its amount where it has one (seconds or bytes)."""

    fault: Fault
    amount: float | None = None

    def is_any(self, *faults: Fault) -> bool:
        """Whether this is one of the given faults."""
        return self.fault in faults


@dataclass(slots=True)
class _Entry:
    planned: Planned
    route: str
    left: int | None


class FaultBoard:
    """Faults in the order they were set; the oldest that fits a request is the one it meets."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, planned: Planned, *, times: int | None, route: str) -> None:
        """Set a fault for the next `times` requests to `route` (a shell pattern), or until cleared when None."""
        self._entries.append(_Entry(planned, route, times))

    def clear(self) -> None:
        """Forget every fault."""
        self._entries.clear()

    def take(self, path: str) -> Planned | None:
        """The fault this request meets, counted as used."""
        for entry in self._entries:
            if not fnmatchcase(path, entry.route):
                continue
            if entry.left is not None:
                entry.left -= 1
                if entry.left == 0:
                    self._entries.remove(entry)
            return entry.planned
        return None
