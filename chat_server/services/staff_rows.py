"""From cells to rows: the columns of a staff file, each checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.services import staff_days
from chat_server.services.accounts import LOGIN, LOGIN_RULE
from chat_server.services.kana import reading as kana_reading
from chat_server.services.staff_text import Fault, folded, invalid, joined, one_space, records, unseen

T = TypeVar("T")

LOGIN_NAME: Final = "ログイン名"
NAME: Final = "氏名"
READING: Final = "ふりがな"
FORMER: Final = "旧姓"
CODE: Final = "所属コード"
PATH: Final = "所属"
ORDER: Final = "建制順"
POST: Final = "職"
RANK: Final = "職位順"
KIND: Final = "任用区分"
START: Final = "開始日"
END: Final = "終了日"
ROW: Final = "行"

REQUIRED: Final = (LOGIN_NAME, NAME, READING, POST)
COLUMNS: Final = {
    LOGIN_NAME: LOGIN_NAME, "団体内ログイン名": LOGIN_NAME, "ユーザーID": LOGIN_NAME, NAME: NAME, READING: READING, "フリガナ": READING, FORMER: FORMER,
    CODE: CODE, PATH: PATH, "所属パス": PATH, ORDER: ORDER, POST: POST, RANK: RANK, KIND: KIND, START: START, END: END,
}  # fmt: skip

MAIN: Final = "main"
CONCURRENT: Final = "concurrent"
JOINT: Final = "joint"
ANNUAL: Final = "annual"
KINDS: Final = {"": MAIN, "本務": MAIN, "兼務": CONCURRENT, "併任": JOINT, "会計年度任用": ANNUAL}

LEVELS: Final = 6
POST_CHARS: Final = 40
LOWEST_RANK: Final = 999
_NO_PATH: Final[tuple[str, ...]] = ()
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SLASH: Final = re.compile("[/／]")
_NUMBER: Final = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One appointment as the file has it. `code` or `path` is given; empty dates are None."""

    line: int
    login: str
    name: str
    reading: str
    former: str
    code: str
    path: tuple[str, ...]
    order: int | None
    post: str
    rank: int
    kind: str
    start: date | None
    end: date | None

    def first_day(self, today: date) -> date:
        """An empty first day is the import's."""
        return self.start or today

    def last_day(self, first: date) -> date | None:
        """An annual appointment ends with its fiscal year."""
        return staff_days.fiscal_year_end(first) if self.end is None and self.kind == ANNUAL else self.end


def parse(text: str, faults: list[Fault]) -> tuple[list[StaffRow], list[str]]:
    """The rows that are right by themselves, and the headers that nobody asked for; what is wrong goes to `faults`.

    Raises `Problem` 6006 where the header itself is wrong.
    """
    (header_line, header), *body = records(text)
    places, ignored = _places(header_line, header)
    rows = (_Cells(line, cells, places, len(header), faults).row() for line, cells in body)
    return [row for row in rows if row is not None], ignored


def _places(line: int, header: list[str]) -> tuple[dict[str, int], list[str]]:
    places: dict[str, int] = {}
    ignored: list[str] = []
    faults: list[Fault] = []
    for index, cell in enumerate(header):
        column = COLUMNS.get("".join(folded(cell).split()))
        if column is None:
            if cell:
                ignored.append(cell)
        elif column in places:
            faults.append(Fault(line, column, "同じ見出しが2つあります / the same header twice"))
        else:
            places[column] = index
    faults += [
        Fault(line, column, "この列が必要です / this column is needed") for column in REQUIRED if column not in places
    ]
    if CODE not in places and PATH not in places:
        faults.append(Fault(line, PATH, "所属コードか所属の列が必要です / 所属コード or 所属 is needed"))
    if faults:
        raise invalid(faults)
    return places, ignored


class _Wrong(Exception):
    """What is expected of a cell."""


class _Cells:
    """One row's cells, being read. Faults go to the common list; a row with one is left out."""

    def __init__(self, line: int, cells: list[str], places: dict[str, int], width: int, faults: list[Fault]) -> None:
        self._line = line
        self._cells = cells
        self._places = places
        self._width = width
        self._faults = faults

    def row(self) -> StaffRow | None:
        before = len(self._faults)
        if any(self._cells[self._width :]):
            self._fault(ROW, "見出しより列が多くなっています(「,」の前後を確認) / more cells than headers")
        login = self._take(LOGIN_NAME, _login, "")
        name = self._take(NAME, _name, "")
        reading = self._take(READING, _reading, "")
        former = self._take(FORMER, _name, "")
        code = self._take(CODE, _code, "")
        path = self._take(PATH, _path, _NO_PATH)
        order = self._take(ORDER, _order, None)
        post = self._take(POST, _post, "")
        rank = self._take(RANK, _rank, LOWEST_RANK)
        kind = self._take(KIND, _kind, MAIN)
        start, end = self._take(START, _day, None), self._take(END, _day, None)
        if not self._text(CODE) and not self._text(PATH):
            self._fault(PATH, "所属コードか所属を入れてください / fill in 所属コード or 所属")
        if start is not None and end is not None and end < start:
            self._fault(END, "開始日より前です / before 開始日")
        if len(self._faults) > before:
            return None
        return StaffRow(self._line, login, name, reading, former, code, path, order, post, rank, kind, start, end)

    def _text(self, column: str) -> str:
        place = self._places.get(column, len(self._cells))
        return self._cells[place] if place < len(self._cells) else ""

    def _take(self, column: str, convert: Callable[[str], T], absent: T) -> T:
        text = self._text(column)
        if not text:
            if column in REQUIRED:
                self._fault(column, "空欄にできません / must not be empty")
            return absent
        if unseen(text):
            self._fault(column, "改行など見えない文字があります / line breaks and other unseen characters")
            return absent
        try:
            return convert(joined(text))
        except _Wrong as wrong:
            self._fault(column, str(wrong))
            return absent

    def _fault(self, column: str, reason: str) -> None:
        self._faults.append(Fault(self._line, column, reason))


def _login(text: str) -> str:
    login = folded(text).casefold()
    if not LOGIN.fullmatch(login):
        raise _Wrong(LOGIN_RULE)
    return login


def _name(text: str) -> str:
    name = one_space(text)
    if len(name) > limits.NAME_CHARS:
        raise _Wrong(f"{limits.NAME_CHARS}文字まで / at most {limits.NAME_CHARS} characters")
    return name


def _reading(text: str) -> str:
    try:
        return kana_reading(text)
    except Problem as problem:
        raise _Wrong(problem.params["reason"]) from None


def _code(text: str) -> str:
    code = folded(text)
    if not _CODE.fullmatch(code):
        raise _Wrong("1〜32文字の英数字・._- / 1–32 of A–Z a–z 0–9 . _ -")
    return code


def _path(text: str) -> tuple[str, ...]:
    path = tuple(part.strip() for part in _SLASH.split(text))
    if not all(path):
        raise _Wrong("「/」の間に名称が必要です / a name between the slashes")
    if len(path) > LEVELS:
        raise _Wrong(f"{LEVELS}階層まで / at most {LEVELS} levels")
    if max(map(len, path)) > limits.NAME_CHARS:
        raise _Wrong(f"名称は{limits.NAME_CHARS}文字まで / names of at most {limits.NAME_CHARS} characters")
    return path


def _order(text: str) -> int:
    number = folded(text)
    if not _NUMBER.fullmatch(number):
        raise _Wrong("0以上の整数 / a whole number from 0")
    return int(number)


def _post(text: str) -> str:
    if len(text) > POST_CHARS:
        raise _Wrong(f"{POST_CHARS}文字まで / at most {POST_CHARS} characters")
    return text


def _rank(text: str) -> int:
    number = folded(text)
    if not _NUMBER.fullmatch(number) or not 1 <= int(number) <= LOWEST_RANK:
        raise _Wrong(f"1〜{LOWEST_RANK}の整数 / a whole number, 1–{LOWEST_RANK}")
    return int(number)


def _kind(text: str) -> str:
    kind = KINDS.get(folded(text))
    if kind is None:
        raise _Wrong("本務、兼務、併任、会計年度任用のいずれか / one of these four")
    return kind


def _day(text: str) -> date:
    try:
        return staff_days.parse(text)
    except ValueError:
        raise _Wrong("2026-04-01、2026/4/1、令和8年4月1日、R8.4.1のような日付 / a day written like these") from None
