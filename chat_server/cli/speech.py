"""Which language a terminal is told in."""

from __future__ import annotations

import os


def japanese() -> bool:
    """Whether this terminal is Japanese (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.startswith("ja")
    return False


def spoken(code: int, ja: str, en: str) -> str:
    """A numbered error as one sentence."""
    text = ja if japanese() and ja else en or ja
    return f"{text} [{code}]"
