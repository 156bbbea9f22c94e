"""Pictures, links and charts that every kind of document may have, before and after the copy."""

from __future__ import annotations

from typing import Final

from lxml import etree

from chat_server.sanitizing.rebuild.ooxml_formulas import Formulas
from chat_server.sanitizing.rebuild.ooxml_links import slide_action
from chat_server.sanitizing.rebuild.ooxml_names import RELATIONS, VML, tag, tags
from chat_server.sanitizing.report import Tally

_LINKS: Final = tags("a", "hlinkClick hlinkHover hlinkMouseOver")
_FRAME: Final = tag("p:graphicFrame")
_OLE: Final = tag("p:oleObj")
_PICTURE: Final = tag("p:pic")
_OBJECT: Final = tag("w:object")
_SHOWN: Final = tag("p:cNvPr")
_ID: Final = f"{{{RELATIONS}}}id"
_ACTING: Final = tags("p", "cmd audio video media cMediaNode sndTgt")
_LITERALS: Final = {
    tag("c:strRef"): (tag("c:strCache"), tag("c:strLit")),
    tag("c:numRef"): (tag("c:numCache"), tag("c:numLit")),
}


def prepare(root: etree._Element, tally: Tally) -> None:
    """Before the copy: of embedded objects the picture stays that stands for them."""
    for frame in list(root.iter(_FRAME)):
        if next(frame.iter(_OLE), None) is not None:
            _show_picture(frame)
    for object_ in list(root.iter(_OBJECT)):
        object_.tag = tag("w:pict")
        object_.attrib.clear()
    for shape in root.iter(f"{{{VML}}}*"):
        if shape.get("href"):
            tally.add("link", shape.get("href", ""))


def settle(made: etree._Element, before: etree._Element, tally: Tally) -> None:
    """After the copy: links only turn pages or point at the web; animations that start something, or that move what is gone,
    go as a whole."""
    for link in list(made.iter(*_LINKS)):
        action = link.get("action")
        if action is None:
            continue
        known = slide_action(action)
        if known is None or (known == "slide" and not link.get(_ID)) or (known == "show" and link.get(_ID)):
            tally.add("action", action)
            link.getparent().remove(link)
    for timing in list(made.iter(tag("p:timing"))):
        source = next(before.iter(tag("p:timing")))
        shapes = {each.get("id") for each in made.iter(_SHOWN)}
        acts = next(source.iter(*_ACTING), None) is not None
        if acts or any(each.get("spid") not in shapes for each in timing.iter() if each.get("spid") is not None):
            tally.add("action" if next(source.iter(tag("p:cmd")), None) is not None else "element", "timing")
            timing.getparent().remove(timing)


def settle_charts(made: etree._Element, formulas: Formulas, tally: Tally) -> None:
    """Series that come from elsewhere keep the values that were last seen."""
    for formula in list(made.iter(*tags("c", "f"), *tags("cx", "f nf"))):
        if formulas.harmless(formula.text):
            continue
        tally.add("formula", (formula.text or "")[:60])
        reference = formula.getparent()
        cache, literal = _LITERALS.get(reference.tag, (None, None))
        values = None if cache is None else reference.find(cache)
        owner = reference.getparent()
        title = owner is not None and owner.tag == tag("c:tx") and owner.getparent().tag == tag("c:title")
        if values is None or literal is None or owner is None or title:
            formula.text = "#REF!"
        elif owner.tag == tag("c:tx"):
            words = etree.Element(tag("c:v"))
            words.text = "".join(values.itertext())
            owner.replace(reference, words)
        else:
            values.tag = literal
            owner.replace(reference, values)


def _show_picture(frame: etree._Element) -> None:
    """Puts the picture of an embedded object in the place of its frame, under the frame's number: animations know it by that."""
    parent = frame.getparent()
    picture = next(frame.iter(_PICTURE), None)
    number = next(frame.iter(_SHOWN), None)
    if parent is None:
        return
    if picture is None:
        parent.remove(frame)
        return
    own = next(picture.iter(_SHOWN), None)
    if own is not None and number is not None:
        own.set("id", number.get("id", "0"))
        own.set("name", number.get("name", ""))
    parent.replace(frame, picture)
