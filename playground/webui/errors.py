"""How a generation or a request can fail, independent of the shape a dialect gives to it."""

from typing import Any


class RefusedError(Exception):
    """A deliberate HTTP error: a status and a sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class CrashError(Exception):
    """An exception nobody caught inside the webui: status 500 with the class name and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


class InvalidError(Exception):
    """A request that does not fit the route's model: status 422 with one item for each wrong field."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(items)} invalid fields")
        self.items = items


class DroppedError(Exception):
    """The connection ends without any answer."""
