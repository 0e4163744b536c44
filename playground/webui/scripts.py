"""The always-on scripts of installed extensions: which there are, and what they do to a job. No HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from playground.webui import adetailer, controlnet
from playground.webui.controlnet import Controlled, ControlNet


@dataclass(frozen=True, slots=True)
class Scripts:
    """What is installed."""

    adetailer: bool = False
    controlnet: ControlNet | None = None

    def titles(self) -> tuple[str, ...]:
        """The lower-case titles under which /scripts lists them and `alwayson_scripts` calls them."""
        names = ((adetailer.TITLE, self.adetailer), (controlnet.TITLE, self.controlnet is not None))
        return tuple(title for title, there in names if there)

    def run(
        self, payload: Mapping[str, Any], init: Image.Image | None, size: tuple[int, int], *, no_maps: bool
    ) -> Controlled:
        """What they do to this request; nothing when it doesn't call them. Blocking: it decodes images."""
        called = {title.lower(): value for title, value in payload["alwayson_scripts"].items()}
        args = {title: _args(called[title]) for title in self.titles() if title in called}
        done = Controlled()
        if self.controlnet is not None and controlnet.TITLE in args:
            done = self.controlnet.run(args[controlnet.TITLE], init, size, no_maps=no_maps)
        if adetailer.TITLE in args:
            done.pairs.update(adetailer.pairs_of(args[adetailer.TITLE]))
        return done


def _args(called: Any) -> list[Any]:
    args = called.get("args") if isinstance(called, dict) else None
    return args if isinstance(args, list) else []
