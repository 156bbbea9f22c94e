"""Which Renraku this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The installed version."""
    try:
        return version("renraku")
    except PackageNotFoundError:
        return "0+source"
