"""How a webui answers a body that doesn't fit its model: pydantic 1 (A1111, reForge) and pydantic 2 (Forge).

Knows no route and no meaning of any field. Source: the recorded answers, and pydantic's own documentation of errors.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.webui.errors import InvalidError
from playground.webui.fields import Field, fresh, read_model

_URL = "https://errors.pydantic.dev/2.8/v/"
_TRUE = {"1", "on", "t", "true", "y", "yes"}
_FALSE = {"0", "off", "f", "false", "n", "no"}


class Pydantic1:
    """Coerces numbers and strings freely; 422 items with `loc`, `msg` and `type`."""

    def read(
        self, fields: Sequence[Field], body: Mapping[str, Any], where: tuple[str, ...] = ("body",)
    ) -> dict[str, Any]:
        """Every field with its value or default. Raises InvalidError with all wrong fields."""
        return read_model(fields, body, where)

    def missing(self) -> InvalidError:
        """There is no body."""
        return InvalidError([{"loc": ["body"], "msg": "field required", "type": "value_error.missing"}])

    def broken(self, error: json.JSONDecodeError) -> InvalidError:
        """The body is no JSON; all of it is echoed."""
        context = {"msg": error.msg, "doc": error.doc, "pos": error.pos, "lineno": error.lineno, "colno": error.colno}
        item = {"loc": ["body", error.pos], "msg": str(error), "type": "value_error.jsondecode", "ctx": context}
        return InvalidError([item])

    def no_object(self, _: Any) -> InvalidError:
        """The body is JSON, but no object."""
        return InvalidError([{"loc": ["body"], "msg": "value is not a valid dict", "type": "type_error.dict"}])


class Pydantic2(Pydantic1):
    """Refuses fractions for integers and numbers for strings; each item echoes the offending value as `input`."""

    def read(
        self, fields: Sequence[Field], body: Mapping[str, Any], where: tuple[str, ...] = ("body",)
    ) -> dict[str, Any]:
        """Every field with its value or default. Raises InvalidError with all wrong fields."""
        values: dict[str, Any] = {}
        problems: list[dict[str, Any]] = []
        for field in fields:
            if field.name not in body:
                values[field.name] = fresh(field.default)
                continue
            try:
                values[field.name] = _check(field, body[field.name])
            except _WrongValueError as wrong:
                problems.append(_item(wrong.kind, [*where, field.name], wrong.message, body[field.name], wrong.context))
        if problems:
            raise InvalidError(problems)
        return values

    def missing(self) -> InvalidError:
        """There is no body."""
        return InvalidError([_item("missing", ["body"], "Field required", None)])

    def broken(self, error: json.JSONDecodeError) -> InvalidError:
        """The body is no JSON; nothing of it is echoed."""
        item = {"type": "json_invalid", "loc": ["body", error.pos], "msg": "JSON decode error", "input": {}}
        return InvalidError([{**item, "ctx": {"error": error.msg}}])

    def no_object(self, body: Any) -> InvalidError:
        """The body is JSON, but no object."""
        message = "Input should be a valid dictionary or object to extract fields from"
        return InvalidError([_item("model_attributes_type", ["body"], message, body)])


class _WrongValueError(Exception):
    def __init__(self, kind: str, message: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.context = context


def _item(
    kind: str, where: list[Any], message: str, value: Any, context: dict[str, Any] | None = None
) -> dict[str, Any]:
    extra = {} if context is None else {"ctx": context}
    return {"type": kind, "loc": where, "msg": message, "input": value, **extra, "url": f"{_URL}{kind}"}


def _check(field: Field, value: Any) -> Any:
    if value is None and field.nullable:
        return None
    if field.choices:
        if value not in field.choices:
            expected = " or ".join(repr(choice) for choice in field.choices)
            raise _WrongValueError("literal_error", f"Input should be {expected}", {"expected": expected})
        return value
    read = _READERS[field.kind](value)
    if field.low is not None and read < field.low:
        _out_of_range("greater_than_equal", "greater than or equal to", "ge", field.low)
    if field.high is not None and read > field.high:
        _out_of_range("less_than_equal", "less than or equal to", "le", field.high)
    if field.above is not None and read <= field.above:
        _out_of_range("greater_than", "greater than", "gt", field.above)
    return read


def _out_of_range(kind: str, words: str, key: str, limit: float) -> None:
    raise _WrongValueError(kind, f"Input should be {words} {limit:g}", {key: limit})


def _read_str(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongValueError("string_type", "Input should be a valid string")
    return value


def _read_int(value: Any) -> int:
    message = "Input should be a valid integer"
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            text = f"{message}, unable to parse string as an integer"
            raise _WrongValueError("int_parsing", text) from None
    if isinstance(value, float) and not value.is_integer():
        raise _WrongValueError("int_from_float", f"{message}, got a number with a fractional part")
    if not isinstance(value, (int, float)):
        raise _WrongValueError("int_type", message)
    return int(value)


def _read_float(value: Any) -> float:
    message = "Input should be a valid number"
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise _WrongValueError("float_parsing", f"{message}, unable to parse string as a number") from None
    if not isinstance(value, (int, float)):
        raise _WrongValueError("float_type", message)
    return float(value)


def _read_bool(value: Any) -> bool:
    message = "Input should be a valid boolean"
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (int, str)) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if isinstance(value, (int, float, str)):
        raise _WrongValueError("bool_parsing", f"{message}, unable to interpret input")
    raise _WrongValueError("bool_type", message)


def _read_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _WrongValueError("list_type", "Input should be a valid list")
    return value


def _read_dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongValueError("dict_type", "Input should be a valid dictionary")
    return value


_READERS: dict[str, Any] = {
    "str": _read_str,
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "list": _read_list,
    "dict": _read_dict,
    "any": lambda value: value,
}
