"""A page that shows a drawing, for who has no CAD: its model on paper, as large as it goes, in the colours that it has.

It is drawn from the DXF that is to be released, so that the page and the file cannot tell two stories.
"""

from __future__ import annotations

import colorsys
import io
import re
from typing import Final

from ezdxf.addons.drawing.config import BackgroundPolicy, Configuration
from ezdxf.addons.drawing.frontend import Frontend
from ezdxf.addons.drawing.layout import Margins, Page, Settings, Units
from ezdxf.addons.drawing.properties import RenderContext
from ezdxf.addons.drawing.svg import SVGBackend
from ezdxf.document import Drawing
from ezdxf.fonts import fonts
from ezdxf.layouts.layout import Layout
from PIL import Image

from chat_server.decoders.outcome import Refused
from chat_server.documents import font_files
from chat_server.sanitizing.svg.painting import painted

_A3, _A4 = (420.0, 297.0), (210.0, 297.0)
"""Millimetres: drawings lie, and what stands is a form."""
_MARGIN: Final = 8
_DOTS: Final = 200
"""An inch."""
_MILLIMETRES: Final = 25.4
_QUALITY: Final = 90
_ALSO_KNOWN_AS: Final = "ArialUni.ttf"
"""Where the library looks first for a font that it does not have."""
_WIDE: Final = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60]")
_EM: Final = 0.75
"""Of a text's height: the library lets its capitals be as high as that, which Jw_cad, SXF and the Japanese fonts of
AutoCAD have for the whole square of a kanji. Words would run over the frames of their tables."""
_STROKE: Final = re.compile(r"(?<=stroke: #)[0-9a-f]{6}|(?<=fill: #)[0-9a-f]{6}")
_COLOURED: Final = 0.3
_LIGHTEST: Final = 0.6
"""Yellow and cyan are for black screens; on paper nobody sees them."""


def preview(drawing: Drawing) -> bytes:
    """The page, a PDF. Raises `Refused`."""
    _fonts(drawing)
    layout = _shown(drawing)
    backend = SVGBackend()
    Frontend(
        RenderContext(drawing), backend, config=Configuration(background_policy=BackgroundPolicy.WHITE)
    ).draw_layout(layout)
    box = backend.player().bbox()
    if not box.has_data:
        raise Refused("empty")
    width, height = _A3 if box.size.x >= box.size.y else _A4
    page = Page(width, height, Units.mm, Margins.all(_MARGIN))
    drawn = backend.get_string(page, settings=Settings(fit_page=True), xml_declaration=False)
    dots = [round(side / _MILLIMETRES * _DOTS) for side in (width, height)]
    picture = Image.open(io.BytesIO(painted(_STROKE.sub(_visible, drawn), dots[0], dots[1])), formats=["PNG"])
    # exactly the paper, whatever the rounding of the picture's sides was
    sheet = Image.new("RGB", (dots[0], dots[1]), "white")
    sheet.paste(picture.convert("RGB"))
    written = io.BytesIO()
    sheet.save(written, "PDF", resolution=_DOTS, quality=_QUALITY, subsampling=0)
    return written.getvalue()


def _shown(drawing: Drawing) -> Layout:
    """The model; where that is empty, the first sheet that is not."""
    return next((each for each in (drawing.modelspace(), *drawing.layouts) if len(each)), drawing.modelspace())


def _fonts(drawing: Drawing) -> None:
    """One Gothic for all: its file's own fonts are not here, and what the library would take for them has no kanji."""
    font = font_files.find(font_files.GOTHIC)
    if font is None:
        raise Refused("no_helper")
    fonts.font_manager.clear()
    fonts.font_manager.scan_folder(font.parent)
    fonts.font_manager.add_synonyms({font.name: _ALSO_KNOWN_AS}, reverse=False)
    for style in drawing.styles:
        style.dxf.font, style.dxf.bigfont = font.name, ""
    for entity in drawing.entitydb.values():
        for name, size in (("text", "height"), ("text", "char_height")):
            if not (entity.is_supported_dxf_attrib(size) and entity.dxf.hasattr(size)):
                continue
            words = getattr(entity, "text", "") or (
                entity.dxf.get(name, "") if entity.is_supported_dxf_attrib(name) else ""
            )
            if _WIDE.search(str(words)):
                entity.dxf.set(size, entity.dxf.get(size) * _EM)


def _visible(colour: re.Match[str]) -> str:
    """Darker, where it is a light colour; white stays: it covers what lies below."""
    red, green, blue = (int(colour[0][at : at + 2], 16) / 255 for at in (0, 2, 4))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    luminance = 0.3 * red + 0.59 * green + 0.11 * blue
    if saturation < _COLOURED or luminance <= _LIGHTEST:
        return colour[0]
    darker = colorsys.hsv_to_rgb(hue, saturation, value * _LIGHTEST / luminance)
    return "".join(f"{round(each * 255):02x}" for each in darker)
