"""The files of one photo: the original to read and the renditions to be written by a process that is not trusted."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_server.photos.answer import Done
from chat_server.photos.rules import KINDS, RENDITION_TYPES, Kind
from chat_server.ports import Derived

_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/webp": ".webp"}


class BadRendition(Exception):
    """A file is not what the decoder said."""


@dataclass(slots=True)
class PhotoFiles:
    """Open descriptors; call `close`, and `remove` where the renditions are not wanted.

    The decoder gets descriptors, not paths: it can write into these files, up to its RLIMIT_FSIZE, and nowhere else.
    Whoever wrote them is gone by the time of the answer, so nothing changes in them afterwards.
    """

    descriptors: list[int]
    paths: dict[Kind, Path]

    @classmethod
    def open(cls, source: Path, out: Path) -> PhotoFiles:
        """Open `source`, create one file a rendition in `out`. Raises OSError."""
        files = cls([], {})
        try:
            # NONBLOCK: a FIFO in the place of a file must not hold a thread for ever
            files.descriptors.append(os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK))
            if not stat.S_ISREG(os.fstat(files.descriptors[0]).st_mode):
                raise OSError(f"{source} is not a file")
            for kind in KINDS:
                path = out / (kind + _SUFFIXES[RENDITION_TYPES[kind]])
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                files.descriptors.append(os.open(path, flags, 0o600))
                files.paths[kind] = path
        except BaseException:
            files.close()
            files.remove()
            raise
        return files

    def derived(self, done: Done, most_bytes: int) -> tuple[Derived, ...]:
        """The renditions, after a look at what lies in the files. Raises `BadRendition`."""
        return tuple(
            self._derive(kind, descriptor, done, most_bytes)
            for kind, descriptor in zip(KINDS, self.descriptors[1:], strict=True)
        )

    def _derive(self, kind: Kind, descriptor: int, done: Done, most_bytes: int) -> Derived:
        size = os.fstat(descriptor).st_size
        media_type = RENDITION_TYPES[kind]
        head = os.pread(descriptor, 12, 0)
        fits = head[:3] == b"\xff\xd8\xff" if media_type == "image/jpeg" else head[:4] + head[8:] == b"RIFFWEBP"
        if not fits or size > most_bytes:
            raise BadRendition(f"{kind}: {size} bytes, {'' if fits else 'not '}{media_type}")
        width, height = done.sizes[kind]
        return Derived(kind, self.paths[kind], media_type, width, height, size)

    def close(self) -> None:
        """Give the descriptors back."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def remove(self) -> None:
        """Take the renditions away again; missing ones are fine."""
        for path in self.paths.values():
            path.unlink(missing_ok=True)
