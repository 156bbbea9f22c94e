"""Tables that line up in a terminal, where a Japanese character takes two columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def width(text: str) -> int:
    """Columns that `text` takes (Unicode Standard Annex 11; ambiguous characters as one)."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Left-aligned columns, two spaces apart, nothing behind the last one. Values on one line each."""
    cells = [list(headers), *([plain(value) for value in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def plain(value: object) -> str:
    """Without what moves a terminal's cursor, whoever wrote it."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)


def size(count: int) -> str:
    """Bytes as a person reads them: `999 B`, `1.0 kB`, `35.2 MB`, `2.1 GB` (1 kB is 1,000 bytes)."""
    if count < 1000:
        return f"{count} B"
    value, unit = float(count), ""
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 (the last one is kept)
        value /= 1000
        if value < 999.95:
            break
    return f"{value:,.1f} {unit}"
