"""`python -m chat_server.sanitizing.svg svg FILE`: prints one line of JSON (`report.Told`), then the PNG."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.report import Rebuilt, Tally, Told
from chat_server.sanitizing.svg.painting import painted
from chat_server.sanitizing.svg.plain import plain
from chat_server.sanitizing.svg.size import size


def main(path: Path) -> int:
    """Answers the exit status; what is no refusal ends it with an exception, and nothing printed."""
    tally = Tally()
    try:
        root = plain(path.read_bytes(), tally)
        made = painted(etree.tostring(root, encoding="unicode"), *size(root))
    except Refused as refused:
        told, made = Told(reason=refused.reason), b""
    else:
        links = "link" in tally
        told = Told(rebuilt=Rebuilt("png", tally.removed, ["links_gone"] if links else []))
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n" + made)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[2])))
