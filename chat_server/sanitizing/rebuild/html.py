"""Of HTML the words, in the lines in which they stand: a page is read here and not run, shown or followed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import IO, Final

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
    """What HTML says, and what of it was left."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.found).splitlines())
    return "\n".join(line for line in lines if line), reader.tally


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.tally = Tally()
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _TOLD:
            self.tally.add(_TOLD[tag], f"<{tag}>")
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.found.append("\n")
        elif tag in ("td", "th"):
            self.found.append("\t")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)
