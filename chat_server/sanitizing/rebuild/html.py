"""Of HTML the words, in the lines in which they stand: a page is read here and not run, shown or followed."""

from __future__ import annotations

from typing import IO, Final

from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.documents import plain
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import text
from chat_server.sanitizing.report import Object, Rebuilt, Tally

_BYTES: Final = 16 << 20
_UNSEEN: Final = frozenset(("script", "style", "title", "template", "noscript"))
_BLOCKS: Final = frozenset(
    ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "hr")
)
_CELLS: Final = frozenset(("td", "th"))
_TOLD: Final[dict[str, Object]] = {
    "script": "script", "iframe": "embedded", "object": "embedded", "embed": "embedded", "form": "form", "img": "link",
    "link": "link", "video": "link", "audio": "link", "a": "link", "svg": "image", "canvas": "script",
}  # fmt: skip


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """A page as a text. Raises `Refused`: "not_text", "empty", "too_large"."""
    source.seek(0)
    data = source.read(_BYTES + 1)
    if len(data) > _BYTES:
        raise Refused("too_large")
    said, tally = words(plain.read(data)[0])
    text.write(said, target, tally)
    return Rebuilt("text", tally.removed)


def words(html: str) -> tuple[str, Tally]:
    """What HTML says, and what of it was left. By libxml2, whose time grows with the length and not with its square."""
    tally, found = Tally(), list[str]()
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = etree.fromstring(html.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:
        root = None  # there is no element in it
    if root is None:
        return "", tally
    unseen = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag in _TOLD:
                tally.add(_TOLD[tag], f"<{tag}>")
            unseen += tag in _UNSEEN
            if tag in _BLOCKS or tag in _CELLS:
                found.append("\n" if tag in _BLOCKS else "\t")
            said = element.text
        else:
            if tag in _BLOCKS:
                found.append("\n")
            unseen -= tag in _UNSEEN
            said = element.tail
        if said and not unseen:
            found.append(said)
    lines = (" ".join(line.split()) for line in "".join(found).splitlines())
    return "\n".join(line for line in lines if line), tally
