"""The pages of a stranger's PDF, in order, with what they inherit (ISO 32000-1, 7.7.3).

Threats: a tree that contains itself, a tree of one page ten thousand times over, a count that lies. So the tree is walked here, with
bounds, before anything is copied.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary

from chat_server.decoders.outcome import Refused

PAGES: Final = 3_000
_NODES: Final = 3 * PAGES
_DEEPEST: Final = 60
_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")


class Page(NamedTuple):
    """`inherited`: the keys that a page may take from the nodes above it, its own included."""

    node: pikepdf.Object
    inherited: dict[str, object]


def pages(root: pikepdf.Object) -> list[Page]:
    """Raises `Refused`: `empty`, `too_many`, and `broken` where one of them is missing."""
    found: list[Page] = []
    top = root.get("/Pages")
    waiting: list[tuple[object, dict[str, object], int]] = [(top, {}, 0)]
    seen = 0
    while waiting:
        node, above, depth = waiting.pop()
        seen += 1
        if not isinstance(node, Dictionary) or depth > _DEEPEST:
            raise Refused("broken")
        if seen > _NODES:
            raise Refused("too_many")
        inherited = above | {key: node[key] for key in _INHERITED if key in node}
        kids = node.get("/Kids")
        if isinstance(kids, Array):
            if len(kids) > _NODES:
                raise Refused("too_many")
            waiting.extend((kid, inherited, depth + 1) for kid in reversed(list(kids)))
        else:
            found.append(Page(node, inherited))
            if len(found) > PAGES:
                raise Refused("too_many")
    if not found:
        raise Refused("empty")
    return found
