"""The two C programs, compiled when their sources are newer."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from bench.processes import BUILD, ROOT, BenchError

_SOURCES: Final = {"floor": ("floor.c",), "load": ("load.c", "client.c", "speak.c")}
_WARNINGS: Final = ("-Wall", "-Wextra", "-Wno-sign-compare", "-Werror")


def program(name: str) -> Path:
    """Path of `floor` or `load`. Raises `BenchError` without a compiler."""
    folder = ROOT / "bench"
    made = BUILD / name
    sources = [folder / source for source in _SOURCES[name]]
    newest = max(path.stat().st_mtime for path in [*sources, *folder.glob("*.h")])
    if not made.exists() or made.stat().st_mtime < newest:
        BUILD.mkdir(exist_ok=True)
        try:
            subprocess.run(["gcc", "-O2", *_WARNINGS, "-o", str(made), *map(str, sources)], check=True)
        except FileNotFoundError:
            raise BenchError("gcc is needed (Debian: apt-get install gcc libc6-dev)") from None
    return made
