"""What is special about workbooks: formulas and names, the sheets that are left, and the boxes of comments."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from chat_server.sanitizing.rebuild.ooxml_formulas import Formulas, automatic
from chat_server.sanitizing.rebuild.ooxml_grammar import HOLLOW
from chat_server.sanitizing.rebuild.ooxml_links import place
from chat_server.sanitizing.rebuild.ooxml_names import ON_SHEET, SHEET, VML, VML_OFFICE, tag, tags
from chat_server.sanitizing.report import Tally

_FORMULA: Final = tag("s:f")
_RULES: Final = {
    **dict.fromkeys(tags("s", "formula1 formula2"), tag("s:dataValidation")), tag("s:formula"): tag("s:cfRule"),
    **dict.fromkeys(tags("s", "calculatedColumnFormula totalsRowFormula")),
    tag("xm:f"): None,
}  # fmt: skip
"""Formulas outside of cells, and what goes with them; None: only themselves, or the extension they are in."""
_EXTENDED: Final = tags("x14", "cfRule dataValidation sparkline sparklineGroup")
_SHEET_NAME: Final = f"{{{SHEET}}}sheet"
_CELL: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def gone(source: etree._Element, made: etree._Element) -> list[str]:
    """The names of the sheets of a workbook that are not carried over: macro sheets, dialogs, and what cannot be followed."""
    left = {each.get("name") for each in made.iter(_SHEET_NAME)}
    return [name for each in source.iter(_SHEET_NAME) if (name := each.get("name", "")) not in left and name]


def _settle_names(source: etree._Element, made: etree._Element, formulas: Formulas, tally: Tally) -> None:
    """Names that run or reach outside go; the numbers of sheets follow those that are left. At least one is shown."""
    before = [each.get("name") for each in source.iter(_SHEET_NAME)]
    sheets = list(made.iter(_SHEET_NAME))
    number = {before.index(each.get("name")): n for n, each in enumerate(sheets)}
    flags = ("xlm", "function", "vbProcedure")
    names = source.iter(tag("s:definedName"))
    run = {each.get("name", "") for each in names if any(each.get(flag, "0") not in ("0", "false") for flag in flags)}
    for name in list(made.iter(tag("s:definedName"))):
        of = name.get("localSheetId")
        called = name.get("name", "")
        runs = automatic(called) or called in run
        if runs or not formulas.harmless(name.text):
            tally.add("macro" if runs else "formula", called)
            name.getparent().remove(name)
        elif of is not None:
            if of.isdecimal() and int(of) in number:
                name.set("localSheetId", str(number[int(of)]))
            else:
                name.getparent().remove(name)
    for view in made.iter(tag("s:workbookView")):
        for attribute in ("activeTab", "firstSheet"):
            at = view.get(attribute, "0")
            if at != "0":
                view.set(attribute, str(number.get(int(at), 0) if at.isdecimal() else 0))
    if sheets and all(each.get("state", "visible") != "visible" for each in sheets):
        sheets[0].attrib.pop("state")
    kept = made.find(tag("s:definedNames"))
    if kept is not None and not len(kept):
        made.remove(kept)


def settle(source: etree._Element, made: etree._Element, formulas: Formulas, tally: Tally) -> None:
    """Takes the formulas out of a part of a workbook that call elsewhere. Cells keep the value that was last computed."""
    if made.tag == tag("s:workbook"):
        _settle_names(source, made, formulas, tally)
    else:
        etree.strip_elements(made, tag("s:definedName"), with_tail=False)
    cells = list(made.iter(_FORMULA))
    bad = {each for each in cells if not formulas.harmless(each.text)}
    groups = {each.get("si") for each in bad if each.get("t") == "shared"}
    for formula in cells:
        # of a shared formula only the first cell has the text
        if formula in bad or (formula.get("t") == "shared" and formula.get("si") in groups):
            tally.add("formula", (formula.text or "")[:60])
            formula.getparent().remove(formula)
    for rule in list(made.iter(*_RULES)):
        if not formulas.harmless(rule.text):
            tally.add("formula", (rule.text or "")[:60])
            _remove_with(rule, _RULES[rule.tag])
    for bound in list(made.iter(tag("s:cfvo"))):
        if not formulas.harmless(bound.get("val")):
            tally.add("formula", bound.get("val", "")[:60])
            _remove_with(bound, tag("s:cfRule"))
    for link in list(made.iter(tag("s:hyperlink"))):
        if not place(link.get("location", "")) and "location" in link.attrib:
            tally.add("link", link.get("location", ""))
            link.getparent().remove(link)
    for hollow in list(made.iter(*tags("s", "hyperlinks conditionalFormatting dataValidations"))):
        if not len(hollow):
            hollow.getparent().remove(hollow)


def settle_drawing(made: etree._Element, formulas: Formulas) -> None:
    """Shapes that show what a cell has: only cells of this workbook. Macros of shapes are not copied at all."""
    for shape in made.iter(f"{{{ON_SHEET}}}sp"):
        if not formulas.harmless(shape.get("textlink")):
            del shape.attrib["textlink"]
        shape.set("macro", "")


def _remove_with(formula: etree._Element, whole: str | None) -> None:
    owner = formula
    for each in formula.iterancestors(*([whole] if whole else _EXTENDED)):
        owner = each
        break
    parent = owner.getparent()
    if parent is None:
        return
    parent.remove(owner)
    parent.attrib.pop("count", None)
    while not len(parent) and parent.tag in HOLLOW and (above := parent.getparent()) is not None:
        above.remove(parent)
        parent = above


def comment_boxes(comments: etree._Element) -> bytes:
    """The boxes that show the comments of a sheet (VML), written anew: the originals are a drawing format of long ago that
    holds links and macros. Readers give them their usual size."""
    shapes = []
    for n, comment in enumerate(comments.iter(tag("s:comment"))):
        cell = _CELL.fullmatch(comment.get("ref", ""))
        if cell is None:
            continue
        column = 0
        for letter in cell[1]:
            column = column * 26 + ord(letter) - 64
        shapes.append(_BOX.format(id=quoteattr(f"_x0000_s{1025 + n}"), row=int(cell[2]) - 1, column=column - 1))
    return (_BOXES + "".join(shapes) + "</xml>").encode()


_BOXES: Final = (
    f'<xml xmlns:v="{VML}" xmlns:o="{VML_OFFICE}" xmlns:x="urn:schemas-microsoft-com:office:excel">'
    '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>'
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX: Final = (
    '<v:shape id={id} type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;width:150pt;height:75pt;'
    'z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
    '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill>'
    "<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
