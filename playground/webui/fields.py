"""The request models of the A1111 API and its validation (pydantic 1): types coerced, defaults filled, 422 items.

Knows no route and no meaning of any field. Source: webui 1.10.1's request models and their recorded errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from playground.webui.errors import InvalidError

Kind = Literal["str", "int", "float", "bool", "list", "dict", "any"]

_MESSAGES: dict[str, tuple[str, str]] = {
    "str": ("str type expected", "type_error.str"),
    "int": ("value is not a valid integer", "type_error.integer"),
    "float": ("value is not a valid float", "type_error.float"),
    "bool": ("value could not be parsed to a boolean", "type_error.bool"),
    "list": ("value is not a valid list", "type_error.list"),
    "dict": ("value is not a valid dict", "type_error.dict"),
}
_TRUE = {"1", "on", "t", "true", "y", "yes"}
_FALSE = {"0", "off", "f", "false", "n", "no"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its type, its API default, whether null passes, and its range if it has one.

    `low` and `high` are allowed themselves, `above` is not.
    """

    name: str
    kind: Kind
    default: Any = None
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    above: float | None = None


def read_model(fields: Sequence[Field], body: Mapping[str, Any], where: tuple[str, ...] = ("body",)) -> dict[str, Any]:
    """Every field of the model with its coerced value or its default; unknown keys are dropped.

    Raises InvalidError with all wrong fields.
    """
    values: dict[str, Any] = {}
    problems: list[dict[str, Any]] = []
    for field in fields:
        if field.name not in body:
            values[field.name] = fresh(field.default)
            continue
        try:
            values[field.name] = _check(field, body[field.name])
        except _WrongValueError as wrong:
            problems.append({"loc": [*where, field.name], **wrong.item})
    if problems:
        raise InvalidError(problems)
    return values


class _WrongValueError(Exception):
    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__()
        self.item = item


def fresh(default: Any) -> Any:
    """The default, a copy of its own where it could be changed."""
    return default.copy() if isinstance(default, (list, dict)) else default


def _check(field: Field, value: Any) -> Any:
    if value is None:
        if field.nullable:
            return None
        raise _WrongValueError({"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"})
    if field.choices:
        return _check_choice(field, value)
    coerced = _COERCIONS[field.kind](value)
    if coerced is None:
        msg, kind = _MESSAGES[field.kind]
        raise _WrongValueError({"msg": msg, "type": kind})
    _check_range(field, coerced)
    return coerced


def _check_choice(field: Field, value: Any) -> Any:
    if value in field.choices:
        return value
    permitted = ", ".join(str(choice) for choice in field.choices)
    raise _WrongValueError(
        {
            "msg": f"unexpected value; permitted: {permitted}",
            "type": "value_error.const",
            "ctx": {"given": value, "permitted": list(field.choices)},
        }
    )


def _check_range(field: Field, value: Any) -> None:
    if field.low is not None and value < field.low:
        word, kind, limit = "greater than or equal to", "not_ge", field.low
    elif field.high is not None and value > field.high:
        word, kind, limit = "less than or equal to", "not_le", field.high
    elif field.above is not None and value <= field.above:
        word, kind, limit = "greater than", "not_gt", field.above
    else:
        return
    raise _WrongValueError(
        {
            "msg": f"ensure this value is {word} {limit:g}",
            "type": f"value_error.number.{kind}",
            "ctx": {"limit_value": limit},
        }
    )


def _to_str(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) else None


def _to_int(value: Any) -> int | None:
    # A fraction is cut off and "42" is a number: pydantic 1 calls int() on what it gets.
    try:
        return int(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def _to_float(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def _to_bool(value: Any) -> bool | None:
    word = str(value).lower() if isinstance(value, (bool, int, str)) else ""
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


_COERCIONS: dict[str, Any] = {
    "str": _to_str,
    "int": _to_int,
    "float": _to_float,
    "bool": _to_bool,
    "list": lambda value: value if isinstance(value, list) else None,
    "dict": lambda value: value if isinstance(value, dict) else None,
    "any": lambda value: value,
}
