"""Presentations, rebuilt: slides turn, and start nothing."""

from __future__ import annotations

import re

from tests.unit.ooxml_rebuilding import rebuilt, told
from tests.unit.ooxml_samples import (
    picture,
    slides,
)


def shape(number: int, inner: str = "", text: str = "文") -> str:
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="s">{inner}</p:cNvPr><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f'<p:txBody><a:bodyPr vert="eaVert"/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>'
    )


def test_of_a_slide_only_what_turns_pages_or_is_clicked_stays() -> None:
    kept = [
        '<a:hlinkClick r:id="rId1"/>', '<a:hlinkClick r:id="rId2" action="ppaction://hlinksldjump"/>',
        '<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump=nextslide"/>',
    ]  # fmt: skip
    gone = [
        '<a:hlinkClick r:id="rId3" action="ppaction://program"/>', '<a:hlinkClick r:id="" action="ppaction://macro?name=Evil"/>',
        '<a:hlinkHover r:id="rId4" action="ppaction://hlinkfile"/>', '<a:hlinkClick r:id="" action="ppaction://ole?verb=0"/>',
        '<a:hlinkClick r:id="rId1" action="ppaction://hlinkpres"/>', '<a:hlinkClick r:id="" action="ppaction://media"/>', '<a:hlinkClick r:id="rId3"/>',
    ]  # fmt: skip
    opened, said = rebuilt(
        slides(
            "".join(shape(n, link) for n, link in enumerate([*kept, *gone], 2)),
            {
                "rId1": ("hyperlink", "!https://example.lg.jp/"),
                "rId2": ("slide", "slide2.xml"),
                "rId3": ("hyperlink", "!file:///c:/a.exe"),
                "rId4": ("hyperlink", "!a.pptx"),
            },
        )
    )
    xml = opened.xml("ppt/slides/slide1.xml")
    assert re.findall("<a:hlink[^>]*>", xml) == kept
    assert len(opened.text) == 10
    assert xml.count('vert="eaVert"') == 10
    assert told(said)["link"] == 2
    assert told(said)["action"] == 4
    assert 'Target="slide2.xml"' in opened.xml("ppt/slides/_rels/slide1.xml.rels")


def test_what_is_no_longer_clicked_leaves_no_address() -> None:
    link = '<a:hlinkClick r:id="rId1" action="ppaction://hlinkpres"/>'
    opened, said = rebuilt(slides(shape(2, link), {"rId1": ("hyperlink", "!https://example.lg.jp/a.pptx")}))
    assert "example.lg.jp" not in opened.everything
    assert told(said) == {"action": 1}


def test_animations_stay_unless_they_start_something() -> None:
    def timing(inner: str, target: int = 2) -> str:
        return (
            f'<p:timing><p:tnLst><p:par><p:cTn id="1"><p:childTnLst><p:set><p:cBhvr><p:tgtEl><p:spTgt spid="{target}"/></p:tgtEl></p:cBhvr></p:set>{inner}'
            "</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing>"
        )

    assert "<p:timing>" in rebuilt(slides(shape(2), more=timing("")))[0].xml("ppt/slides/slide1.xml")
    opened, said = rebuilt(slides(shape(2), more=timing('<p:cmd type="verb" cmd="0"/>')))
    assert "timing" not in opened.xml("ppt/slides/slide1.xml")
    assert told(said) == {"action": 1}
    assert "timing" not in rebuilt(slides(shape(2), more=timing("", target=9)))[0].xml("ppt/slides/slide1.xml")


def test_sounds_and_films_go() -> None:
    film = '<p:pic><p:nvPicPr><p:cNvPr id="3" name="f"/><p:cNvPicPr/><p:nvPr><a:videoFile r:link="rId1"/></p:nvPr></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
    more = '<p:transition><p:sndAc><p:stSnd><p:snd r:embed="rId3" name="a.wav"/></p:stSnd></p:sndAc></p:transition>'
    opened, said = rebuilt(
        slides(
            film,
            {"rId1": ("video", "!file:///c:/a.mp4"), "rId2": ("image", "a.png"), "rId3": ("audio", "a.wav")},
            more,
            {"ppt/a.png": picture(), "ppt/a.wav": b"RIFF"},
        )
    )
    xml = opened.xml("ppt/slides/slide1.xml")
    assert told(said) == {"multimedia": 2}
    assert '<a:blip r:embed="rId2"/>' in xml
    assert "<p:transition/>" in xml
    assert not re.search("video|snd|wav|mp4", opened.everything)


def test_of_an_object_on_a_slide_the_picture_stays() -> None:
    def frame(inner: str) -> str:
        return (
            '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="7" name="表"/></p:nvGraphicFramePr><a:graphic><a:graphicData uri="ole"><mc:AlternateContent>'
            '<mc:Choice Requires="v"><p:oleObj r:id="rId1"/></mc:Choice>'
            f'<mc:Fallback><p:oleObj r:id="rId1"><p:embed/>{inner}</p:oleObj></mc:Fallback></mc:AlternateContent></a:graphicData></a:graphic></p:graphicFrame>'
        )

    pic = '<p:pic><p:nvPicPr><p:cNvPr id="0" name=""/></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
    relations = {"rId1": ("oleObject", "o.bin"), "rId2": ("image", "a.png")}
    opened, said = rebuilt(slides(frame(pic) + frame(""), relations, parts={"ppt/o.bin": b"x", "ppt/a.png": picture()}))
    xml = opened.xml("ppt/slides/slide1.xml")
    assert (
        '<p:pic><p:nvPicPr><p:cNvPr id="7" name="表"/></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
        in xml
    )
    assert not re.search("graphicFrame|ole", xml)
    assert told(said) == {"embedded": 1}
