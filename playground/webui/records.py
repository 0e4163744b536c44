"""What the local webui remembers. Knows nothing of HTTP, drawing or time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RenderState = Literal["running", "done", "interrupted", "failed", "discarded"]


@dataclass(frozen=True, slots=True)
class WebuiRequest:
    """One HTTP request as it arrived, before any fault or check touched it.

    `path` has no base path and no query. `body` is the parsed JSON where the body was JSON, else the raw bytes
    (`None` when empty). `at` is the event loop's clock in seconds.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    at: float


@dataclass(slots=True)
class Render:
    """One generation that reached the graphics card; the record changes while the generation runs.

    `payload` is the request with every default filled in, `sent` the JSON exactly as it arrived, `ignored` those of its
    keys that this webui doesn't know. `seed` is the first picture's real seed. `loras` are applied. `started` and
    `finished` are seconds of the event loop's clock. `digests` are the SHA-256 hex digests of the image files sent.
    `discarded`: nobody got the answer, because the client had left or because the server restarted under the job
    (then `finished` is `None`).
    """

    payload: dict[str, Any]
    seed: int
    task_id: str
    checkpoint: str
    started: float
    finished: float | None = None
    state: RenderState = "running"
    infotexts: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    sent: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    loras: list[str] = field(default_factory=list)
