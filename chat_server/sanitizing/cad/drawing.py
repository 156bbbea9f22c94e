"""A new drawing of what another one draws: lines, curves, texts, hatches, blocks and dimensions, and the tables that these refer to.

Left behind: OLE objects, pictures and underlays that lie in other files, external references, programs and data of applications, proxies,
links of entities, names of printers. What draws by means of its own (tables, multileaders) becomes the lines and texts that it shows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import PureWindowsPath
from typing import Any, Final

from ezdxf import bbox, zoom
from ezdxf.addons.importer import IMPORT_ENTITIES, Importer
from ezdxf.document import Drawing
from ezdxf.entities.dxfentity import DXFEntity
from ezdxf.entities.mtext import MText
from ezdxf.filemanagement import new
from ezdxf.layouts.base import BaseLayout
from ezdxf.lldxf.encoding import decode_dxf_unicode
from ezdxf.protocols import SupportsVirtualEntities, virtual_entities

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.report import Object, Tally

_DRAWN: Final = frozenset(IMPORT_ENTITIES) - {"SHAPE"}
_ELSEWHERE: Final[dict[str, Object]] = {
    "OLE2FRAME": "embedded", "OLEFRAME": "embedded", "IMAGE": "link", "PDFUNDERLAY": "link", "DWFUNDERLAY": "link",
    "DGNUNDERLAY": "link", "ACAD_PROXY_ENTITY": "embedded", "SHAPE": "link",
}  # fmt: skip
_ENTITIES: Final = 1_000_000
_SETTINGS: Final = (
    "$INSUNITS", "$MEASUREMENT", "$LTSCALE", "$PDMODE", "$PDSIZE", "$LUNITS", "$LUPREC", "$AUNITS", "$AUPREC", "$DIMSCALE",
)  # fmt: skip
_FONT: Final = re.compile(r"[\w @+-][\w .@+-]{0,60}\.(shx|ttf|ttc|otf)", re.IGNORECASE)
_FONT_CODE: Final = re.compile(r"(?P<begin>\\[fF])(?P<font>[^;|{}]*)(?P<rest>(?:\|[^;|{}]*)*);")
"""How a text names a font within itself: \\fMS Gothic|b0|i0;"""
_FACE: Final = re.compile(r"[\w @+-][\w .,@+-]{0,60}")
_CONTROLS: Final = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_XREF: Final = 4 | 8 | 16 | 32
"""Flags of a block that lies in another file (DXF reference, BLOCK, group 70)."""
_PRINTER: Final = ("page_setup_name", "plot_configuration_file", "current_style_sheet", "plot_view_name")


def redrawn(source: Drawing, tally: Tally) -> bytes:
    """The file. As AutoCAD 2000 and in CP932, which Jw_cad and every other program here reads. Raises `Refused`."""
    target = new("R2000")
    target.encoding = "cp932"
    for name in _SETTINGS:
        if name in source.header:
            target.header[name] = source.header[name]
    _leave_other_files(source, tally)
    for layout in source.blocks:
        _leave_behind(layout, tally)
    importer = Importer(source, target)
    importer.import_modelspace()
    importer.import_paperspace_layouts()
    importer.finalize()
    if len(target.entitydb) > _ENTITIES:
        raise Refused("too_large")
    for entity in target.entitydb.values():
        _plain(entity)
    _no_paths(target)
    if len(target.modelspace()) == 0 and all(len(layout) == 0 for layout in target.layouts):
        raise Refused("empty")
    _show_all(target)
    written = io.StringIO()
    target.write(written)
    return written.getvalue().encode("cp932", errors="dxfreplace")


def _show_all(target: Drawing) -> None:
    """A program opens it with all of it in sight, also where the one before did not know how large it is."""
    space = target.modelspace()
    box = bbox.extents(space, fast=True)
    if box.has_data:
        space.reset_extents(box.extmin, box.extmax)
        space.reset_limits(box.extmin.vec2, box.extmax.vec2)
        zoom.window(space, box.extmin.vec2, box.extmax.vec2)


def _leave_other_files(source: Drawing, tally: Tally) -> None:
    """Blocks that are another file's content, and what shows them."""
    external = {
        block.name for block in source.blocks if block.block is not None and (
            block.block.dxf.get("flags", 0) & _XREF or block.block.dxf.get("xref_path", "")
        )
    }  # fmt: skip
    if not external:
        return
    tally.add("link", "XREF", len(external))
    for layout in source.blocks:
        for insert in list(layout.query("INSERT")):
            if insert.dxf.name in external:
                layout.delete_entity(insert)


def _leave_behind(layout: BaseLayout, tally: Tally) -> None:
    """Everything that is not on the list; what can, becomes what it shows."""
    for entity in list(layout):
        kind = entity.dxftype()
        if kind in _DRAWN:
            continue
        if kind not in _ELSEWHERE and isinstance(entity, SupportsVirtualEntities):
            for shown in list(virtual_entities(entity)):
                if shown.dxftype() in _DRAWN:
                    layout.add_entity(shown)
        else:
            tally.add(_ELSEWHERE.get(kind, "element"), kind)
        layout.delete_entity(entity)


def _plain(entity: DXFEntity) -> None:
    """No data of applications, and of its words what one can read."""
    entity.xdata = entity.appdata = entity.extension_dict = entity.reactors = None
    for each in (entity, *_attached(entity)):
        each.xdata = each.appdata = each.extension_dict = None
        for name in ("text", "tag", "prompt"):
            if each.is_supported_dxf_attrib(name) and each.dxf.hasattr(name):
                each.dxf.set(name, _words(str(each.dxf.get(name))))
        if isinstance(each, MText):
            # columns would be written as data of an application: their words stay, one below the other
            words = each.all_columns_raw_content()
            each._columns = None
            each.text = _words(words)


def _attached(entity: DXFEntity) -> Iterable[DXFEntity]:
    attached: Any = getattr(entity, "attribs", ())
    return tuple(attached)


def _words(text: str) -> str:
    """Without controls; a font that a text names for itself is a name alone (see `_no_paths`)."""
    return _FONT_CODE.sub(_named, _CONTROLS.sub("", decode_dxf_unicode(text)))


def _named(code: re.Match[str]) -> str:
    font = PureWindowsPath(code["font"].replace("\\\\", "\\")).name
    return f"{code['begin']}{font}{code['rest']};" if _FACE.fullmatch(font) else ""


def _no_paths(target: Drawing) -> None:
    """A font is named, and not where it lies: a program would fetch it from there, with its user's password (an UNC path)."""
    for style in target.styles:
        for name in ("font", "bigfont"):
            font = PureWindowsPath(str(style.dxf.get(name, ""))).name
            style.dxf.set(name, font if _FONT.fullmatch(font) else "txt.shx" if name == "font" else "")
    for layout in target.layouts:
        for name in _PRINTER:
            if layout.dxf_layout.dxf.hasattr(name):
                layout.dxf_layout.dxf.set(name, "")
