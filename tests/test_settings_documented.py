"""Every setting is explained to operators, and nothing is explained that isn't a setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
FIELDS = {name.upper() for name in Settings.model_fields}


def default_of(field: str) -> str:
    """A field's default as an operator would write it; empty where there is none."""
    default: Any = Settings.model_fields[field.lower()].default
    if default is None or Settings.model_fields[field.lower()].is_required():
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return default.get_secret_value() if isinstance(default, SecretStr) else str(default)


def example() -> list[tuple[str, str, str]]:
    """The example's settings: name, value, and the comment above."""
    text = (ROOT / ".env.example").read_text("utf-8")
    found: list[tuple[str, str, str]] = re.findall(r"((?:^#.*\n)+)^(\w+)=(.*)$", text, re.MULTILINE)
    return [(name, value, comment) for comment, name, value in found]


def test_the_example_lists_exactly_the_settings_each_with_a_comment() -> None:
    names = [name for name, _, _ in example()]
    written = re.findall(r"^#?\s*([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(written) == sorted(FIELDS)


def test_the_example_shows_the_defaults() -> None:
    assert {name: value for name, value, _ in example()} == {field: default_of(field) for field in FIELDS}


def test_the_example_lacks_nothing_but_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in FIELDS:
        monkeypatch.delenv(field, raising=False)
    copy = tmp_path / ".env"
    text = (ROOT / ".env.example").read_text("utf-8")
    copy.write_text(text.replace("DISCORD_TOKEN=", "DISCORD_TOKEN=a-token"), "utf-8")
    assert load_settings(copy).discord_token.get_secret_value() == "a-token"


def test_the_readme_has_a_row_for_each_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ?([^|]*?) ?\|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert {name: value.strip("`") for name, value in rows} == {field: default_of(field) for field in FIELDS}
