"""A note as a page for A4 paper. Everything that people wrote is escaped; Markdown is read with HTML off, and without pictures or
addresses that lead anywhere: what is printed is on the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from chat_server.domain.printed import Job, Part, Picture

PICTURE: Final = "picture:"
"""The one scheme that the child fetches."""
_ROW: Final = 2
"""Pictures beside each other."""
_FEW_WORDS: Final = 400
"""Characters; with a row of pictures about a third of a page, which is never too much to leave empty."""
_STYLE: Final = """
@page { size: A4; margin: 18mm 17mm 18mm;
  @bottom-left { content: string(title); font: 8pt "Noto Sans CJK JP", sans-serif; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt "Noto Sans CJK JP", sans-serif; color: #555 } }
html { font: 10pt/1.65 "Noto Serif CJK JP", "Noto Serif JP", serif; color: #000 }
body { margin: 0; overflow-wrap: anywhere; line-break: strict; text-spacing: none }
header { border-bottom: 1.2pt solid #000; margin-bottom: 5mm; padding-bottom: 3mm }
.seals { float: right; border-collapse: collapse; margin: 0 0 2mm 6mm; font: 8pt "Noto Sans CJK JP", sans-serif }
.seals td { border: .5pt solid #000; width: 17mm; text-align: center; padding: .6mm 0 }
.seals tr + tr td { height: 16mm }
h1 { font: bold 17pt/1.35 "Noto Sans CJK JP", sans-serif; margin: 0 0 2mm; string-set: title content() }
.facts { margin: 0; font-size: 9pt; line-height: 1.5 }
h2, h3, h4 { font-family: "Noto Sans CJK JP", sans-serif; line-height: 1.4; margin: 4mm 0 1.5mm; break-after: avoid }
h2 { font-size: 12.5pt } h3 { font-size: 11pt } h4 { font-size: 10pt }
p, ul, ol, blockquote, table { margin: 0 0 2mm } ul, ol { padding-left: 6mm }
blockquote { border-left: 1.5pt solid #999; padding-left: 3mm; color: #333 }
pre, code { font: 9pt "Noto Sans Mono CJK JP", monospace } pre { white-space: pre-wrap }
table.text { border-collapse: collapse } table.text th, table.text td { border: .5pt solid #777; padding: .5mm 2mm }
.entry { margin: 0 0 4mm; padding-left: 3mm; border-left: 2pt solid #bbb }
.whole { break-inside: avoid }
.who { font: bold 9pt/1.5 "Noto Sans CJK JP", sans-serif; margin: 0 0 .5mm; break-after: avoid }
.who .when { font-weight: normal; margin-right: 3mm }
.words { white-space: pre-wrap; margin: 0 0 1.5mm }
.mark { font-size: 8.5pt; color: #555 }
.photos, .pair { margin: 1mm 0 2mm; line-height: 0; orphans: 1; widows: 1 }
.pair { break-inside: avoid }
figure { display: inline-block; vertical-align: top; width: 82mm; margin: 0 3mm 2mm 0; break-inside: avoid }
figure img { max-width: 100%; max-height: 58mm; border: .3pt solid #ccc }
.missing { border: .5pt dashed #777; padding: 4mm; text-align: center; color: #555 }
figcaption { font: 8.5pt/1.45 "Noto Sans CJK JP", sans-serif }
.files { font-size: 9pt; margin: 0 0 3mm; padding-left: 5mm }
"""


def page(job: Job) -> str:
    """The whole document."""
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{escape(job.title)}</title>'
        f'<meta name="author" content="{escape(job.author)}"><style>{_STYLE}</style></head><body>'
        f"<header>{_seals(job.seals)}<h1>{escape(job.title)}</h1>"
        + "".join(f'<p class="facts">{escape(fact)}</p>' for fact in job.facts)
        + "</header>"
        + "".join(_part(part) for part in job.parts)
        + "</body></html>"
    )


def _seals(names: Sequence[str]) -> str:
    if not names:
        return ""
    cells = "".join(f"<td>{escape(name)}</td>" for name in names)
    return f'<table class="seals"><tr>{cells}</tr><tr>{"<td></td>" * len(names)}</tr></table>'


def _part(part: Part) -> str:
    match part.kind:
        case "markdown":
            return markdown(part.text)
        case "pair":
            return f'<div class="pair">{"".join(map(_figure, part.pictures))}</div>'
        case "entry":
            who = f'<p class="who"><span class="when">{escape(part.when)}</span>{escape(part.who)}</p>'
            words = f'<p class="words">{escape(part.text)}</p>' if part.text else ""
            mark = f'<p class="mark">{escape(part.mark)}</p>' if part.mark else ""
            # what fits is not torn apart: a photo without its words says nothing
            whole = " whole" if len(part.text) <= _FEW_WORDS and len(part.pictures) <= _ROW and not part.files else ""
            return f'<div class="entry{whole}">{who}{words}{mark}{_photos(part.pictures)}{_files(part.files)}</div>'
        case _:
            return _photos(part.pictures) + _files(part.files)


def _photos(pictures: Sequence[Picture]) -> str:
    return f'<div class="photos">{"".join(map(_figure, pictures))}</div>' if pictures else ""


def _figure(picture: Picture) -> str:
    shown = (
        f'<div class="missing">{escape(picture.missing)}</div>'
        if picture.file is None
        else f'<img src="{PICTURE}{picture.file}" alt="">'
    )
    return f"<figure>{shown}<figcaption>{escape(picture.caption)}</figcaption></figure>"


def _files(names: Sequence[str]) -> str:
    return f'<ul class="files">{"".join(f"<li>{escape(name)}</li>" for name in names)}</ul>' if names else ""


# Markdown

_READER: Final = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_TAGS: Final = {
    "paragraph": "p", "bullet_list": "ul", "ordered_list": "ol", "list_item": "li", "blockquote": "blockquote", "strong": "b",
    "em": "i", "s": "s", "thead": "thead", "tbody": "tbody", "tr": "tr", "th": "th", "td": "td",
}  # fmt: skip
_WORDS: Final = {
    "text": "{}", "image": "［{}］", "code_inline": "<code>{}</code>", "fence": "<pre>{}</pre>", "code_block": "<pre>{}</pre>",
    "softbreak": "<br>", "hardbreak": "<br>", "hr": "<hr>", "html_inline": "{}", "html_block": "{}",
}  # fmt: skip
_HEADINGS: Final = {"h1": "h2", "h2": "h3"}


def markdown(text: str) -> str:
    """As HTML made of the tags of this module alone; of a picture its words, and behind a link's words where it leads."""
    return "".join(_rendered(_READER.parse(text)))


def _rendered(tokens: Sequence[Token]) -> Iterator[str]:
    link = ""
    for token in tokens:
        name = token.type
        kind, _, turn = name.rpartition("_")
        opens = turn == "open"
        if token.hidden:  # a paragraph of a tight list
            continue
        if name == "inline":
            yield from _rendered(token.children or [])
        elif name in _WORDS:
            yield _WORDS[name].format(escape(token.content))
        elif kind == "heading":
            tag = _HEADINGS.get(token.tag, "h4")
            yield f"<{tag}>" if opens else f"</{tag}>"
        elif kind == "table":
            yield '<table class="text">' if opens else "</table>"
        elif name == "link_open":
            link = str(token.attrGet("href") or "")
        elif name == "link_close":
            yield f"（{escape(link)}）" if link else ""
        elif kind in _TAGS:
            yield f"<{_TAGS[kind]}>" if opens else f"</{_TAGS[kind]}>"
