"""The program for drawings, as the engine knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chat_server.decoders.helper import Bounds, Helper
from chat_server.sanitizing import programs
from chat_server.sanitizing.report import Rebuilt

BOUNDS: Final = Bounds(memory_bytes=2 << 30, cpu_seconds=60, wall_seconds=90, output_bytes=256 << 20)
PREVIEW: Final = "preview"
"""What is asked of the program instead of a kind."""
_MODULE: Final = "chat_server.sanitizing.cad"
_SECONDS: Final = 55


async def redrawn(helper: Helper, source: Path, kind: str, scratch: Path) -> tuple[Rebuilt, Path]:
    """The drawing as a DXF in `scratch`, and what was said of it. Raises `Refused`, `Busy`, `NoSpace`."""
    return await programs.run(helper, _MODULE, kind, source, scratch, makes="dxf", seconds=_SECONDS)


async def previewed(helper: Helper, redrawn_: Path, scratch: Path) -> Path:
    """A page (PDF) that shows what was redrawn: what is to be released, and not what came. Raises the same."""
    _, made = await programs.run(helper, _MODULE, PREVIEW, redrawn_, scratch, makes="pdf", seconds=_SECONDS)
    return made
