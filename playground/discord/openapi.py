"""Checks requests and answers against Discord's OpenAPI 3.1 document. Knows nothing of this Discord's state."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no annotations
from jsonschema.exceptions import ValidationError, best_match  # type: ignore[import-untyped]  # as above
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from playground.discord.memory import Request
from playground.discord.messages import Json

_URI: Final = "urn:discord"
_WORDS: Final = {"1": True, "true": True, "0": False, "false": False}
_SHOWN: Final = 240


class Document:
    """The document, loaded once, with validators made when they are first needed."""

    def __init__(self, path: Path) -> None:
        self.content: Json = json.loads(path.read_text("utf-8"))
        resource = DRAFT202012.create_resource(self.content)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = sorted(
            ((_pattern(template), template, item) for template, item in self.content["paths"].items()),
            key=lambda entry: entry[1].count("{"),
        )

    def find(self, method: str, path: str) -> tuple[str, Json, dict[str, str]] | None:
        """Pointer to the operation, the operation, the path's parameters; a literal path wins over a template."""
        for pattern, template, item in self._paths:
            found = pattern.fullmatch(path)
            if found and method.lower() in item:
                pointer = f"#/paths/{template.replace('~', '~0').replace('/', '~1')}"
                values = dict(zip(re.findall(r"\{(\w+)\}", template), found.groups(), strict=True))
                operation = item[method.lower()]
                shared = item.get("parameters", [])
                merged = operation | {"parameters": [*shared, *operation.get("parameters", [])]}
                return f"{pointer}/{method.lower()}", merged, values
        return None

    def errors(self, schema: Json, value: Any) -> str | None:
        """The most telling error of a value, or None."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(schema, registry=self._registry)
        error = best_match(self._validators[key].iter_errors(value))
        return None if error is None else _told(error)


@cache
def load(path: Path) -> Document:
    """Half a second for the whole document: shared by all who name the same file."""
    return Document(path)


class OpenApiCheck:
    """Remembers what was asked and answered, and checks it when somebody looks at `violations`.

    Allowed against the document, where Discord's prose and practice say otherwise: `attachments[].id`, `recipient_id`,
    and the ids of `allowed_mentions` and `message_reference` as integers ("snowflake or number"; discord.py sends them
    so), and texts as codes inside `errors` (the document wants integers there).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[Request] = []
        self._found: list[str] = []

    def add(self, request: Request) -> None:
        self._pending.append(request)

    def note(self, sentence: str) -> None:
        self._found.append(sentence)

    @property
    def violations(self) -> list[str]:
        pending, self._pending = self._pending, []
        if pending:
            document = load(self._path)
            for request in pending:
                self._found += self.check(document, request)
        return self._found

    def check(self, document: Document, request: Request) -> list[str]:
        where = f"{request.method} {request.path}"
        operation = document.find(request.method, request.path)
        if operation is None:
            return [] if request.status == 404 else [f"{where}: Discord has no such route"]
        pointer, content, values = operation
        refused = request.status is not None and 400 <= request.status < 500 and request.status != 429
        told = [*_parameters(document, content, values, request), *_body(document, pointer, content, request)]
        told += [f"answer {sentence}" for sentence in _answer(document, pointer, content, request)]
        return [f"{where}{' (refused)' if refused else ''}: {sentence}" for sentence in told]


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))


def _told(error: ValidationError) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place or '(whole)'}: {error.message[:_SHOWN]}"


def _parameters(document: Document, operation: Json, values: dict[str, str], request: Request) -> list[str]:
    told = []
    described = {parameter["name"]: parameter for parameter in operation["parameters"]}
    for name, text in (values | request.query).items():
        if name not in described:
            told.append(f"parameter {name}: is not documented")
            continue
        schema = _pointed(described[name]["schema"])
        if all(document.errors(schema, value) for value in _readings(text)):
            told.append(f"parameter {name}: {text!r} does not fit")
    return told


def _readings(text: str) -> list[Any]:
    """What a query's text may mean: itself, a truth value, a number."""
    readings: list[Any] = [text]
    if text.lower() in _WORDS:
        readings.append(_WORDS[text.lower()])
    if re.fullmatch(r"-?\d+", text):
        readings.append(int(text))
    return readings


def _pointed(schema: Json) -> Json:
    """The schema with its references made absolute, so that it can stand alone."""
    text = json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{_URI}#/')
    pointed: Json = json.loads(text)
    return pointed


def _body(document: Document, pointer: str, operation: Json, request: Request) -> list[str]:
    described = operation.get("requestBody")
    if described is None:
        return ["body: none is documented"] if request.body not in (None, {}) else []
    if request.body is None:
        return ["body: is missing"] if described.get("required") and not request.files else []
    schema = {"$ref": f"{_URI}{pointer}/requestBody/content/application~1json/schema"}
    error = document.errors(schema, _with_text_ids(request.body))
    return [f"body {error}"] if error else []


def _with_text_ids(body: Any) -> Any:
    """The ids that may be integers, as texts."""
    if not isinstance(body, dict):
        return body
    result = dict(body)
    if isinstance(result.get("attachments"), list):
        result["attachments"] = [
            entry | {"id": str(entry["id"])} if isinstance(entry, dict) and "id" in entry else entry
            for entry in result["attachments"]
        ]
    if isinstance(result.get("recipient_id"), int):
        result["recipient_id"] = str(result["recipient_id"])
    if isinstance(allowed := result.get("allowed_mentions"), dict):
        lists = {key: [str(one) for one in allowed[key]] for key in ("users", "roles") if allowed.get(key)}
        result["allowed_mentions"] = allowed | lists
    if isinstance(reference := result.get("message_reference"), dict):
        texts = {key: str(value) for key, value in reference.items() if key.endswith("_id") and isinstance(value, int)}
        result["message_reference"] = reference | texts
    if isinstance(result.get("data"), dict):
        result["data"] = _with_text_ids(result["data"])
    return result


def _answer(document: Document, pointer: str, operation: Json, request: Request) -> list[str]:
    status = str(request.status)
    responses = operation["responses"]
    key = status if status in responses else f"{status[0]}XX"
    if key not in responses:
        return [] if status.startswith("5") else [f"{status}: is not documented"]
    if request.answer is None:
        return []
    described, place = responses[key], f"{pointer}/responses/{key}"
    if "$ref" in described:
        place = described["$ref"]
        described = document.content["components"]["responses"][place.rpartition("/")[2]]
    if "application/json" not in described.get("content", {}):
        return [f"{status}: no JSON is documented"]
    told = request.answer
    if isinstance(told, dict) and "errors" in told:
        told = {key: value for key, value in told.items() if key != "errors"}
    error = document.errors({"$ref": f"{_URI}{place}/content/application~1json/schema"}, told)
    return [f"{status} {error}"] if error else []
