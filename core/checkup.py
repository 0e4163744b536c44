"""What an operator is told before the first picture: the webuis and the data directory. It changes nothing of theirs.

Facts become findings here; how they are shown is the caller's affair. Sentences may name the operator's own addresses,
never credentials.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import AuthenticationFailed, ConfigurationError, NoApi, NotReady, WebuiError
from core.families.table import load_table
from core.images.store import PictureStore
from core.lock import locked
from core.prompts.wildcards import Wildcards
from core.settings import LOOPBACK, Settings
from core.store.database import database_url, try_database
from core.webui.address import WebuiAddress
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient, open_session
from core.webui.names import shorten

CONTAINER_MARK = Path("/.dockerenv")
"""There in every Docker container, where 127.0.0.1 is the container itself."""


ABILITIES = {
    "styles": "styles",
    "loras": "LoRAs",
    "vae": "choosing a VAE",
    "hires_scale": "hires fix",
    "image": "drawing over an image",
    "mask": "masks",
    "face_fix": "fixing faces",
    "refiner_checkpoint": "refiner",
    "distilled_cfg": "distilled CFG",
    "tiling": "tiling",
    "subseed": "variations (subseed)",
    "control": "ControlNet",
    "scheduler": "choosing a scheduler",
    "upscale": "enlarging images",
    "gfpgan": "GFPGAN",
    "codeformer": "CodeFormer",
    "describe": "describing images",
}
"""Fields of a request and tasks, and what they are called here."""
DESCRIBERS = {"clip": "CLIP", "deepdanbooru": "DeepDanbooru", "caption": "a model for captions"}
"""What finds words for an image."""
_MOST_CONTROLS = 30


class Mark(Enum):
    """How a finding is meant."""

    GOOD = "✓"
    BAD = "✗"
    HINT = "!"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence for the operator. BAD says what keeps pictures away, and what would mend it."""

    mark: Mark
    sentence: str


@dataclass(frozen=True, slots=True)
class Section:
    """The findings about one neighbour. `usable`: it keeps no picture from being drawn."""

    title: str
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing in it is BAD."""
        return all(finding.mark is not Mark.BAD for finding in self.findings)


def good(sentence: str) -> Finding:
    """As it should be."""
    return Finding(Mark.GOOD, sentence)


def bad(sentence: str) -> Finding:
    """This has to be mended."""
    return Finding(Mark.BAD, sentence)


def hint(sentence: str) -> Finding:
    """Worth knowing; pictures come all the same."""
    return Finding(Mark.HINT, sentence)


async def check_webuis(addresses: Iterable[WebuiAddress]) -> list[Section]:
    """Ask every webui at once what it has; a picture needs one that is usable."""
    async with open_session() as session:
        clients = [WebuiClient(address, session) for address in addresses]
        return list(await asyncio.gather(*(_check_webui(client) for client in clients)))


async def check_understanding(settings: Settings) -> Section:
    """Whether the operator's table of families and wildcards can be read."""
    try:
        findings = [good(f"{len(load_table(settings.families_file).keys)} kinds of checkpoints have defaults.")]
    except ConfigurationError as error:
        findings = [bad(problem) for problem in error.problems]
    if settings.wildcards_dir is not None:
        found = await asyncio.to_thread(Wildcards(settings.wildcards_dir).refresh)
        name = _count(found, "wildcard")
        findings.append(good(f"{name} in WILDCARDS_DIR.") if found else hint("WILDCARDS_DIR has no list in it."))
    return Section("Prompts and checkpoints", tuple(findings))


async def check_data(settings: Settings) -> Section:
    """Whether jobs and pictures can be kept, and whether a bot is at work here already."""
    findings = [await asyncio.to_thread(_check_folder, settings.data_dir)]
    if settings.database_url is not None:
        findings.append(await _check_database(settings))
    return Section(f"Data in {settings.data_dir.absolute()}", tuple(findings))


async def _check_webui(client: WebuiClient) -> Section:
    address = client.address
    title = f"{address.name[:1].upper()}{address.name[1:]}, {address.url}"
    try:
        catalog = await client.fetch_catalog()
    except WebuiError as error:
        return Section(title, (bad(_explain(error, address)), *_container_hint(error, address)))
    return Section(title, (*_describe(catalog), *_credentials_hint(address)))


def _explain(error: WebuiError, address: WebuiAddress) -> str:
    match error:
        case AuthenticationFailed() if address.login is None:
            return "It wants a login: write http://USER:PASSWORD@… into WEBUI_URLS, as the webui's --api-auth says."
        case AuthenticationFailed():
            return (
                "It refuses the login in WEBUI_URLS: compare it with the webui's --api-auth "
                "(a comma, @ or : in it is written %2C, %40, %3A)."
            )
        case NoApi():
            return "Something answers, but not the API: start the webui with --api, or wait until it has started."
        case NotReady():
            return f"It can't be reached: {_reason(error.detail)}"
        case _:
            return f"It answers, but not as a webui does. ({shorten(error.detail, 160)})"


def _reason(detail: str) -> str:
    name = detail.partition(":")[0]
    if "DNS" in name:
        return "there is no host of that name."
    if "Certificate" in name or "SSL" in name:
        return "its certificate is not trusted."
    if "Timeout" in name:
        return "there was no answer in time."
    if name.startswith("ClientConnector"):
        return "nothing listens there. Is it running, and is this its port?"
    return f"it answered {shorten(detail, 160)}."


def _container_hint(error: WebuiError, address: WebuiAddress) -> list[Finding]:
    is_here = urlsplit(address.url).hostname in LOOPBACK
    is_silent = isinstance(error, NotReady) and not isinstance(error, NoApi)
    if not (is_here and is_silent and CONTAINER_MARK.exists()):
        return []
    return [hint("Inside a container this address is the container: write http://host.docker.internal:7860.")]


def _credentials_hint(address: WebuiAddress) -> list[Finding]:
    host = urlsplit(address.url).hostname
    if address.login is not None and address.url.startswith("http://") and host not in LOOPBACK:
        return [
            hint("The login goes over plain http: anybody on the way can read it. Use https, or a network of yours.")
        ]
    return []


def _describe(catalog: Catalog) -> list[Finding]:
    can = catalog.capabilities
    loaded = f" Loaded: {shorten(catalog.loaded_checkpoint, 80)}." if catalog.loaded_checkpoint else ""
    if catalog.checkpoints:
        first = good(f"It answers and has {_count(len(catalog.checkpoints), 'checkpoint')}.{loaded}")
    elif catalog.loaded_checkpoint:
        first = hint(f"It answers and lists no checkpoint, so members can't choose one.{loaded}")
    else:
        first = bad("It answers and has no checkpoint: put a model into its folder models/Stable-diffusion.")
    lists = good(f"{_count(len(catalog.samplers), 'sampler')}, {_count(len(catalog.schedulers), 'scheduler')}.")
    if not catalog.samplers:
        lists = hint("It lists no samplers, so members can't choose one.")
    abilities = {
        "progress of each job": can.task_progress,
        "progress": can.progress and not can.task_progress,  # of whatever runs there, asked only while it is ours
        "cancelling": can.interrupt,
        "reading infotext": can.png_info,
        "choosing a checkpoint for one picture": can.override_settings and "checkpoint" in can.fields,
        "CLIP skip": can.sets_clip_skip,
        **{name: field in can.fields for field, name in ABILITIES.items()},
    }
    able = good(f"It can: {', '.join(name for name, has in abilities.items() if has) or 'draw'}.")
    shown = can.progress or can.task_progress
    missing = [name for name, has in abilities.items() if not has and not (shown and name.startswith("progress"))]
    findings = [first, lists, *_describe_assets(catalog), able, *_describe_images(catalog)]
    if missing:
        findings.append(hint(f"It can't: {', '.join(missing)}. Pictures come without."))
    return findings


def _describe_assets(catalog: Catalog) -> list[Finding]:
    assets = catalog.assets
    counts = {
        "LoRA": len(assets.loras),
        "VAE": len(assets.vaes),
        "module": len(assets.modules),
        "upscaler": len(assets.upscalers),
        "style": len(assets.styles),
    }
    has = [_count(number, noun) for noun, number in counts.items() if number]
    has += ["ADetailer"] if assets.face_models else []
    return [good(f"It has {', '.join(has)}.")] if has else []


def _describe_images(catalog: Catalog) -> list[Finding]:
    """What images that people send are good for there, besides being drawn over."""
    findings = []
    types = [shorten(control.name, 40) for control in catalog.assets.control_types]
    if types and "control" in catalog.capabilities.fields:
        more = f" and {len(types) - _MOST_CONTROLS} more" if len(types) > _MOST_CONTROLS else ""
        findings.append(good(f"It follows images by: {', '.join(types[:_MOST_CONTROLS])}{more}."))
    describers = [name for field, name in DESCRIBERS.items() if field in catalog.capabilities.fields]
    if describers:
        findings.append(good(f"It describes images with {', '.join(describers)}."))
    return findings


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _check_folder(data_dir: Path) -> Finding:
    try:
        PictureStore(data_dir).writable()
    except ConfigurationError as error:
        return bad(error.problems[0])
    try:
        with locked(data_dir):
            return good("It can be written.")
    except ConfigurationError:
        return hint("A bot is at work on this directory now. A second one would be refused.")


async def _check_database(settings: Settings) -> Finding:
    secret = settings.database_url
    url = database_url(secret.get_secret_value() if secret else None, settings.data_dir)
    try:
        await try_database(url)
    except ConfigurationError as error:
        return bad(f"DATABASE_URL: {error.problems[0]}")
    return good("The database of DATABASE_URL answers.")
