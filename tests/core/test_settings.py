"""The environment as one object: every mistake is named at once, and no secret is ever shown."""

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.settings import DISCORD_API_URL, Settings, load_settings

TOKEN = "MTA.fake.token-for-tests"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(None)


def problems(monkeypatch: pytest.MonkeyPatch, **environment: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load(monkeypatch, **{"DISCORD_TOKEN": TOKEN, **environment})
    return refused.value.problems


def test_a_token_is_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DISCORD_TOKEN=TOKEN)
    assert settings.discord_token.get_secret_value() == TOKEN
    assert settings.discord_api_url == DISCORD_API_URL
    assert [webui.url for webui in settings.webuis] == ["http://127.0.0.1:7860"]
    assert (settings.database_url, settings.http_port) == (None, None)
    assert (str(settings.data_dir), settings.log_level, settings.log_format) == ("data", "INFO", "console")
    assert (settings.queue_places_per_person, settings.queue_places_per_server) == (10, 200)
    assert (settings.weights, settings.drain_seconds, settings.worker_name) == ({}, 20, "")
    assert (settings.shards, settings.shard_count) == (None, None)
    assert (settings.input_megabytes, settings.allow_image_urls) == (25, False)


def test_every_field_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(
        monkeypatch,
        DISCORD_TOKEN=f"  {TOKEN}\n",
        DISCORD_API_URL="http://127.0.0.1:9000/api/v10/",
        WEBUI_URLS="http://ann:s%2Cecret@gpu:7860, https://other.example/base/",
        DATABASE_URL="postgresql://easel:hidden@db/easel",
        DATA_DIR=str(tmp_path),
        HTTP_PORT="8080",
        LOG_LEVEL="debug",
        LOG_FORMAT="json",
        QUEUE_PLACES_PER_PERSON="3",
        QUEUE_PLACES_PER_SERVER="50",
        ROLE_WEIGHTS=" 123456789012345678:2, 23:0.5,",
        DRAIN_SECONDS="0",
        WORKER_NAME="attic-1",
        SHARD_IDS="0, 2-4",
        SHARD_COUNT="5",
    )
    assert settings.discord_token.get_secret_value() == TOKEN
    assert settings.discord_api_url == "http://127.0.0.1:9000/api/v10"
    assert [webui.url for webui in settings.webuis] == ["http://gpu:7860", "https://other.example/base"]
    assert settings.webuis[0].login is not None
    assert settings.webuis[0].login.password == "s,ecret"
    assert settings.database_url is not None
    assert (settings.data_dir, settings.http_port) == (tmp_path, 8080)
    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")
    assert (settings.queue_places_per_person, settings.queue_places_per_server) == (3, 50)
    assert settings.weights == {123456789012345678: 2.0, 23: 0.5}
    assert (settings.drain_seconds, settings.worker_name) == (0, "attic-1")
    assert (settings.shards, settings.shard_count) == ([0, 2, 3, 4], 5)


def test_three_mistakes_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(monkeypatch, WEBUI_URLS="127.0.0.1:7860", HTTP_PORT="99999")
    assert refused.value.problems == (
        "DISCORD_TOKEN is not set: put it into .env or the environment.",
        "WEBUI_URLS 127.0.0.1:7860 has no scheme: write http://127.0.0.1:7860.",
        "HTTP_PORT input should be less than or equal to 65535.",
    )


def test_the_mistakes_of_an_env_file_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DISCORD_TOKEN=Bot abc\nWEBUI_URLS=gpu:7860,ftp://gpu\nLOG_LEVEL=loud\nUNKNOWN=1\n")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(file)
    token, webuis, level = refused.value.problems
    assert token.startswith("DISCORD_TOKEN has spaces in it")
    assert webuis == (
        "WEBUI_URLS gpu:7860 has no scheme: write http://gpu:7860. "
        "webui 2 has the scheme 'ftp', which no webui speaks: use http or https."
    )
    assert level.startswith("LOG_LEVEL input should be 'DEBUG', 'INFO'")


def test_an_env_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\nHTTP_PORT=1000\n", encoding="utf-8-sig")
    assert load_settings(file).http_port == 1000


def test_an_env_file_that_is_no_text_in_utf_8_is_said(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\n", encoding="utf-16")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(file)
    assert refused.value.problems == (f"{file} can't be read: it has to be a text file in UTF-8.",)


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\nHTTP_PORT=1000\nLOG_LEVEL=ERROR\n")
    monkeypatch.setenv("HTTP_PORT", "2000")
    monkeypatch.setenv("LOG_LEVEL", "")  # empty counts as not set
    settings = load_settings(file)
    assert (settings.http_port, settings.log_level) == (2000, "ERROR")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DISCORD_TOKEN", "  ", "DISCORD_TOKEN is empty"),
        ("DISCORD_API_URL", "discord.com", "DISCORD_API_URL must be a whole URL"),
        ("DISCORD_API_URL", "http://discord.com/api/v10", "DISCORD_API_URL must use https"),
        ("DISCORD_API_URL", "http://127.0.0.1.evil.example/", "DISCORD_API_URL must use https"),
        ("DISCORD_API_URL", "http://localhost@evil.example/", "DISCORD_API_URL must use https"),
        ("WEBUI_URLS", "http://", "WEBUI_URLS webui 1 has a URL without a host"),
        ("WEBUI_URLS", ",", "WEBUI_URLS no webui URL is given"),
        ("DATABASE_URL", "mysql://db/easel", "DATABASE_URL must begin with postgresql:// or sqlite:///"),
        ("DATABASE_URL", "postgresql://easel:pw@db:port/easel", "DATABASE_URL can't be read: write postgresql://"),
        ("DATABASE_URL", "postgresql://easel:pw@db:5432:1/easel", "DATABASE_URL can't be read: write postgresql://"),
        ("DATABASE_URL", "postgresql", "DATABASE_URL can't be read: write postgresql://"),
        ("DATABASE_URL", "sqlite://", "DATABASE_URL must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL must name a file"),
        ("DISCORD_API_URL", "https://[discord/api", "DISCORD_API_URL must be a whole URL"),
        ("HTTP_PORT", "http", "HTTP_PORT input should be a valid integer"),
        ("HTTP_PORT", "0", "HTTP_PORT input should be greater than or equal to 1"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT input should be 'console' or 'json'"),
        ("QUEUE_PLACES_PER_PERSON", "0", "QUEUE_PLACES_PER_PERSON input should be greater than or equal to 1"),
        ("QUEUE_PLACES_PER_SERVER", "many", "QUEUE_PLACES_PER_SERVER input should be a valid integer"),
        ("ROLE_WEIGHTS", "members:2", "ROLE_WEIGHTS must be the ids of roles with a weight from 0.1 to 10"),
        ("ROLE_WEIGHTS", "123", "ROLE_WEIGHTS must be the ids"),
        ("ROLE_WEIGHTS", "123:0", "ROLE_WEIGHTS must be the ids"),
        ("ROLE_WEIGHTS", "123:11", "ROLE_WEIGHTS must be the ids"),
        ("ROLE_WEIGHTS", "123:nan", "ROLE_WEIGHTS must be the ids"),
        ("ROLE_WEIGHTS", "123:two", "ROLE_WEIGHTS must be the ids"),
        ("DRAIN_SECONDS", "-1", "DRAIN_SECONDS input should be greater than or equal to 0"),
        ("DRAIN_SECONDS", "86400", "DRAIN_SECONDS input should be less than or equal to 3600"),
        ("WORKER_NAME", "@everyone", "WORKER_NAME must be at most 32 letters"),
        ("WORKER_NAME", "x" * 33, "WORKER_NAME must be at most 32 letters"),
        ("SHARD_IDS", "first", "SHARD_IDS must be numbers such as 0,1 or 0-3"),
        ("SHARD_IDS", "0-", "SHARD_IDS must be numbers"),
        ("SHARD_IDS", "3-1", "SHARD_IDS must be numbers"),
        ("SHARD_IDS", "0", "SHARD_IDS needs SHARD_COUNT"),
        ("SHARD_COUNT", "0", "SHARD_COUNT input should be greater than or equal to 1"),
    ],
)
def test_each_mistake_gets_its_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    (problem,) = problems(monkeypatch, **{name: value})
    assert problem.startswith(sentence)
    assert problem.endswith(".")
    assert not problem.endswith("..")


@pytest.mark.parametrize("shards", ["5", "0-5", "9,0"])
def test_a_shard_that_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch, shards: str) -> None:
    sentences = problems(monkeypatch, SHARD_IDS=shards, SHARD_COUNT="5")
    assert sentences == ("SHARD_IDS needs SHARD_COUNT, which is larger than each of them.",)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api", "http://localhost:1/api", "http://[::1]:1/api"])
def test_plain_http_is_allowed_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert load(monkeypatch, DISCORD_TOKEN=TOKEN, DISCORD_API_URL=url).discord_api_url == url


SECRETS = {
    "DISCORD_TOKEN": "token-s3cret",
    "WEBUI_URLS": "http://ann:webui-s3cret@gpu:7860",
    "DATABASE_URL": "postgresql://easel:database-s3cret@db/easel",
}


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **SECRETS)
    shown = f"{settings!r} {settings} {settings.webuis!r} {settings.webuis[0].login}"
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    "mistake",
    [
        {"DISCORD_TOKEN": "Bot token-s3cret"},
        {"WEBUI_URLS": "ann:webui-s3cret@gpu:7860"},
        {"WEBUI_URLS": "ftp://ann:webui-s3cret@gpu:7860"},
        {"WEBUI_URLS": "http://ann:webui-s3cret@gpu:99999999"},
        {"DATABASE_URL": "mysql://easel:database-s3cret@db/easel"},
        {"DATABASE_URL": "postgresql://easel:database-s3cret@db:port/easel"},
        {"DATABASE_URL": "postgresql://easel:database-s3cret@pw@db:5432:1/easel"},
        {"DISCORD_API_URL": "http://bot:api-s3cret@discord.com/api"},
        {"DISCORD_API_URL": "http://bot:api-s3cret\u2100@discord.com/api"},
    ],
)
def test_no_sentence_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, mistake: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(monkeypatch, **{**SECRETS, **mistake})
    assert len(refused.value.problems) == 1
    assert "s3cret" not in f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"


def test_settings_can_not_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DISCORD_TOKEN=TOKEN)
    with pytest.raises(ValueError, match="frozen"):
        settings.http_port = 1


@pytest.mark.parametrize(("said", "meant"), [("yes", True), ("YES", True), ("no", False), ("true", True), ("0", False)])
def test_addresses_of_images_are_switched_on_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, said: str, meant: bool
) -> None:
    assert load(monkeypatch, DISCORD_TOKEN=TOKEN, ALLOW_IMAGE_URLS=said).allow_image_urls is meant


def test_a_switch_that_is_neither_yes_nor_no_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = problems(monkeypatch, ALLOW_IMAGE_URLS="maybe")
    assert problem == "ALLOW_IMAGE_URLS must be yes or no."


@pytest.mark.parametrize("megabytes", ["0", "101", "many"])
def test_images_have_a_limit_that_fits_into_memory(monkeypatch: pytest.MonkeyPatch, megabytes: str) -> None:
    (problem,) = problems(monkeypatch, INPUT_MEGABYTES=megabytes)
    assert problem.startswith("INPUT_MEGABYTES ")
