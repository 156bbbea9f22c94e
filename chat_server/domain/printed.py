"""A note as it is to be printed: words that are ready, and pictures by their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

OUT: Final = "out/note.pdf"
"""Below the folder of a job."""
Kind = Literal["markdown", "entry", "pair", "photos", "files"]


@dataclass(frozen=True, slots=True)
class Picture:
    """`file`: which of the job's pictures; None where there is none to show, and `missing` says why."""

    caption: str
    file: int | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a note. `when`, `who`, `mark` (edited, taken back): of a message that was taken over."""

    kind: Kind
    text: str = ""
    when: str = ""
    who: str = ""
    mark: str = ""
    pictures: tuple[Picture, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """`facts`: lines below the title. `seals`: heads of empty boxes in which people put their stamps."""

    title: str
    author: str
    facts: tuple[str, ...]
    parts: tuple[Part, ...]
    seals: tuple[str, ...] = ()
