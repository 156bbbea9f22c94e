"""How often the pages of a new document draw its forms: a form may draw others, and those again others.

Threats: a form that draws itself, a chain of thousands (a reader that follows it on its stack ends), and ten forms that each draw the
next one ten times (a reader is busy for hours). Only what is drawn counts: resources that list a form which is not drawn from it are
common and harmless.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from pikepdf import Array, Dictionary, Object, Stream

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild.pdf_streams import entry, said

DEEPEST: Final = 28
"""Forms in forms: as deep as readers follow."""
MOST: Final = 2_000_000
"""Drawings of forms and pictures, of one page."""

Number = tuple[int, int]


def check(page: Object, draws: dict[Number, Counter[str]], known: dict[tuple[Number, Number], tuple[int, int]]) -> None:
    """Raises `Refused`. `known` is kept between pages."""
    contents = page.get("/Contents")
    streams = list(contents) if isinstance(contents, Array) else [contents]
    for stream in streams:
        if isinstance(stream, Stream):
            count, depth = _cost(stream, page.get("/Resources"), draws, known)
            if count > MOST or depth > DEEPEST:
                raise Refused("too_large")


def _cost(
    top: Object,
    resources: object,
    draws: dict[Number, Counter[str]],
    known: dict[tuple[Number, Number], tuple[int, int]],
) -> tuple[int, int]:
    """Of a stream: how much is drawn by it in all, and how deep. Without recursion; a stream that is met on its own way is refused."""
    way: list[tuple[Object, object]] = [(top, resources)]
    open_: set[tuple[Number, Number]] = set()
    while way:
        stream, around = way[-1]
        key = _key(stream, around)
        if key in known:
            way.pop()
            continue
        children = _children(stream, around, draws)
        missing = [(child, inner) for child, inner, _ in children if _key(child, inner) not in known]
        if not missing:
            costs = [(known[_key(child, inner)], times) for child, inner, times in children]
            known[key] = (
                min(1 + sum(cost * times for (cost, _), times in costs), MOST + 1),
                1 + max((depth for (_, depth), _ in costs), default=0),
            )
            open_.discard(key)
            way.pop()
            continue
        open_.add(key)
        if len(open_) > 10 * DEEPEST or any(_key(child, inner) in open_ for child, inner in missing):
            raise Refused("too_large" if len(open_) > DEEPEST else "broken")
        way.extend(missing)
    return known[_key(top, resources)]


def _key(stream: Object, around: object) -> tuple[Number, Number]:
    return stream.objgen, around.objgen if isinstance(around, Object) else (0, 0)


def _children(stream: Object, around: object, draws: dict[Number, Counter[str]]) -> list[tuple[Object, object, int]]:
    listed = around.get("/XObject") if isinstance(around, Dictionary) else None
    if not isinstance(listed, Dictionary):
        return []
    found: list[tuple[Object, object, int]] = []
    for name, times in draws.get(stream.objgen, Counter[str]()).items():
        child = entry(listed, name)
        if isinstance(child, Stream) and said(child.get("/Subtype")) == "/Form":
            # a form without resources of its own takes those around it (7.8.3, obsolete but read)
            own = child.get("/Resources")
            found.append((child, own if isinstance(own, Dictionary) else around, times))
    return found
