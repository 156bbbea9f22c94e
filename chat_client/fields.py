"""Reading fields of a decoded map: the type is checked, what is absent may have a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Fields = Mapping[str, Any]
_REQUIRED: Final = object()


def text(raw: Fields, name: str, default: Any = _REQUIRED) -> str:
    """A string. null counts as absent. Raises KeyError (absent, no default), TypeError (of another type)."""
    value = _take(raw, name, default)
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def number(raw: Fields, name: str, default: Any = _REQUIRED) -> int:
    """An integer. Raises as `text`."""
    value = _take(raw, name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is not an integer")
    return value


def maybe_text(raw: Fields, name: str) -> str | None:
    """A string, or None where it is absent or null. Raises TypeError."""
    return None if raw.get(name) is None else text(raw, name)


def maybe_number(raw: Fields, name: str) -> int | None:
    """An integer, or None where it is absent or null. Raises TypeError."""
    return None if raw.get(name) is None else number(raw, name)


def flag(raw: Fields, name: str) -> bool:
    """Whether the field is there and true."""
    return raw.get(name) is True


def section(raw: Fields, name: str, default: Any = _REQUIRED) -> Fields:
    """A map. Raises as `text`."""
    value = _take(raw, name, default)
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is not a map")
    return value


def items(raw: Fields, name: str) -> Sequence[Fields]:
    """A list of maps; empty where it is absent. Raises TypeError."""
    value = _take(raw, name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise TypeError(f"{name} is not a list of maps")
    return value


def strings(raw: Fields, name: str) -> tuple[str, ...]:
    """A list of strings; empty where it is absent. Raises TypeError."""
    value = _take(raw, name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{name} is not a list of strings")
    return tuple(value)


def _take(raw: Fields, name: str, default: Any) -> Any:
    value = raw.get(name)
    if value is None:
        if default is _REQUIRED:
            raise KeyError(name)
        return default
    return value
