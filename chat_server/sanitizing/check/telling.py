"""How a finding names what it found."""

from __future__ import annotations

from typing import Final

MOST: Final = 40
"""Findings of one file; the first is enough to refuse it."""


def shown(name: str | bytes) -> str:
    """A stranger's word for the operator's log: printable ASCII in quotes, not longer than a glance (no line of a
    log may be forged through it)."""
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")


def told(findings: list[str]) -> list[str]:
    """Each once, and not more than `MOST`."""
    return list(dict.fromkeys(findings))[:MOST]


def words(text: str) -> frozenset[str]:
    """A list of names, written as a text."""
    return frozenset(text.split())
