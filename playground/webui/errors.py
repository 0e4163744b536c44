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


OUT_OF_MEMORY = CrashError(
    "OutOfMemoryError",
    "CUDA out of memory. Tried to allocate 2.25 GiB (GPU 0; 8.00 GiB total capacity; 5.61 GiB already allocated; "
    "1.02 GiB free; 5.74 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting "
    "max_split_size_mb to avoid fragmentation.  See documentation for Memory Management and PYTORCH_CUDA_ALLOC_CONF",
)
NANS = CrashError(
    "NansException",
    "A tensor with NaNs was produced in Unet. This could be either because there's not enough precision to represent "
    "the picture, or because your video card does not support half type. Use --disable-nan-check commandline argument "
    "to disable this check.",
)
