"""The environment (and `.env`) as one typed object. It knows names, types and secrets; it opens nothing.

Every problem is reported at once: an operator who made three mistakes reads three sentences.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError
from core.images.trimming import DiskLimits
from core.webui.address import WebuiAddress, parse_addresses

DISCORD_API_URL = "https://discord.com/api/v10"
_WORKER_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SHARDS = re.compile(r"\d{1,4}(-\d{1,4})?")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_token(token: SecretStr) -> SecretStr:
    """Refuse an empty token and one that was pasted with its prefix or with spaces in it."""
    text = token.get_secret_value().strip()
    if not text:
        raise ValueError("is empty: paste the bot's token from the Discord developer portal")
    if any(character.isspace() for character in text):
        raise ValueError("has spaces in it: paste only the token, without the word Bot")
    return SecretStr(text)


def check_api_url(url: str) -> str:
    """Plain http would send the bot's token in the clear, so it is for this machine only."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(
            "must be a whole URL such as https://discord.com/api/v10"
        ) from None  # its text repeats the URL
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a whole URL such as https://discord.com/api/v10")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must use https: over http the bot's token could be read on the way")
    return url.rstrip("/")


def check_webui_urls(text: str) -> str:
    """Look at the addresses now, so that their mistakes are named together with all others."""
    try:
        parse_addresses(text)
    except ConfigurationError as error:
        raise ValueError(" ".join(error.problems)) from None
    return text


def check_database_url(url: SecretStr | None) -> SecretStr | None:
    """SQLite and PostgreSQL are the two that Easel is tested on. No sentence repeats the URL: it may hold a secret."""
    if url is None:
        return None
    text = url.get_secret_value()
    if text.partition(":")[0] not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("must begin with postgresql:// or sqlite:///")
    try:
        parsed = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(
            "can't be read: write postgresql://USER:PASSWORD@HOST:5432/NAME, with @, :, / and # in the password as "
            "%40, %3A, %2F and %23"
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ValueError("must name a file, such as sqlite:///data/own.db: jobs have to survive a restart")
    return url


def check_role_weights(text: str) -> str:
    """`ROLE:WEIGHT,…`; read again by `Settings.weights`."""
    for part in _parts(text):
        role, colon, weight = part.partition(":")
        if not (colon and role.strip().isdigit() and _is_weight(weight.strip())):
            raise ValueError(
                "must be the ids of roles with a weight from 0.1 to 10 each, such as 123456789012345678:2,2345:0.5"
            )
    return text


def check_admin_servers(text: str) -> str:
    """Ids of servers; read again by `Settings.switching_servers`."""
    if not all(part.isdigit() for part in _parts(text)):
        raise ValueError("must be the ids of servers, separated by commas")
    return text


def check_worker_name(name: str) -> str:
    """People see it beside the webuis of this worker."""
    if name and not _WORKER_NAME.fullmatch(name):
        raise ValueError("must be at most 32 letters, digits, - and _: people read it on Discord")
    return name


def check_shard_ids(text: str) -> str:
    """`0,1` or `0-3`; read again by `Settings.shards`."""
    for part in _parts(text):
        first, _, last = part.partition("-")
        if not _SHARDS.fullmatch(part) or int(last or first) < int(first):
            raise ValueError("must be numbers such as 0,1 or 0-3")
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_weight(text: str) -> bool:
    try:
        return 0.1 <= float(text) <= 10
    except ValueError:
        return False


def upper(value: Any) -> Any:
    """Log levels are written in any case."""
    return value.strip().upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """What the operator chose. Secrets are masked in every repr; `.env.example` lists exactly these fields."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    discord_token: Annotated[SecretStr, AfterValidator(check_token)]
    discord_api_url: Annotated[str, AfterValidator(check_api_url)] = DISCORD_API_URL
    webui_urls: Annotated[str, AfterValidator(check_webui_urls)] = Field(default="http://127.0.0.1:7860", repr=False)
    database_url: Annotated[SecretStr | None, AfterValidator(check_database_url)] = None
    data_dir: Path = Path("data")
    pictures_days: Annotated[float, Field(gt=0)] | None = None
    pictures_gigabytes: Annotated[float, Field(gt=0)] | None = None
    wildcards_dir: Path | None = None
    http_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    queue_places_per_person: Annotated[int, Field(ge=1)] = 10
    queue_places_per_server: Annotated[int, Field(ge=1)] = 200
    role_weights: Annotated[str, AfterValidator(check_role_weights)] = ""
    admin_servers: Annotated[str, AfterValidator(check_admin_servers)] = ""
    input_megabytes: Annotated[int, Field(ge=1, le=100)] = 25
    allow_image_urls: bool = False
    drain_seconds: Annotated[int, Field(ge=0, le=3600)] = 20
    worker_name: Annotated[str, AfterValidator(check_worker_name)] = ""
    shard_ids: Annotated[str, AfterValidator(check_shard_ids)] = ""
    shard_count: Annotated[int, Field(ge=1)] | None = None
    families_file: Path | None = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(upper)] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @model_validator(mode="after")
    def check_shards(self) -> Self:
        """Which shards there are in all has to be known by whoever takes only some of them."""
        if self.shard_ids and (self.shard_count is None or max(self.shards or [0]) >= self.shard_count):
            raise ValueError("SHARD_IDS needs SHARD_COUNT, which is larger than each of them")
        return self

    @property
    def webuis(self) -> tuple[WebuiAddress, ...]:
        """The webuis in the order in which they were named, credentials split off."""
        return parse_addresses(self.webui_urls)

    @property
    def secrets(self) -> list[str]:
        """What must never be in a log."""
        logins = [webui.login.password for webui in self.webuis if webui.login]
        database = sa.make_url(self.database_url.get_secret_value()).password if self.database_url else None
        return [self.discord_token.get_secret_value(), *logins, str(database or "")]

    @property
    def weights(self) -> dict[int, float]:
        """What each role's members weigh in fair shares; everybody else weighs 1."""
        pairs = (part.partition(":") for part in _parts(self.role_weights))
        return {int(role): float(weight) for role, _, weight in pairs}

    @property
    def switching_servers(self) -> frozenset[int]:
        """The servers whose admins may pause and drain webuis; empty: every server's."""
        return frozenset(int(part) for part in _parts(self.admin_servers))

    @property
    def disk_limits(self) -> DiskLimits:
        """How old kept pictures may get, and how much room they may take."""
        days, gigabytes = self.pictures_days, self.pictures_gigabytes
        return DiskLimits(
            age=None if days is None else days * 24 * 3600.0,
            size=None if gigabytes is None else int(gigabytes * 1e9),
        )

    @property
    def shards(self) -> list[int] | None:
        """The shards of this process; None: all there are."""
        found: list[int] = []
        for part in _parts(self.shard_ids):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
        return found or None


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment over `env_file`; ConfigurationError names every problem at once."""
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]  # pydantic's own argument, and the environment
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{env_file} can't be read: it has to be a text file in UTF-8.") from None
    except ValidationError as error:
        raise ConfigurationError(*(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: Any) -> str:
    """One of pydantic's findings in plain words; the value is left out, since it may be a secret."""
    if not problem["loc"]:  # a finding about several settings names them itself
        return f"{str(problem['msg']).removeprefix('Value error, ')}."
    name = str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set: put it into .env or the environment."
    if problem["type"] == "bool_parsing":
        return f"{name} must be yes or no."
    message = str(problem["msg"]).removeprefix("Value error, ").removesuffix(".")
    return f"{name} {message[:1].lower()}{message[1:]}."
