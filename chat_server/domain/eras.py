"""Dates as Japanese offices write them: 令和8年11月27日. Eras since 1873, when the calendar became the Gregorian one."""

from __future__ import annotations

import datetime
from typing import Final

JST: Final = datetime.timezone(datetime.timedelta(hours=9))
_WEEK: Final = "月火水木金土日"
_ERAS: Final = (
    (datetime.date(2019, 5, 1), "令和"),
    (datetime.date(1989, 1, 8), "平成"),
    (datetime.date(1926, 12, 25), "昭和"),
    (datetime.date(1912, 7, 30), "大正"),
    (datetime.date(1873, 1, 1), "明治"),
)
_MEIJI: Final = 1868


def day_of(at: int) -> datetime.datetime:
    """UTC milliseconds as a moment in Japan."""
    return datetime.datetime.fromtimestamp(at / 1000, JST)


def era_day(day: datetime.date) -> str:
    """`令和元年5月1日`; before the eras of this calendar `1872年1月1日`."""
    for begins, name in _ERAS:
        if day >= begins:
            year = day.year - (_MEIJI if name == "明治" else begins.year) + 1
            return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def era_date(at: int) -> str:
    """Of UTC milliseconds: `令和8年11月27日(金)`."""
    day = day_of(at)
    return f"{era_day(day.date())}({_WEEK[day.weekday()]})"


def era_time(at: int) -> str:
    """`令和8年11月27日(金) 8:42`"""
    day = day_of(at)
    return f"{era_date(at)} {day.hour}:{day.minute:02}"
