"""The program for drawings, as the engine knows it: how it is started, and what it prints."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from chat_server.decoders.helper import IMPORT_ROOT, Bounds, Helper
from chat_server.decoders.outcome import Busy, Refused
from chat_server.decoders.program import TOO_LONG
from chat_server.sanitizing.report import Rebuilt, Told

BOUNDS: Final = Bounds(memory_bytes=2 << 30, cpu_seconds=60, wall_seconds=90, output_bytes=256 << 20)
_LINE_BYTES: Final = 256 * 1024
# By a link: the folder around this code may hold what is none of the program's business, and Python lists the folder it imports from.
_SCRIPT: Final = """
mkdir "$WORK/lib" && ln -s {code} "$WORK/lib/chat_server"
export OPENBLAS_NUM_THREADS=1 PYTHONPATH="$WORK/lib"
exec {python} -P -s -m chat_server.sanitizing.cad {kind} "$SOURCE"
"""
_CODE: Final = Path(IMPORT_ROOT, "chat_server")
_NEEDS: Final = (Path(sys.prefix), Path(sys.base_prefix), _CODE)
"""Python, its libraries, and this code: nothing of it is a secret."""


async def redrawn(helper: Helper, source: Path, kind: str, scratch: Path) -> tuple[Rebuilt, Path]:
    """The drawing as a DXF in `scratch`, and what was said of it. Raises `Refused`, `Busy`, `NoSpace`."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    printed, made = folder / "printed", folder / "drawing.dxf"
    script = _SCRIPT.format(code=shlex.quote(str(_CODE)), python=shlex.quote(sys.executable), kind=kind)
    status = await helper.run(script, source, f"drawing.{kind}", printed, readable=_NEEDS)
    if status == TOO_LONG:
        raise Refused("takes_too_long")
    told = _told(printed, made)
    if told.reason is not None:
        raise Refused(told.reason)
    if told.rebuilt is None or told.rebuilt.kind != "dxf":
        raise Busy("the program for drawings answered for another kind")
    return told.rebuilt, made


def _told(printed: Path, made: Path) -> Told:
    with printed.open("rb") as file, made.open("xb") as drawing:
        line = file.readline(_LINE_BYTES)
        if not line.endswith(b"\n"):
            # it ended before it had anything to say: killed by its bounds, or by what it read
            raise Refused("crashed")
        shutil.copyfileobj(file, drawing, 1 << 20)
    try:
        return msgspec.json.decode(line, type=Told)
    except msgspec.MsgspecError as error:
        raise Busy(f"a report in no known shape: {error}") from None
