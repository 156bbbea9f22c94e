"""The files of one task: the bytes to read, and the renditions to be written by a process that is not trusted."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


class BadRendition(Exception):
    """A file is not what the decoder said."""


@dataclass(slots=True)
class TaskFiles:
    """Open descriptors; call `close`, and `remove` where the renditions are not wanted.

    The decoder gets descriptors, not paths: it can write into these files, up to its RLIMIT_FSIZE, and nowhere else.
    Whoever wrote them is gone by the time of the answer, so nothing changes in them afterwards.
    """

    descriptors: list[int] = field(default_factory=list)
    """of the source, then of each of `paths`"""
    paths: list[Path] = field(default_factory=list)

    @classmethod
    def open(cls, source: Path, out: Path, names: Sequence[str]) -> TaskFiles:
        """Open `source`, create a file of each of `names` in `out`. Raises OSError."""
        files = cls()
        try:
            # NONBLOCK: a FIFO in the place of a file must not hold a thread for ever
            files.descriptors.append(os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK))
            if not stat.S_ISREG(os.fstat(files.descriptors[0]).st_mode):
                raise OSError(f"{source} is not a file")
            for name in names:
                path = out / name
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                files.descriptors.append(os.open(path, flags, 0o600))
                files.paths.append(path)
        except BaseException:
            files.close()
            files.remove()
            raise
        return files

    def picture(self, at: int, media_type: str, most_bytes: int) -> int:
        """Look at the picture that should lie in `paths[at]`: its size in bytes. Raises `BadRendition`."""
        descriptor = self.descriptors[1 + at]
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, 12, 0)
        fits = head[:3] == b"\xff\xd8\xff" if media_type == "image/jpeg" else head[:4] + head[8:] == b"RIFFWEBP"
        if not fits or size > most_bytes:
            raise BadRendition(f"{self.paths[at].name}: {size} bytes, {'' if fits else 'not '}{media_type}")
        return size

    def close(self) -> None:
        """Give the descriptors back."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def remove(self) -> None:
        """Take the renditions away again; missing ones are fine."""
        for path in self.paths:
            path.unlink(missing_ok=True)
