"""`blobs.txt`: every blob that a snapshot's database names, in the order of (organization, SHA-256).

    renraku-blobs 1 <suffix of the stored names, or ->
    <org_id> <sha256> <size> <stored size> <stored sha256>
    <org_id> <sha256> <size> - -                                what could not be read when the snapshot was made

A text file and not a part of the manifest: there may be millions, and it is written and read a line at a time. The hash of
what is *stored* lets a machine without the private key check all of it.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from chat_server.backup.problems import BackupProblem

_FIRST: Final = "renraku-blobs 1 "
_LINE: Final = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) (\d{1,18}) (?:(\d{1,18}) ([0-9a-f]{64})|- -)")
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Line:
    """`stored` is None for what could not be read."""

    org_id: int
    sha256: str
    size: int
    stored: tuple[int, str] | None
    """(size, SHA-256) of the file in the backup"""

    @property
    def key(self) -> Key:
        return self.org_id, self.sha256

    def __str__(self) -> str:
        stored = f"{self.stored[0]} {self.stored[1]}" if self.stored else "- -"
        return f"{self.org_id} {self.sha256} {self.size} {stored}\n"


def head(suffix: str) -> str:
    """The first line."""
    return f"{_FIRST}{suffix or '-'}\n"


@contextmanager
def read_list(path: Path, *, torn: bool = False) -> Iterator[tuple[str, Iterator[Line]]]:
    """(suffix, lines). `torn`: of a snapshot that is half done; it ends where the writing ended.

    Raises `BackupProblem`, here or at a line that is none or out of order; OSError.
    """
    with path.open(encoding="ascii", errors="replace") as file:
        first = file.readline()
        if not first.startswith(_FIRST) or not first.endswith("\n"):
            raise damaged(path)
        suffix = first[len(_FIRST) : -1]
        yield "" if suffix == "-" else suffix, _lines(path, file, torn=torn)


def _lines(path: Path, file: IO[str], *, torn: bool) -> Iterator[Line]:
    last: Key = (0, "")
    for text in file:
        match = _LINE.fullmatch(text.rstrip("\n"))
        if match is None or not text.endswith("\n"):
            if torn:
                return
            raise damaged(path)
        stored = (int(match[4]), match[5]) if match[4] else None
        line = Line(int(match[1]), match[2], int(match[3]), stored)
        if line.key <= last:
            raise damaged(path)
        last = line.key
        yield line


def damaged(path: Path) -> BackupProblem:
    """A list that is not what was written."""
    return BackupProblem(f"{path} が壊れています。", f"{path} is damaged.")


class Former:
    """What earlier snapshots say about the blobs that lie in the target, asked in the lists' own order."""

    def __init__(self, lists: Sequence[Path], suffix: str) -> None:
        """`lists` from the oldest to the newest; those with another suffix, and damaged ones, do not count."""
        self._files = ExitStack()
        found = []
        for age, path in enumerate(reversed(lists)):
            with suppress(BackupProblem, OSError):
                theirs, lines = self._files.enter_context(read_list(path, torn=True))
                if theirs == suffix:
                    found.append(_aged(lines, age))
        self._lines = heapq.merge(*found)
        self._next = next(self._lines, None)

    def close(self) -> None:
        self._files.close()

    def find(self, key: Key) -> Line | None:
        """The newest line about it that has bytes. Keys MUST come in order."""
        found = None
        while self._next is not None and self._next[0] <= key:
            if self._next[0] == key and found is None:
                found = self._next[2]
            self._next = next(self._lines, None)
        return found


def _aged(lines: Iterator[Line], age: int) -> Iterator[tuple[Key, int, Line]]:
    for line in lines:
        if line.stored is not None:
            yield line.key, age, line
