"""Days of a staff file: written in several ways, days in Asia/Tokyo, kept as UTC milliseconds."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Final

from chat_server.domain.text import nfkc

JST: Final = timezone(timedelta(hours=9))
"""Asia/Tokyo has had no summer time since 1951; so no time zone database is needed on the machine."""

_ERAS: Final = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}
_DAY: Final = re.compile(
    r"(?:(?P<year>\d{4})|(?P<era>令和|平成|昭和|[RHS])(?P<of_era>\d{1,2}|元))"
    r"(?:[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})|年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日)",
    re.IGNORECASE,
)
_YEARS: Final = range(1926, 2200)


def parse(text: str) -> date:
    """`2026-04-01`, `2026/4/1`, `2026.4.1`, `令和8年4月1日`, `R8.4.1`; full-width too. Raises `ValueError`."""
    match = _DAY.fullmatch(nfkc(text).replace(" ", ""))
    if match is None:
        raise ValueError(text)
    if match["year"]:
        year = int(match["year"])
    else:
        year = _ERAS[match["era"].upper()] + (1 if match["of_era"] == "元" else int(match["of_era"]))
    if year not in _YEARS:
        raise ValueError(text)
    return date(year, int(match["m1"] or match["m2"]), int(match["d1"] or match["d2"]))


def begin(day: date) -> int:
    """0:00 of `day` in Asia/Tokyo."""
    return int(datetime(day.year, day.month, day.day, tzinfo=JST).timestamp()) * 1_000


def after(day: date) -> int:
    """24:00 of `day`: the first moment that no longer counts."""
    return begin(day + timedelta(days=1))


def day_of(at: int) -> date:
    """The day in Asia/Tokyo of a moment."""
    return datetime.fromtimestamp(at / 1_000, JST).date()


def fiscal_year_end(day: date) -> date:
    """The next 31 March on or after `day`."""
    end = date(day.year, 3, 31)
    return end if day <= end else date(day.year + 1, 3, 31)
