"""What a field of a text document and a formula of a workbook would do."""

from __future__ import annotations

import re
from typing import Final

from chat_server.sanitizing.check.telling import shown, words

_LINK: Final = re.compile(r"(https?://|mailto:)[^\s\\\x00-\x1f]+", re.IGNORECASE)

_FIELDS: Final = words(
    "= ADVANCE AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT BIBLIOGRAPHY CITATION COMMENTS CREATEDATE DATE DOCPROPERTY "
    "DOCVARIABLE EDITTIME EQ FILENAME FILESIZE FORMCHECKBOX FORMDROPDOWN FORMTEXT HYPERLINK IF INDEX INFO "
    "KEYWORDS LASTSAVEDBY LISTNUM MERGEFIELD NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF PRINTDATE QUOTE REF "
    "REVNUM SAVEDATE SECTION SECTIONPAGES SEQ STYLEREF SUBJECT SYMBOL TA TC TIME TITLE TOA TOC USERADDRESS "
    "USERINITIALS USERNAME XE"
)
"""Those that show what the document or the reader's clock says. Not, above all: DDE, DDEAUTO, LINK, EMBED,
INCLUDETEXT, INCLUDEPICTURE, IMPORT, RD (other files and programs), DATABASE, MACROBUTTON, GOTOBUTTON, PRINT, CONTROL,
ADDIN, AUTOTEXT."""
_LONGEST: Final = 16_384
"""Characters of an instruction or a formula (Excel takes 8,192): what is longer is not searched, but refused."""
_KEYWORD: Final = re.compile(r"\s*(=|[A-Za-z]+)")
_ARGUMENTS: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|(\\[a-z*@#!])|([^\s"]+)', re.IGNORECASE)
_WITH_VALUE: Final = frozenset((r"\l", r"\o", r"\t"))


def link(target: str) -> bool:
    """Whether it leads to the web or to an address: not to a file (`file:`, `\\\\host\\share` gives a stranger the
    reader's password hash), not to a script or a program (`javascript:`, `ms-msdt:`, CVE-2022-30190; `search-ms:`)."""
    return _LINK.fullmatch(target) is not None


def field(instruction: str, nested: bool) -> list[str]:
    """ECMA-376 part 1, 17.16.5. `nested`: other fields stand in it, whose results complete what it says, also its
    name."""
    if not instruction.strip() and not nested:
        return []
    keyword = _KEYWORD.match(instruction)
    if len(instruction) > _LONGEST or keyword is None or keyword[1].upper() not in _FIELDS:
        return [f"a field that does more than show: {shown(instruction.strip())}"]
    if keyword[1].upper() == "HYPERLINK":
        return _hyperlink(instruction[keyword.end() :], nested)
    return []


def _hyperlink(arguments: str, nested: bool) -> list[str]:
    skip = False
    for quoted, switch, bare in _ARGUMENTS.findall(arguments):
        if switch:
            skip = switch.lower() in _WITH_VALUE
        elif skip:
            skip = False
        elif not link((quoted or bare).replace("\\\\", "\\")):
            return [f"a link that leads elsewhere than to the web: {shown(quoted or bare)}"]
    return ["a link that is put together"] if nested else []


_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_UNCLEAR: Final = re.compile(r"\[[^\[\]]*[\"']")
"""A column's name may hold quotation marks, after which strings cannot be told from what is outside of them without
knowing more."""
_OTHER_BOOK: Final = re.compile(r"'[^']*\[[^']*'\s*!|\[[^\[\]]*\][\w.\u0080-\uffff]*!")
_FUNCTIONS: Final = re.compile(
    r"(?<![A-Z0-9_])(WEBSERVICE|FILTERXML|RTD|IMAGE|CALL|REGISTER(?:\.ID)?|UNREGISTER|EXEC|EXECUTE|DDE|SQL\.REQUEST|"
    r"CUBE[A-Z]+|STOCKHISTORY|PY|INITIATE|TERMINATE|POKE|REQUEST|SEND\.KEYS|EVALUATE|GET\.[A-Z]+|FOPEN|FWRITE(?:LN)?|"
    r"FREAD(?:LN)?|FILES|FILE\.DELETE|RUN|GOTO|FORMULA(?:\.[A-Z]+)?|SET\.VALUE|ALERT|HALT|RETURN|ON\.[A-Z]+|OPEN|"
    r"DIRECTORY)\s*\("
)
"""Those that fetch (WEBSERVICE, IMAGE, RTD, CUBE…, SQL.REQUEST), those that run programs (CALL, REGISTER, EXEC, DDE),
and those of Excel 4's macros, which names may hold."""
_HYPERLINK: Final = re.compile(r'(?<![A-Z0-9_.])HYPERLINK\s*\(\s*(?!\s*"(?:#|HTTPS?://|MAILTO:))')
_AUTOMATIC: Final = re.compile(r"(_xlnm\.)?auto_?(open|close|activate|deactivate)", re.IGNORECASE)


def formula(text: str) -> list[str]:
    """ECMA-376 part 1, 18.17."""
    if len(text) > _LONGEST:
        return ["a formula longer than Excel takes"]
    upper = text.upper()
    unclear = _UNCLEAR.search(upper) is not None
    bare = upper if unclear else _QUOTED.sub(lambda found: found[0] if found[0].startswith("'") else '""', upper)
    findings = []
    if _OTHER_BOOK.search(bare):
        findings.append(f"a formula that refers to another file: {shown(text)}")
    if "|" in bare:
        findings.append(f"a formula that talks to a program (DDE): {shown(text)}")
    if _FUNCTIONS.search(bare):
        findings.append(f"a formula that fetches or runs: {shown(text)}")
    if "HYPERLINK" in bare and _HYPERLINK.search(upper):
        findings.append(f"a formula whose link may lead elsewhere than to the web: {shown(text)}")
    return findings


def automatic(name: str) -> bool:
    """Whether Excel runs what that name stands for by itself."""
    return _AUTOMATIC.match(name) is not None


_SHOW: Final = re.compile(
    r"(ppaction://(hlinksldjump|hlinkshowjump\?jump=(next|previous|first|last|endshow)[a-z]*|noaction))?"
)


def jump(action: str) -> bool:
    """Whether an action of a presentation only leads to another slide: not `program`, `macro`, `hlinkfile`, `ole`,
    `media`."""
    return _SHOW.fullmatch(action) is not None
