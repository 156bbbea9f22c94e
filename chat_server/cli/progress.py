"""How far a long piece of work is: one line that moves on a terminal, a line a piece elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from chat_server.cli.speech import japanese
from chat_server.cli.table import width

_EVERY: Final = 0.2
_COLUMNS: Final = 26


class TerminalProgress:
    """On standard error, so that standard output stays for the result. Implements `backup.sources.Progress`."""

    def __init__(self) -> None:
        self._moving = sys.stderr.isatty()
        self._title = ""
        self._size = self._done = 0
        self._began = self._told = 0.0

    def begin(self, ja: str, en: str, size: int = 0) -> None:
        """The next piece of work, of `size` bytes if that is known."""
        self.end()
        self._title = ja if japanese() else en
        self._size, self._done = size, 0
        self._began = time.monotonic()
        self._told = 0.0
        if self._moving:
            self._tell()
        else:
            click.echo(f"{self._title} …", err=True)

    def bytes(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._moving and time.monotonic() - self._told >= _EVERY:
            self._tell()

    def end(self) -> None:
        """The line is free for others."""
        if self._moving and self._title:
            self._tell()
            click.echo(err=True)
        self._title = ""

    def _tell(self) -> None:
        self._told = time.monotonic()
        seconds = max(self._told - self._began, 0.001)
        parts = [self._title + " " * max(0, _COLUMNS - width(self._title))]
        if self._done:
            of = f" / {amount(self._size)}" if self._size else ""
            parts.append(f"{amount(self._done)}{of}")
            if seconds > 1:
                parts.append(f"{amount(self._done / seconds)}/s")
            if self._size and self._done < self._size and seconds > 3:
                parts.append(_left((self._size - self._done) * seconds / self._done))
        click.echo("\r\x1b[K" + "  ".join(parts), err=True, nl=False)


def amount(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _left(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return "あと1分以内" if japanese() else "less than a minute left"
    return f"あと約{minutes:.0f}分" if japanese() else f"about {minutes:.0f} min left"
