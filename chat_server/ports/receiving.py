"""What comes from outside: sealed, and taken apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Seals(Protocol):
    """Encrypting bytes that nothing but their own way out may read. Everything here blocks."""

    def seal(self, secret: bytes, source: Path, write: Callable[[bytes], None]) -> None:
        """Encrypt the file, in pieces, to the key of these 32 bytes. Raises OSError, and what `write` raises."""
        ...

    def open(self, secret: bytes, source: Path, target: Path) -> str:
        """Decrypt into a new file; answers the SHA-256 of what is in it. Raises OSError; `SealBroken` where it is not what was
        sealed to this key."""
        ...


class SealBroken(Exception):
    """The bytes are not what was sealed, or were sealed to another key."""


@dataclass(frozen=True, slots=True)
class Disarmed:
    """What became of a stranger's file. `report`: JSON of `sanitizing.report.Report`. `output`: the rebuilt file and its name;
    None: it was refused. `page`: a page that shows a drawing, under its name."""

    report: bytes
    output: Path | None
    name: str
    page: Path | None = None


class Sanitizer(Protocol):
    """Takes strangers' files apart and rebuilds them, in confined processes off the event loop."""

    @property
    def possible(self) -> bool:
        """Whether this machine can confine them at all; where not, every file is refused."""
        ...

    async def sanitize(
        self, source: Path, name: str, out: Path, formats: Mapping[str, str], unasked: Collection[str], *, scanned: bool
    ) -> Disarmed:
        """Rebuild `source`, which came under `name`, into the existing folder `out`. `formats`: rebuild, flatten or refuse, by the
        kinds of `sanitizing.kinds`; `unasked`: kinds that are refused because nobody asked for them; `scanned`: so is what no virus scanner
        has looked at.

        MUST: whatever goes wrong is a refusal, or one of these: `Problem` 8002 (disk full), 8003 (nobody had time; try again),
        OSError where `source` cannot be read.
        """
        ...
