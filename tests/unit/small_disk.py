"""A real file system that is soon full."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A tmpfs of that size (`100k`, `1m`). Needs root, as CI has: without it the test fails rather than skips."""
    # not below pytest's folder: what a killed run leaves mounted must not stop the clearing up of the next one
    folder = Path(tempfile.mkdtemp(prefix="renraku-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        # lazily: a test that failed may have left a file open
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def resize(folder: Path, size: str) -> None:
    """Somebody makes room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
