"""Reading staff files: encodings, dates, every rule of docs/staff-csv.md about cells and rows."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.domain.errors import Problem
from chat_server.services import staff_days, staff_file, staff_text
from chat_server.services.staff_file import StaffFile

SAMPLES = Path(__file__).parents[2] / "data" / "staff"
TODAY = date(2026, 11, 22)
HEADER = "ログイン名,氏名,ふりがな,旧姓,所属コード,所属,建制順,職,職位順,任用区分,開始日,終了日"
GOOD = "omote,表 孝一,おもて こういち,,1000,総務部,10,部長,10,本務,2025/4/1,"


def read(*lines: str, header: str = HEADER, encoding: str = "utf-8", **options: Any) -> StaffFile:
    return staff_file.read("\r\n".join([header, *lines]).encode(encoding), TODAY, **options)


def faults(*lines: str, header: str = HEADER) -> list[tuple[int, str]]:
    with pytest.raises(Problem) as problem:
        read(*lines, header=header)
    assert problem.value.fault.code == 6006
    found = [(fault["line"], fault["field"]) for fault in problem.value.params["faults"]]
    assert (problem.value.params["line"], problem.value.field) == found[0]
    return found


def row(**cells: str) -> str:
    """GOOD with some cells replaced, by the English names of the columns."""
    names = ["login", "name", "reading", "former", "code", "path", "order", "post", "rank", "kind", "start", "end"]
    values = dict(zip(names, next(csv.reader([GOOD])), strict=True)) | cells
    out = io.StringIO()
    csv.writer(out, lineterminator="", quoting=csv.QUOTE_ALL).writerow([values[name] for name in names])
    return out.getvalue()


def test_the_samples_say_the_same_in_both_encodings() -> None:
    utf8 = staff_file.read((SAMPLES / "staff-utf8.csv").read_bytes(), TODAY)
    cp932 = staff_file.read((SAMPLES / "staff-cp932.csv").read_bytes(), TODAY)
    assert utf8 == cp932
    assert len(utf8.rows) == 15
    assert utf8.ignored == ["備考"]


def test_what_shift_jis_breaks_is_read_right() -> None:
    """0x5C as second byte; characters that only CP932 has; names code point for code point."""
    rows = {one.login: one for one in staff_file.read((SAMPLES / "staff-cp932.csv").read_bytes(), TODAY).rows}
    assert rows["omote"].name == "表 孝一"
    assert rows["hamazaki"].name == "濵﨑 \uf9dc"
    assert rows["tsukada"].name == "\ufa10田 真帆"
    assert rows["yamazaki"].path == ("総務部", "財政課", "予算係")
    assert rows["yamazaki"].start == date(2025, 4, 1)
    assert rows["notok"].path == ("総務部", "ﾃﾞｼﾞﾀﾙ推進室①")
    assert rows["hamazaki"].reading == "はまざき たかし"


def test_compatibility_characters_stay() -> None:
    raw = "髙﨑①Ⅱ㈱ﾃﾞ\uf9dc\ufa10"
    assert read(row(name=raw)).rows[0].name == raw
    assert read(row(name="か\u3099")).rows[0].name == "が"  # kana alone is put together


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_encodings_are_found(encoding: str) -> None:
    assert read(GOOD, encoding=encoding).rows[0].name == "表 孝一"


def test_encodings_that_fit_nothing() -> None:
    for data, line in [
        ("\ufeff".encode("utf-16-le") + (HEADER + "\n" + GOOD).encode("utf-16-le"), 1),
        ((HEADER + "\n" + GOOD).encode("utf-16-le"), 1),
        ((HEADER + "\n" + GOOD + "\n").encode("cp932") + b"\xff\xff\n", 3),
        (b"\xef\xbb\xbf" + (HEADER + "\n" + GOOD).encode() + b"\n\xff\xff\xfd\n", 3),
        (b"", 1),
        (b"\n\n ,,\n", 1),
    ]:
        with pytest.raises(Problem) as problem:
            staff_file.read(data, TODAY)
        assert (problem.value.fault.code, problem.value.params["line"]) == (6006, line)
    with pytest.raises(Problem):
        staff_file.read((HEADER + "\n" + GOOD).encode("cp932"), TODAY, "utf-8")
    with pytest.raises(Problem) as problem:
        staff_file.read(b"", TODAY, "latin-1")
    assert (problem.value.fault.code, problem.value.field) == (2001, "encoding")


def test_headers_in_any_order_and_width() -> None:
    header = "職,ﾌﾘｶﾞﾅ,　氏　名　,団体内ログイン名,メモ,所属パス"
    found = read('主事,ｱﾍﾞ ｱｲ,阿部 愛,Ａｂｅ,"何でも\n書ける",建設部／道路課', header=header)
    assert (found.rows[0].login, found.rows[0].reading, found.rows[0].path) == (
        "abe",
        "あべ あい",
        ("建設部", "道路課"),
    )
    assert found.ignored == ["メモ"]
    assert found.rows[0].line == 2


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("氏名,ふりがな,職,所属", "ログイン名"),
        ("ログイン名,氏名,ふりがな,職", "所属"),
        (HEADER + ",氏名", "氏名"),
        (HEADER + ",フリガナ", "ふりがな"),
    ],
)
def test_headers_that_are_wrong(header: str, field: str) -> None:
    assert faults(GOOD, header=header) == [(1, field)]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"login": ""}, "ログイン名"),
        ({"login": "高橋"}, "ログイン名"),
        ({"login": "-a"}, "ログイン名"),
        ({"login": "a" * 33}, "ログイン名"),
        ({"name": ""}, "氏名"),
        ({"name": "あ" * 81}, "氏名"),
        ({"name": "表\n孝一"}, "氏名"),
        ({"name": "表\u202e孝一"}, "氏名"),
        ({"name": "表\u200b孝一"}, "氏名"),
        ({"reading": ""}, "ふりがな"),
        ({"reading": "おもて 孝一"}, "ふりがな"),
        ({"reading": "omote"}, "ふりがな"),
        ({"former": "あ" * 81}, "旧姓"),
        ({"code": "", "path": ""}, "所属"),
        ({"code": "総務"}, "所属コード"),
        ({"code": "1" * 33}, "所属コード"),
        ({"path": "総務部//係"}, "所属"),
        ({"path": "/総務部"}, "所属"),
        ({"path": "a/b/c/d/e/f/g"}, "所属"),
        ({"path": "あ" * 81}, "所属"),
        ({"order": "-1"}, "建制順"),
        ({"order": "1.5"}, "建制順"),
        ({"order": "一"}, "建制順"),
        ({"post": ""}, "職"),
        ({"post": "長" * 41}, "職"),
        ({"rank": "0"}, "職位順"),
        ({"rank": "1000"}, "職位順"),
        ({"kind": "正職員"}, "任用区分"),
        ({"start": "2026/2/30"}, "開始日"),
        ({"start": "昨日"}, "開始日"),
        ({"start": "46113"}, "開始日"),
        ({"start": "1025/4/1"}, "開始日"),
        ({"end": "2025/3/31"}, "終了日"),
        ({"end": "R0.4.1"}, "終了日"),
    ],
)
def test_cells_that_are_wrong(cells: dict[str, str], field: str) -> None:
    assert faults(GOOD.replace("omote", "other"), row(**cells)) == [(3, field)]


def test_every_fault_is_told_with_its_line_as_excel_counts() -> None:
    assert faults(GOOD, "", row(login="-", post=""), ",,,,,,,,,,,", row(login="b", rank="x"), "a,b") == [
        (4, "ログイン名"), (4, "職"), (6, "職位順"), (7, "ふりがな"), (7, "職"), (7, "所属"),
    ]  # fmt: skip


def test_quotes_and_stray_cells() -> None:
    assert faults('omote,"表 孝一') == [(2, "ファイル")]
    assert faults('omote,"表"孝一') == [(2, "ファイル")]
    assert faults(GOOD + ",,多い") == [(2, "行")]
    assert read(GOOD + ",,").rows
    assert read(row(post="=1+1")).rows[0].post == "=1+1"


def test_rows_of_one_person_agree() -> None:
    other = {"code": "2000", "path": "建設部", "kind": "兼務"}
    assert faults(GOOD, row(name="表 孝二", **other)) == [(3, "氏名")]
    assert faults(GOOD, row(reading="おもて こうじ", **other)) == [(3, "ふりがな")]
    assert faults(row(former="青木"), row(former="青山", **other)) == [(3, "旧姓")]
    assert len(read(row(former="青木"), row(former="", **other)).rows) == 2
    assert read(GOOD, row(login="ＯＭＯＴＥ", **other)).rows[1].login == "omote"


def test_a_person_has_one_main_appointment_at_a_time() -> None:
    other = {"code": "2000", "path": "建設部"}
    assert faults(GOOD, row(start="2026/4/1", **other)) == [(3, "任用区分")]
    assert read(row(end="2026/3/31"), row(start="2026/4/1", **other)).rows
    assert faults(row(end="2026/4/1"), row(start="2026/4/1", **other)) == [(3, "任用区分")]
    assert faults(row(start=""), row(start="2026/4/1", **other)) == [(3, "任用区分")]
    annual = {"kind": "会計年度任用", "start": "2026/4/1"}
    assert faults(row(**annual), row(**other | {"kind": "本務", "start": "2026/4/1"})) == [(3, "任用区分")]
    assert faults(row(**annual), row(**other | annual)) == [(3, "任用区分")]
    assert read(row(**annual), row(**other | {"kind": "兼務", "start": "2026/4/1"})).rows
    assert read(row(**annual), row(**other | {"kind": "本務", "start": "2027/4/1"})).rows  # ended with its fiscal year


def test_the_same_appointment_twice() -> None:
    twice = {"kind": "兼務"}
    assert faults(GOOD, row(**twice), row(**twice)) == [(4, "任用区分")]
    assert faults(GOOD, row(**twice), row(path="", **twice)) == [(4, "任用区分")]
    assert faults(GOOD, row(**twice), row(code="", **twice)) == [(4, "任用区分")]
    assert read(GOOD, row(**twice), row(post="主幹", **twice)).rows


def test_codes_and_paths_agree() -> None:
    other = {"login": "b"}
    assert faults(GOOD, row(path="建設部", **other)) == [(3, "所属")]
    assert faults(GOOD, row(code="1001", **other)) == [(3, "所属コード")]
    assert faults(GOOD, row(order="20", **other)) == [(3, "建制順")]
    assert faults(GOOD, row(code="", order="20", **other)) == [(3, "建制順")]
    assert read(GOOD, row(order="", **other)).rows


def test_limits() -> None:
    lines = [row(login=f"u{n}") for n in range(staff_text.MAX_ROWS + 1)]
    assert faults(*lines) == [(staff_text.MAX_ROWS + 2, "ファイル")]
    assert len(read(*lines[:-1]).rows) == staff_text.MAX_ROWS
    assert faults(*[row(kind="兼務", post=f"主幹{n}") for n in range(51)]) == [(52, "ログイン名")]
    with pytest.raises(Problem):
        staff_file.read(b"x" * (staff_text.MAX_BYTES + 1), TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-04-01", date(2026, 4, 1)), ("2026/4/1", date(2026, 4, 1)), ("2026.4.1", date(2026, 4, 1)),
        ("令和8年4月1日", date(2026, 4, 1)), ("R8.4.1", date(2026, 4, 1)), ("r8.4.1", date(2026, 4, 1)),
        ("令和元年5月1日", date(2019, 5, 1)), ("令和1年5月1日", date(2019, 5, 1)), ("平成31年4月30日", date(2019, 4, 30)),
        ("２０２６／４／１", date(2026, 4, 1)), ("令和 8年 4月 1日", date(2026, 4, 1)), ("2028/2/29", date(2028, 2, 29)),
    ],
)  # fmt: skip
def test_days(text: str, day: date) -> None:
    assert staff_days.parse(text) == day


@given(st.dates(min_value=date(1927, 1, 1), max_value=date(2190, 12, 31)))
@settings(deadline=None)
def test_days_are_those_of_tokyo(day: date) -> None:
    begin, after = staff_days.begin(day), staff_days.after(day)
    assert staff_days.day_of(begin) == staff_days.day_of(after - 1) == day
    assert after - begin == 86_400_000
    assert staff_days.parse(day.isoformat()) == day
    end = staff_days.fiscal_year_end(day)
    assert (end.month, end.day) == (3, 31)
    assert 0 <= (end - day).days < 366


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for prefix in (b"", HEADER.encode() + b"\n", HEADER.encode("cp932") + b"\n"):
        try:
            staff_file.read(prefix + data, TODAY)
        except Problem as problem:
            if problem.fault.code != 6006:
                raise


@given(st.lists(st.tuples(*[st.text(max_size=12)] * 12), max_size=4))
@settings(deadline=None)
def test_no_cells_crash_the_reader(cells: list[tuple[str, ...]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER.split(","), *cells])
    try:
        staff_file.read(out.getvalue().encode("utf-8", "replace"), TODAY)
    except Problem as problem:
        if problem.fault.code != 6006:
            raise
