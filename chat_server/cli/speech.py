"""Which language a terminal is told in."""

from __future__ import annotations

import os

from chat_client import ClientError


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


def sentence(error: ClientError) -> str:
    """What the client library found out by itself, as one sentence, and what it knows beyond it."""
    text = error.ja if japanese() and error.ja else error.en
    return f"{text} ({error.detail})" if error.detail else text
