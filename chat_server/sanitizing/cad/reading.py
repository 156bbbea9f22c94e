"""Each kind of drawing as a document of `ezdxf`; whatever a reader leaves out is told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import ezdwg
import ezjww
import ezsxf
from ezdxf import filemanagement, recover
from ezdxf.document import Drawing

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.report import Tally

_MARKS: Final = {"ENTITY_LIST_TRUNCATED", "IMAGE_LIST_TRUNCATED"}
"""What Jw_cad's reader says where it did not read all: half a drawing is worse than none."""


def read(path: Path, kind: str, tally: Tally) -> Drawing:
    """Raises `Refused`: "broken", "too_old"."""
    try:
        match kind:
            case "dxf":
                document, _ = recover.readfile(str(path))
            case "jww":
                document = _of_text(_jww(path, tally))
            case "dwg":
                document = _dwg(path, tally)
            case "sfc" | "p21":
                document = _of_text(ezsxf.to_dxf(path.read_bytes()))
            case _:
                raise Refused("unknown")
    except (Refused, MemoryError):
        raise
    except Exception:
        # four readers, each with errors of its own; a drawing that one of them stumbles over is not released
        raise Refused("broken") from None
    if document.dxfversion < "AC1009":
        raise Refused("too_old")
    return document


def _of_text(text: str) -> Drawing:
    return filemanagement.read(io.StringIO(text.replace("\r\n", "\n")))


def _jww(path: Path, tally: Tally) -> str:
    drawing = ezjww.readfile(str(path))
    issues = {issue["code"] for issue in drawing.audit()["diagnostics"]}
    if issues & _MARKS:
        raise Refused("broken")
    images = sum(1 for _ in drawing.modelspace().query("IMAGE"))
    tally.add("link", "IMAGE", images)
    text: str = ezjww.read_dxf_string(str(path))
    return text


def _dwg(path: Path, tally: Tally) -> Drawing:
    if ezdwg.raw.detect_version(str(path)) < "AC1015":
        raise Refused("too_old")
    made = Path("drawing.dxf")  # in the program's own empty folder
    result = ezdwg.to_dxf(str(path), str(made), modelspace_only=False)
    for name, count in sorted(result.skipped_by_type.items()):
        tally.add("element", name, count)
    return filemanagement.readfile(str(made))
