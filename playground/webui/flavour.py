"""How a webui of the A1111 family draws: what A1111, Forge and reForge do differently. No HTTP, no time, no pixels."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from playground.webui.catalog import Catalog, Checkpoint, lora_tags, stem
from playground.webui.controlnet import BuiltInControlNet, ControlNet, SilentControlNet
from playground.webui.errors import CrashError
from playground.webui.family_options import FORGE_DEFAULTS, REFORGE_DEFAULTS
from playground.webui.family_sampling import FORGE_SAMPLERS, FORGE_SCHEDULERS, REFORGE_SAMPLERS, REFORGE_SCHEDULERS
from playground.webui.infotext import READ_DEFAULTS, VERSION
from playground.webui.options import DEFAULTS, Options
from playground.webui.sampling import SAMPLERS, SCHEDULERS, Sampler, Scheduler

SAME_CHOICES = "Use same choices"
_A1111_ALONE = ("Cache FP16 weight for LoRA", "Emphasis")
_READ_DEFAULTS: dict[str, Any] = {key: value for key, value in READ_DEFAULTS.items() if key not in _A1111_ALONE}


class Flavour:
    """A1111 1.10.1. Subclass it and override what differs."""

    version: ClassVar[str] = VERSION
    samplers: ClassVar[Sequence[Sampler]] = SAMPLERS
    schedulers: ClassVar[Sequence[Scheduler]] = SCHEDULERS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    read_defaults: ClassVar[Mapping[str, Any]] = READ_DEFAULTS  # what /png-info adds
    boots_loaded: ClassVar[bool] = True  # a checkpoint is in memory as soon as the server answers
    names_checkpoint: ClassVar[bool] = True  # the option says which checkpoint a fresh installation has
    writes_title: ClassVar[bool] = True  # the option becomes the checkpoint's full title when it is loaded
    ignores_null: ClassVar[bool] = False  # null for an option that it has not is no error
    guards_options: ClassVar[bool] = True  # POST /options can't change the three options of the URL guard
    echoes_unknown: ClassVar[bool] = True  # an override with an unknown checkpoint comes back in `parameters`
    checks_nans: ClassVar[bool] = True  # NaNs are an error; otherwise a black picture
    controlnet: ClassVar[type[ControlNet]] = ControlNet
    has_controlnet: ClassVar[bool] = False  # without anybody installing it
    no_checkpoint: ClassVar[CrashError] = CrashError(
        "AttributeError", "'NoneType' object has no attribute 'sd_checkpoint_info'"
    )
    load_failure: ClassVar[CrashError] = CrashError(
        "SafetensorError", "Error while deserializing header: MetadataIncompleteBuffer"
    )

    def vae(self, options: Options, catalog: Catalog) -> str | None:
        """The VAE that is chosen, as the infotext names it."""
        return options["sd_vae"] if options["sd_vae"] in catalog.vaes else None

    def guidance(self, payload: Mapping[str, Any], checkpoint: Checkpoint) -> dict[str, Any]:  # noqa: ARG002 - Forge's
        """The pairs behind the CFG scale."""
        return {}

    def modules(self, options: Options, catalog: Catalog) -> dict[str, Any]:  # noqa: ARG002 - Forge's
        """The pairs behind the checkpoint."""
        return {}

    def hires(self, payload: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:  # noqa: ARG002 - the others'
        """The second pass's pairs that the flavour has on its own."""
        return {}

    def check_second_pass(self, payload: Mapping[str, Any]) -> None:
        """Raise CrashError where hires fix fails after its first pass."""
        if payload["denoising_strength"] is None:
            raise CrashError("TypeError", "'>' not supported between instances of 'NoneType' and 'int'")
        sampler = payload["hr_sampler_name"]
        if sampler and all(sampler != each.name and sampler not in each.aliases for each in self.samplers):
            raise CrashError("AssertionError", f"bad sampler name: {sampler}")

    def is_black(self, checkpoint: Checkpoint, options: Options, catalog: Catalog) -> bool:  # noqa: ARG002 - Forge's
        """Whether the picture is black for want of something that the checkpoint needs."""
        return False

    def loras(self, prompt: str, catalog: Catalog) -> list[str] | None:
        """The LoRAs applied to this prompt; unknown names are ignored.

        None when the step fails, as for a weight that is no number: then those of the job before stay applied.
        """
        tags = lora_tags(prompt)
        if not all(_is_number(weight) for _, weight in tags):
            return None
        return [name for name, _ in tags if name in catalog.loras]


class ForgeFlavour(Flavour):
    """Forge f2.0.1v1.10.1."""

    version = "f2.0.1v1.10.1-1.10.1"
    samplers = FORGE_SAMPLERS
    schedulers = FORGE_SCHEDULERS
    defaults = FORGE_DEFAULTS
    read_defaults: ClassVar[Mapping[str, Any]] = {
        **_READ_DEFAULTS,
        "Hires VAE/TE": [SAME_CHOICES],
    }
    boots_loaded = False
    writes_title = False
    ignores_null = True
    guards_options = False
    echoes_unknown = False
    checks_nans = False
    controlnet = BuiltInControlNet
    has_controlnet = True
    no_checkpoint = CrashError("ValueError", "You do not have any model!")
    load_failure = CrashError("ValueError", "Failed to recognize model type!")

    def vae(self, options: Options, catalog: Catalog) -> str | None:  # noqa: ARG002 - sd_vae is ignored
        """None: modules take its place."""
        return None

    def guidance(self, payload: Mapping[str, Any], checkpoint: Checkpoint) -> dict[str, Any]:
        """The distilled CFG scale of a checkpoint that has one."""
        return {"Distilled CFG Scale": payload["distilled_cfg_scale"]} if checkpoint.distilled else {}

    def modules(self, options: Options, catalog: Catalog) -> dict[str, Any]:
        """Module 1, 2, …"""
        return _numbered("Module", _found(options["forge_additional_modules"], catalog))

    def hires(self, payload: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
        """The second pass's own modules and CFG scale."""
        asked = payload["hr_additional_modules"] or []
        pairs = {} if SAME_CHOICES in asked else _numbered("Hires Module", _found(asked, catalog))
        return {**pairs, "Hires CFG Scale": payload["hr_cfg"]}

    def check_second_pass(self, payload: Mapping[str, Any]) -> None:
        """Without `hr_additional_modules` it fails."""
        super().check_second_pass(payload)
        if payload["hr_additional_modules"] is None:
            raise CrashError("TypeError", "argument of type 'NoneType' is not iterable")

    def is_black(self, checkpoint: Checkpoint, options: Options, catalog: Catalog) -> bool:
        """Whether a module that the checkpoint needs is not chosen."""
        chosen = _found(options["forge_additional_modules"], catalog)
        return not set(checkpoint.modules) <= set(chosen)

    def loras(self, prompt: str, catalog: Catalog) -> list[str] | None:
        """One unknown name, too, makes the whole step fail."""
        if any(name not in catalog.loras for name, _ in lora_tags(prompt)):
            return None
        return super().loras(prompt, catalog)


class ReForgeFlavour(Flavour):
    """reForge: A1111's API with Forge's samplers, and more of them."""

    version = "f1.0.0v2-v1.10.1RC-1.10.1"
    samplers = REFORGE_SAMPLERS
    schedulers = REFORGE_SCHEDULERS
    defaults = REFORGE_DEFAULTS
    read_defaults = _READ_DEFAULTS
    names_checkpoint = False
    controlnet = SilentControlNet
    has_controlnet = True

    def hires(self, payload: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:  # noqa: ARG002 - Forge's
        """The second pass's CFG scale; 0 is the first one's."""
        return {"Hires CFG Scale": payload["hr_cfg"] or payload["cfg_scale"]}


def _is_number(text: str) -> bool:
    try:
        float(text or 1)
    except ValueError:
        return False
    return True


def _found(asked: Any, catalog: Catalog) -> list[str]:
    found = [catalog.find_module(str(name)) for name in asked or []]
    return [name for name in found if name is not None]


def _numbered(label: str, names: list[str]) -> dict[str, Any]:
    return {f"{label} {number}": stem(name) for number, name in enumerate(names, 1)}
