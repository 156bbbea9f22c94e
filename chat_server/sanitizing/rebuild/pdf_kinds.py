"""Whether a value is of the kind that `pdf_shapes` allows in its place, and what that makes of the values in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, repeat
from typing import Final

from pikepdf import Array, Dictionary, Name, Object, Stream, String

from chat_server.sanitizing.rebuild.pdf_shapes import CLASSES, MAY_BE_STREAMS, MUST_BE_STREAMS, SHAPES
from chat_server.sanitizing.rebuild.pdf_streams import said

Value = Object | int | float | bool | Decimal | None

_ALSO_NAMES: Final = frozenset(
    ("name", "names", "color_space", "function", "soft_mask", "encoding", "cmap", "differences")
)
_NUMBERS: Final = frozenset(("number", "numbers", "dash", "differences"))
_BULK: Final = re.compile(rb"\[(?:[\d\s.+-]|\[[\d\s.+-]*+\])*+\]")
_ITEMS: Final[dict[str, tuple[str, ...]]] = {
    "numbers": ("numbers",), "bools": ("bool",), "names": ("name",), "dash": ("numbers", "number"),
    "differences": ("differences",), "font_and_size": ("/font", "number"), "function": ("/function",),
}  # fmt: skip
"""Of the items of an array; the last one goes on, except where there are two."""
_COLOR_SPACES: Final[dict[str, tuple[str, ...]]] = {
    "/DeviceGray": ("name",), "/DeviceRGB": ("name",), "/DeviceCMYK": ("name",), "/Pattern": ("name", "color_space"),
    "/ICCBased": ("name", "/icc_profile"), "/CalGray": ("name", "/calibrated"), "/CalRGB": ("name", "/calibrated"),
    "/Lab": ("name", "/calibrated"), "/Indexed": ("name", "color_space", "number", "lookup"),
    "/Separation": ("name", "name", "color_space", "function"),
    "/DeviceN": ("name", "names", "color_space", "function", "/device_n"),
}  # fmt: skip


def scalar(value: object, kind: str) -> Value:
    """A number, name, string or truth value where the kind takes one; otherwise None."""
    if isinstance(value, bool):
        return value if kind in ("bool", "bools") else None
    if isinstance(value, (int, Decimal, float)):
        return value if kind in _NUMBERS else None
    if isinstance(value, Name):
        return _own(value) if kind in _ALSO_NAMES or (kind == "class" and said(value) in CLASSES) else None
    if isinstance(value, String):
        return _own(value) if kind in ("text", "lookup") else None
    return None


def _own(value: Object) -> Object:
    """A name or string that belongs to no document. Some programs write even these as objects of their own."""
    return Object.parse(value.unparse(resolved=True)) if value.is_indirect else value


def narrowed(value: Object, kind: str) -> str:
    """The one kind that a container of that kind is; "" where it does not fit."""
    if isinstance(value, Stream):
        return _of_stream(kind)
    if isinstance(value, Dictionary):
        if kind in ("function", "soft_mask", "encoding"):
            return f"/{kind}"
        fits = kind.endswith("*") or (kind.startswith("/") and kind[1:] in SHAPES and kind[1:] not in MUST_BE_STREAMS)
        return kind if fits else ""
    if kind == "mask":
        return "numbers"
    if kind == "color_space":
        return kind if len(value) and said(value[0]) in _COLOR_SPACES else ""
    return kind if kind in _ITEMS or kind.endswith("[]") else ""


def _of_stream(kind: str) -> str:
    if kind in ("encoding", "cmap"):
        return "/cmap"
    if kind in ("function", "lookup"):
        return f"/{kind}"
    if kind == "mask":
        return "/image"
    shape = kind.removeprefix("/")
    return kind if kind == "/hidden" or shape in MUST_BE_STREAMS or shape in MAY_BE_STREAMS else ""


def of_items(value: Object, kind: str) -> Iterable[str]:
    """The kinds of the items of an array."""
    if kind.endswith("[]"):
        return repeat(kind[:-2])
    if kind == "color_space":
        return _COLOR_SPACES[said(value[0])]
    kinds = _ITEMS[kind]
    return kinds if len(kinds) > 1 else chain(kinds, repeat(kinds[-1]))


def bulk(value: Object) -> Object | None:
    """An array of nothing but numbers and arrays of numbers, parsed anew; None where it has anything else in it."""
    if not isinstance(value, Array):
        return None
    written = value.unparse(resolved=True)
    return Object.parse(written) if _BULK.fullmatch(written) else None


def narrowed_numbers(value: object) -> Object | None:
    """A copy of an array of numbers, however its items are written; None where it is anything else."""
    if not isinstance(value, Array) or len(value) > 10_000:
        return None
    plain = bulk(value)
    if plain is not None:
        return plain
    items = [scalar(item, "number") for item in value]
    return None if None in items else Array(items)
