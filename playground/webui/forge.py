"""The Forge f2.0.1v1.10.1 dialect, and reForge's: what they answer otherwise than A1111. No sockets, no drawing."""

from dataclasses import replace
from typing import Any, ClassVar

from playground.webui import lists
from playground.webui.a1111 import A1111
from playground.webui.dialect import Answer, Call, Handler, json_answer
from playground.webui.errors import CrashError, RefusedError
from playground.webui.flavour import Flavour, ForgeFlavour, ReForgeFlavour
from playground.webui.models import FORGE_IMG2IMG, FORGE_TXT2IMG, REFORGE_TXT2IMG
from playground.webui.validation import Pydantic1, Pydantic2

_FORGE_SCRIPTS = (
    "extra options",
    "dynamicthresholding (cfg-fix) integrated",
    "freeu integrated (sd 1.x, sd 2.x, sdxl)",
    "kohya hrfix integrated",
    "multidiffusion integrated",
    "never oom integrated",
    "perturbedattentionguidance integrated",
    "selfattentionguidance integrated (sd 1.x, sd 2.x, sdxl)",
    "stylealign integrated",
    "refiner",
    "sampler",
    "seed",
)
_REFORGE_SCRIPTS = (
    "extra options",
    "mahiro cfg for reforge",
    '"apg\'s now your cfg" and guidance limiter for reforge',
    "rescalecfg for reforge",
    "advanced model sampling for reforge",
    "dynamicthresholding (cfg-fix) integrated",
    "freeu integrated",
    "hypertile integrated",
    "kohya hrfix integrated",
    "multidiffusion integrated",
    "never oom integrated",
    "selfattentionguidance integrated",
    "random resolution",
    "refiner",
    "sampler",
    "seed",
)
_PORT_ERROR = (
    "1 validation errors:\n  {{'type': 'string_type', 'loc': ('response', 'port'), 'msg': 'Input should be a valid "
    "string', 'input': {port}, 'url': 'https://errors.pydantic.dev/2.8/v/string_type'}}\n"
)


class Forge(A1111):
    """Forge, started with --api and --port: bare error shapes, pydantic 2, modules in place of VAEs."""

    process_time = None
    flavour: ClassVar[Flavour] = ForgeFlavour()
    validation: ClassVar[Pydantic1] = Pydantic2()
    txt2img_fields = FORGE_TXT2IMG
    img2img_fields = FORGE_IMG2IMG
    alwayson = _FORGE_SCRIPTS

    def readings(self) -> dict[str, Handler]:
        """The GET routes under /sdapi/v1."""
        return {**super().readings(), "cmd-flags": self.cmd_flags}

    def lists(self) -> dict[str, Any]:
        """The body of every plain list by its name."""
        bodies = super().lists()
        del bodies["sd-vae"]
        return {**bodies, "sd-modules": lists.modules(self.machine.catalog)}

    def refused(self, error: RefusedError) -> Answer:
        """FastAPI's own shape, with the header that a browser needs."""
        answer = json_answer({"detail": error.detail}, error.status)
        return replace(answer, headers={"WWW-Authenticate": "Basic"}) if error.status == 401 else answer

    def crashed(self, error: CrashError) -> Answer:
        """The wrapper with the text under `message`."""
        return json_answer({"error": error.kind, "detail": "", "body": "", "message": error.text}, 500)

    def parse_infotext(self, text: str) -> dict[str, Any]:
        """The `parameters` of /png-info; the checkpoint's name goes to another place of the interface."""
        return {key: value for key, value in super().parse_infotext(text).items() if key != "Model"}

    async def cmd_flags(self, _: Call) -> Answer:
        """`GET /cmd-flags`: fails at the port, which is a number, and sends all flags with the error."""
        flags = self.lists()["cmd-flags"]
        message = _PORT_ERROR.format(port=flags["port"])
        return json_answer({"error": "ResponseValidationError", "detail": "", "body": flags, "message": message}, 500)

    async def set_options(self, call: Call) -> Answer:
        """`POST /options`: only notes what is wanted and answers at once; the next job loads the checkpoint."""
        options, flavour = self.machine.options, self.machine.flavour
        wanted = self.read_json(call)
        self.wanted_checkpoint(wanted)
        for key, value in wanted.items():
            if value is not None or options.has(key) or not flavour.ignores_null:
                options.set(key, value, guarded=flavour.guards_options)
        options.save()
        self.machine.changes.notify()
        return json_answer(None)


class ReForge(A1111):
    """reForge: A1111's shapes and validation, Forge's samplers and ControlNet, and a CFG scale for the second pass."""

    flavour: ClassVar[Flavour] = ReForgeFlavour()
    txt2img_fields = REFORGE_TXT2IMG
    alwayson = _REFORGE_SCRIPTS

    def lists(self) -> dict[str, Any]:
        """The body of every plain list by its name; the port among the flags is a string."""
        bodies = super().lists()
        flags = bodies["cmd-flags"]
        return {**bodies, "cmd-flags": {**flags, "port": str(flags["port"])}}
