"""Finds out what a webui is, has and can, by asking routes that change nothing; contract, end of section 5.

What it is (how to speak to it) and its long lists are asked when it appears and after each reconnect, the short lists
at every look. Each list is optional: one bad item makes a whole route fail on some.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from core.errors import (
    AuthenticationFailed,
    BadRequest,
    Busy,
    NoApi,
    NotReady,
    OutcomeUnknown,
    UnreadableAnswer,
    WebuiError,
)
from core.webui import lists
from core.webui.assets import Assets, Lora
from core.webui.catalog import Catalog
from core.webui.control_types import SCRIPT, ControlType, read_control_types
from core.webui.dialects import DIALECTS, Speech
from core.webui.needs import TASKS

_SDAPI: Final = "/sdapi/v1/"
_PROGRESS: Final = "/sdapi/v1/progress?skip_current_image=true"
EXTRAS: Final = "/sdapi/v1/extra-single-image"
INTERROGATE: Final = "/sdapi/v1/interrogate"
CAPTION: Final = "/sdapi/v1/caption"
_KOBOLD_VERSION: Final = "/api/extra/version"
_NO_TASK: Final = "easel-probe"
"""A task id that no job has: asked only to learn whether the route exists."""
_ABSENT: Final = (NoApi, BadRequest, UnreadableAnswer)
"""How a route that isn't there answers; whatever else goes wrong says nothing of it."""
_LATE: Final = (NotReady, Busy, OutcomeUnknown)
"""What goes wrong only for now, NoApi apart."""


class Asking(Protocol):
    """What a probe needs of a client. Every method raises WebuiError."""

    async def get(self, route: str) -> Any:
        """The JSON of a GET route."""

    async def feed(self, route: str, take: Any) -> None:
        """A GET route's answer, piece by piece."""

    async def task_progress(self, task_id: str) -> dict[str, Any]:
        """The webui's word on one task."""

    async def has_route(self, route: str) -> bool:
        """Whether there is a POST route; asking starts nothing."""


async def probe(client: Asking, known: Catalog | None, *, whole: bool) -> Catalog:
    """The catalog; NotReady, NoApi or AuthenticationFailed where none of the short lists can be read.

    Unless `whole`, only the short lists are asked for. A long list that fails now is as it was `known`.
    """
    models, samplers, schedulers, options, progress, task = await asyncio.gather(
        *(_try(client.get, _SDAPI + name) for name in ("sd-models", "samplers", "schedulers", "options")),
        _try(client.get, _PROGRESS),
        _try(client.task_progress, _NO_TASK),
    )
    _refuse_empty(models, samplers, options)
    if known is not None and not whole:
        speech, assets = known.capabilities.speech, known.assets
        tasks = known.capabilities.fields & TASKS
        recognised = known.capabilities.recognised
    else:
        before = known.capabilities if known is not None and known.capabilities.recognised else None
        recognised, speech = await _recognise(client, options, None if before is None else before.speech)
        assets = await _fetch_assets(client, Assets() if known is None else known.assets)
        tasks = await _find_tasks(client, speech, assets, known.capabilities.fields if known else frozenset())
    found = lists.read_capabilities(
        None if isinstance(options, WebuiError) else options,
        progress=isinstance(progress, dict),
        task_progress=isinstance(task, dict),
    )
    fields = DIALECTS[speech].fields | tasks | ({"face_fix"} if assets.face_models else set())
    fields |= {"control"} if SCRIPT in assets.scripts else set()
    named = {"checkpoints": models, "samplers": samplers, "schedulers": schedulers}
    return Catalog(
        checkpoints=lists.read_checkpoints(models),
        samplers=lists.read_samplers(samplers),
        schedulers=lists.read_schedulers(schedulers),
        capabilities=replace(
            found,
            speech=speech,
            recognised=recognised,
            fields=fields,
            task_progress=found.task_progress and "task_id" in DIALECTS[speech].keys,
        ),
        assets=assets,
        loaded_checkpoint=lists.read_loaded_checkpoint(options),
        unread=frozenset(name for name, answer in named.items() if not isinstance(answer, list)),
    )


async def _find_tasks(client: Asking, speech: Speech, assets: Assets, known: frozenset[str]) -> frozenset[str]:
    """What it does besides drawing; what can't be asked for now is as it was `known`.

    KoboldCpp has both routes whatever is loaded, so there its own word counts.
    """
    if speech in (Speech.SDCPP, Speech.DRAWTHINGS):
        return frozenset()
    if speech is Speech.KOBOLD:
        answers = [await _try(client.get, _KOBOLD_VERSION)]
        described = ["caption"] if isinstance(answers[0], dict) and answers[0].get("vision") is True else []
        enlarges = True
    else:
        answers = await asyncio.gather(*(_try(client.has_route, route) for route in (EXTRAS, INTERROGATE, CAPTION)))
        enlarges, interrogates, captions = answers
        described = ["clip", "deepdanbooru"] if interrogates or captions else []
        described += ["caption"] if captions else []
    if any(isinstance(answer, WebuiError) for answer in answers):
        return known & TASKS
    found = [*described, *(["describe"] if described else []), *(["upscale"] if enlarges and assets.upscalers else [])]
    return frozenset(found)


async def _recognise(client: Asking, options: Any, known: Speech | None) -> tuple[bool, Speech]:
    """The first of the contract's signs that is there; A1111's way where none is. And whether that is certain.

    A sign that can't be asked for now is not missing: the webui is still what it was `known` for. Where nothing was
    known and a sign may only be late, it is not certain.
    """
    signs = version, native, kobold, modules = await asyncio.gather(
        _try(client.get, _SDAPI + "version"),
        _try(client.get, "/sdcpp/v1/capabilities"),
        _try(client.get, _KOBOLD_VERSION),
        _try(client.get, _SDAPI + "sd-modules"),
    )
    sign = _first_sign(version, native, kobold, modules, options)
    if sign is not None:
        return True, sign
    failed = [answer for answer in (*signs, options) if isinstance(answer, WebuiError)]
    if known is not None and any(not isinstance(answer, _ABSENT) for answer in failed):
        return True, known
    may_be_late = any(isinstance(answer, _LATE) and not isinstance(answer, _ABSENT) for answer in failed)
    return not may_be_late, Speech.SDCPP if lists.is_token(options) else Speech.A1111


def _first_sign(version: Any, native: Any, kobold: Any, modules: Any, options: Any) -> Speech | None:
    if isinstance(version, dict) and version.get("app") == "sd.next":
        return Speech.SDNEXT
    if isinstance(native, dict):
        return Speech.SDCPP
    if isinstance(kobold, dict) and kobold.get("result") == "KoboldCpp":
        return Speech.KOBOLD
    if isinstance(modules, list):
        return Speech.FORGE
    if isinstance(options, dict) and "guidance_scale" in options and "samples_format" not in options:
        return Speech.DRAWTHINGS
    return None


async def _fetch_assets(client: Asking, known: Assets) -> Assets:
    names = ("sd-vae", "sd-modules", "upscalers", "latent-upscale-modes", "prompt-styles", "scripts")
    vaes, modules, upscalers, latent, styles, scripts, faces, loras = await asyncio.gather(
        *(_try(client.get, _SDAPI + name) for name in names),
        _try(client.get, "/adetailer/v1/ad_model"),
        _try(_fetch_loras, client),
    )
    titles = known.scripts if isinstance(scripts, WebuiError) else lists.read_scripts(scripts)
    return Assets(
        loras=known.loras if isinstance(loras, WebuiError) else loras,
        vaes=_names(vaes, "model_name", known.vaes),
        modules=_names(modules, "model_name", known.modules),
        upscalers=tuple(name for name in _names(upscalers, "name", known.upscalers) if name != "None"),
        latent_upscalers=_names(latent, "name", known.latent_upscalers),
        styles=_names(styles, "name", known.styles, needs=("prompt", "negative_prompt")),
        face_models=_face_models(faces, known.face_models) if "adetailer" in titles else (),
        control_types=await _fetch_control_types(client, known) if SCRIPT in titles else (),
        scripts=titles,
    )


async def _fetch_loras(client: Asking) -> tuple[Lora, ...]:
    reader = lists.LoraReader()
    await client.feed(_SDAPI + "loras", reader.feed)
    return reader.close()


def _face_models(answer: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    return known if known and isinstance(answer, WebuiError) else lists.read_face_models(answer)


async def _fetch_control_types(client: Asking, known: Assets) -> tuple[ControlType, ...]:
    """The models first: the extension looks into their folder only when it is asked for that list."""
    models = await _try(client.get, "/controlnet/model_list")
    modules, types = await asyncio.gather(
        _try(client.get, "/controlnet/module_list"), _try(client.get, "/controlnet/control_types")
    )
    return read_control_types(types, modules, models) or known.control_types


def _names(answer: Any, key: str, known: tuple[str, ...], needs: tuple[str, ...] = ()) -> tuple[str, ...]:
    return known if isinstance(answer, WebuiError) else lists.read_names(answer, key, needs=needs)


def _refuse_empty(*answers: Any) -> None:
    problems = [answer for answer in answers if isinstance(answer, WebuiError)]
    for problem in problems:
        if isinstance(problem, AuthenticationFailed):
            raise problem
    if len(problems) < len(answers):
        return
    if isinstance(problems[0], NotReady):
        raise problems[0]
    raise NoApi(f"no list could be read: {problems[0]}")


async def _try(ask: Callable[..., Awaitable[Any]], *about: Any) -> Any:
    """What `ask` answers, or the WebuiError in its place. It is called here: what is cancelled before asked nothing."""
    try:
        return await ask(*about)
    except WebuiError as error:
        return error
    except lists.NoListError as error:
        return UnreadableAnswer(str(error))
