"""A `decoders.worker.Work` with a fault of its own, for tests: it tells what it read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, Final

MEMORY_BYTES: Final = None
BROKEN: Final = "broken"


def prepare() -> None:
    """Nothing."""


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    raise ValueError(source.read())
