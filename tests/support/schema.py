"""The part of JSON Schema 2020-12 that the server's OpenAPI document uses. Anything else in a schema is an error here.

Stricter than the standard in one point: an object may hold only what its schema declares. A client ignores unknown
fields; a document that forgets some is not true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_DESCRIBING: Final = frozenset(("title", "description", "default", "examples", "discriminator", "format"))


def errors(schema: Mapping[str, Any], value: Any, document: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """What is wrong with `value`; nothing if it fits `schema`."""
    for word, rule in schema.items():
        if word in _DESCRIBING:
            continue
        check = _CHECKS.get(word)
        if check is None:
            yield f"{path}: the validator does not know the word {word!r}"
        else:
            yield from check(rule, value, document, path, schema)


def _ref(rule: str, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    found = document
    for part in rule.removeprefix("#/").split("/"):
        found = found[part]
    yield from errors(found, value, document, path)


def _type(rule: str, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if not isinstance(value, _TYPES[rule]) or (isinstance(value, bool) and rule != "boolean"):
        yield f"{path}: {value!r} is no {rule}"


def _enum(rule: list[Any], value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if value not in rule:
        yield f"{path}: {value!r} is none of {rule}"


def _any_of(rule: list[Any], value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    tried = [list(errors(one, value, document, path)) for one in rule]
    if all(tried):
        yield f"{path}: fits none of the alternatives: {tried}"


def _properties(rule: Any, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, one in value.items():
        if name in rule:
            yield from errors(rule[name], one, document, f"{path}.{name}")
        elif "additionalProperties" not in schema:
            yield f"{path}.{name}: not in the document"


def _required(rule: list[str], value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{path}.{name}: missing" for name in rule if name not in value)


def _additional(rule: Any, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(rule, dict):
        for name, one in value.items():
            if name not in schema.get("properties", {}):
                yield from errors(rule, one, document, f"{path}.{name}")


def _property_names(rule: Any, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value:
            yield from errors(rule, name, document, f"{path}.{name}")


def _items(rule: Any, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, list) and isinstance(rule, dict):
        for position, one in enumerate(value):
            yield from errors(rule, one, document, f"{path}[{position}]")


def _prefix_items(rule: list[Any], value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, list):
        for position, (one, each) in enumerate(zip(rule, value, strict=False)):
            yield from errors(one, each, document, f"{path}[{position}]")


def _pattern(rule: str, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
    if isinstance(value, str) and re.search(rule, value) is None:
        yield f"{path}: {value!r} does not match {rule}"


def _bound(word: str) -> Any:
    def check(rule: Any, value: Any, document: Any, path: str, schema: Any) -> Iterator[str]:
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        length = len(value) if isinstance(value, str | list | dict) else None
        measured = number if word in ("minimum", "maximum") else length
        if measured is not None and (measured < rule if word.startswith("min") else measured > rule):
            yield f"{path}: {word} is {rule}"

    return check


_CHECKS: Final[dict[str, Any]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": lambda rule, *rest: _enum([rule], *rest),
    "anyOf": _any_of,
    "properties": _properties,
    "required": _required,
    "propertyNames": _property_names,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _prefix_items,
    "pattern": _pattern,
    **{
        word: _bound(word)
        for word in (
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
        )
    },
}
