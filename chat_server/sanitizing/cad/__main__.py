"""`python -m chat_server.sanitizing.cad KIND FILE`: prints one line of JSON (`report.Rebuilt`, or a reason), then the DXF."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import msgspec

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.cad.drawing import redrawn
from chat_server.sanitizing.cad.reading import read
from chat_server.sanitizing.report import Rebuilt, Tally, Told


def main(kind: str, path: Path) -> int:
    """Answers the exit status; what is no refusal ends it with an exception, and nothing printed."""
    logging.disable()
    tally = Tally()
    try:
        drawing = redrawn(read(path, kind, tally), tally)
    except Refused as refused:
        told, drawing = Told(reason=refused.reason), b""
    else:
        told = Told(rebuilt=Rebuilt("dxf", tally.removed))
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n" + drawing)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
