"""The program for SVG, as the engine knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chat_server.decoders.helper import Helper
from chat_server.sanitizing import programs
from chat_server.sanitizing.report import Rebuilt

_MODULE: Final = "chat_server.sanitizing.svg"
_SECONDS: Final = 20
"""Of processor time. Towers of `use`, filters and patterns multiply: the time they take is what bounds them all."""


async def painted(helper: Helper, source: Path, scratch: Path) -> tuple[Rebuilt, Path]:
    """The picture as a PNG in `scratch`, and what was said of it. Raises `Refused`, `Busy`, `NoSpace`."""
    return await programs.run(helper, _MODULE, "svg", source, scratch, makes="png", seconds=_SECONDS)
