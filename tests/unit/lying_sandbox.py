"""A sanitizing child in strange hands: whatever it is asked, it answers in its own favour."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any

MEMORY_BYTES = None
BROKEN = "too_large"


def prepare() -> None:
    pass


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    task = json.loads(order)
    if task["task"] == "check":
        outputs[1].write(b"[]")
        return {"kind": None}
    lie = source.read().decode()
    if task["task"] == "find":
        return {"kind": "pdf" if lie != "members" else "zip"}
    if lie == "archive":
        with zipfile.ZipFile(outputs[0], "w") as made:
            made.writestr("setup.exe", b"MZ")
    outputs[1].write(_SAID[lie])
    return {"kind": "pdf"}


_SAID = {
    "archive": b'{"kind": "zip"}',
    "shape": b'{"kind": "pdf", "removed": "nothing"}',
    "words": b'{"kind": "pdf", "warnings": ["safe"]}',
    "members": b'[{"path": "a.txt", "size": 99}]',
    "silent": b"",
}
