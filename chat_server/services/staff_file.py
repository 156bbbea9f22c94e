"""A staff file as a whole: read, and its rows checked against each other. Nothing here asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from chat_server.services.staff_rows import (
    ANNUAL,
    CODE,
    CONCURRENT,
    FORMER,
    KIND,
    LOGIN_NAME,
    MAIN,
    NAME,
    ORDER,
    PATH,
    READING,
    StaffRow,
    parse,
)
from chat_server.services.staff_text import Fault, decode, invalid

ROWS_PER_PERSON: Final = 50
"""Far above what anybody is; rows of one person are compared pair by pair."""

Place = str | tuple[str, ...]
"""A department of the file: its code, or its path where no row gives it one."""


@dataclass(frozen=True, slots=True)
class StaffFile:
    """All rows, and the headers that nobody asked for."""

    rows: list[StaffRow]
    ignored: list[str]


def read(data: bytes, as_of: date, encoding: str | None = None) -> StaffFile:
    """Every row, checked. `as_of`: the first day of what has none. Raises `Problem` 6006 with all faults of the file."""
    faults: list[Fault] = []
    rows, ignored = parse(decode(data, encoding), faults)
    faults += _disagreements(rows, as_of)
    if faults:
        raise invalid(faults)
    return StaffFile(rows, ignored)


def codes_of(rows: list[StaffRow]) -> dict[tuple[str, ...], str]:
    """path → code, where a row gives both."""
    found: dict[tuple[str, ...], str] = {}
    for row in rows:
        if row.code and row.path:
            found.setdefault(row.path, row.code)
    return found


def place(row: StaffRow, codes: dict[tuple[str, ...], str]) -> Place:
    """Which department the row means; `codes` from `codes_of`."""
    return row.code or codes.get(row.path) or row.path


def _disagreements(rows: list[StaffRow], as_of: date) -> Iterator[Fault]:
    """What single rows cannot know; always told at the later row."""
    codes = codes_of(rows)
    yield from _departments_disagree(rows, codes)
    people: dict[str, list[StaffRow]] = {}
    former: dict[str, str] = {}
    for row in rows:
        earlier = people.setdefault(row.login, [])
        if len(earlier) == ROWS_PER_PERSON:
            yield Fault(row.line, LOGIN_NAME, f"1人{ROWS_PER_PERSON}行まで / at most {ROWS_PER_PERSON} rows a person")
            continue
        if earlier:
            yield from _names_disagree(row, earlier[0])
        if row.former and former.setdefault(row.login, row.former) != row.former:
            yield Fault(row.line, FORMER, "同じ人の別の行と違います / differs from another row of this person")
        for other in earlier:
            if _overlap(row, other, as_of):
                yield from _clash(row, other, codes)
        earlier.append(row)


def _names_disagree(row: StaffRow, first: StaffRow) -> Iterator[Fault]:
    where = f"{first.line}行目と違います(別の人なら別のログイン名に) / differs from line {first.line}"
    if row.name != first.name:
        yield Fault(row.line, NAME, where)
    if row.reading != first.reading:
        yield Fault(row.line, READING, where)


def _overlap(a: StaffRow, b: StaffRow, as_of: date) -> bool:
    a_first, b_first = a.first_day(as_of), b.first_day(as_of)
    a_last, b_last = a.last_day(a_first), b.last_day(b_first)
    return (a_last is None or b_first <= a_last) and (b_last is None or a_first <= b_last)


def _clash(row: StaffRow, other: StaffRow, codes: dict[tuple[str, ...], str]) -> Iterator[Fault]:
    kinds = {row.kind, other.kind}
    where = f"{other.line}行目と期間が重なります / overlaps line {other.line}"
    if kinds == {MAIN}:
        yield Fault(row.line, KIND, f"本務は同時に1つ:{where}")
    elif ANNUAL in kinds and kinds != {ANNUAL, CONCURRENT}:
        yield Fault(row.line, KIND, f"会計年度任用は単独か兼務とともに:{where}")
    elif (row.kind, row.post, place(row, codes)) == (other.kind, other.post, place(other, codes)):
        yield Fault(row.line, KIND, f"同じ発令が2行あります:{where}")


def _departments_disagree(rows: list[StaffRow], codes: dict[tuple[str, ...], str]) -> Iterator[Fault]:
    paths: dict[str, StaffRow] = {}
    first_with: dict[tuple[str, ...], StaffRow] = {}
    orders: dict[Place, StaffRow] = {}
    for row in rows:
        if row.code and row.path:
            first = paths.setdefault(row.code, row)
            if first.path != row.path:
                yield Fault(
                    row.line,
                    PATH,
                    f"コード{row.code}は{first.line}行目で別の所属です / another path in line {first.line}",
                )
                continue
            first = first_with.setdefault(row.path, row)
            if first.code != row.code:
                yield Fault(
                    row.line, CODE, f"この所属は{first.line}行目で別のコードです / another code in line {first.line}"
                )
                continue
        if row.order is not None:
            first = orders.setdefault(place(row, codes), row)
            if first.order != row.order:
                yield Fault(row.line, ORDER, f"{first.line}行目と違います / differs from line {first.line}")
