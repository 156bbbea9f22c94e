"""`python -m chat_server.sanitizing.cad KIND FILE`: prints one line of JSON (`report.Told`), then the DXF; for the kind
"preview", of a DXF that was made here, the PDF that shows it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import msgspec

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.cad.drawing import redrawn
from chat_server.sanitizing.cad.preview import preview
from chat_server.sanitizing.cad.program import PREVIEW
from chat_server.sanitizing.cad.reading import read
from chat_server.sanitizing.report import Rebuilt, Tally, Told


def main(kind: str, path: Path) -> int:
    """Answers the exit status; what is no refusal ends it with an exception, and nothing printed."""
    logging.disable()
    tally = Tally()
    try:
        if kind == PREVIEW:
            makes, made = "pdf", preview(read(path, "dxf", tally))
        else:
            makes, made = "dxf", redrawn(read(path, kind, tally), tally)
    except Refused as refused:
        told, made = Told(reason=refused.reason), b""
    else:
        told = Told(rebuilt=Rebuilt(makes, tally.removed))
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n" + made)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
