"""When the demonstration happens: a few days that always end today, in Japanese time.

The story tells times as "so many days ago, 9:31". Two calendars turn them into dates:

- `office`: working days. Story day 0 is the last weekday that is not in the future.
- `storm`: day 0 is today whatever the weekday, days 1 to 3 are those just before it (a typhoon does not stop at the
  weekend, and its nights follow each other); earlier ones are working days.

Everything on day 0 happens before 9:50, and today counts as day 0 from 10:00 on: nothing lies in the future.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, Literal

Kind = Literal["office", "storm"]

JAPAN: Final = timezone(timedelta(hours=9), "Asia/Tokyo")
DAY_BEGINS: Final = timedelta(hours=10)
CONSECUTIVE: Final = 3
_WEEKDAYS: Final = "月火水木金土日"
_SATURDAY: Final = 5
_FISCAL_MONTH: Final = 4
_CLOCK: Final = re.compile(r"^(\d{1,2}):(\d{2})$")
_DATE_IN_TEXT: Final = re.compile(r"\{(\d+)(日前|日後|平日後)\}")
_FISCAL_DATE: Final = re.compile(r"^FY(-?\d+)/(\d{1,2})/(\d{1,2})$")
_SETTLED: Final = timedelta(days=45)


def millis(moment: datetime) -> int:
    """UTC milliseconds."""
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Calendar:
    """`today`: story day 0 of the storm."""

    today: date

    @classmethod
    def at(cls, now: int) -> Calendar:
        """For a demonstration that is made at `now` (UTC milliseconds)."""
        return cls((datetime.fromtimestamp(now / 1000, JAPAN) - DAY_BEGINS).date())

    def day(self, kind: Kind, ago: int) -> date:
        """The date of story day `ago`."""
        if kind == "storm" and ago <= CONSECUTIVE:
            return self.today - timedelta(days=ago)
        if kind == "storm":
            return _nth(_weekdays(self.today - timedelta(days=CONSECUTIVE + 1)), ago - CONSECUTIVE - 1)
        return _nth(_weekdays(self.today), ago)

    def moment(self, kind: Kind, ago: int, clock: str) -> int:
        """UTC milliseconds of `clock` ("9:31") on story day `ago`."""
        match = _CLOCK.match(clock)
        if match is None:
            raise ValueError(f"not a time of day: {clock!r}")
        at = time(int(match[1]), int(match[2]))
        return millis(datetime.combine(self.day(kind, ago), at, JAPAN))

    def fill(self, kind: Kind, text: str) -> str:
        """Dates for `{2日前}` (a story day), `{3日後}` (days after day 0) and `{3平日後}` (weekdays after day 0)."""

        def written(match: re.Match[str]) -> str:
            number = int(match[1])
            if match[2] == "日前":
                found = self.day(kind, number)
            elif match[2] == "日後":
                found = self.day(kind, 0) + timedelta(days=number)
            else:
                found = _nth(_weekdays(self.day(kind, 0) + timedelta(days=1), step=1), number - 1)
            return f"{found.month}月{found.day}日({_WEEKDAYS[found.weekday()]})"

        return _DATE_IN_TEXT.sub(written, text)

    @property
    def fiscal_year(self) -> int:
        """The 年度 that the story lies in. In April it is still the old one: the oldest messages were written in it."""
        settled = self.today - _SETTLED
        return settled.year - (settled.month < _FISCAL_MONTH)

    def fiscal_date(self, text: str) -> date:
        """`FY-1/4/1` is 1 April of the 年度 before the story's, `FY0/3/31` the last day of the story's own."""
        match = _FISCAL_DATE.match(text)
        if match is None:
            raise ValueError(f"not a date of a fiscal year: {text!r}")
        month = int(match[2])
        return date(self.fiscal_year + int(match[1]) + (month < _FISCAL_MONTH), month, int(match[3]))


def begins(day: date) -> int:
    """UTC milliseconds of 0:00 in Japan."""
    return millis(datetime.combine(day, time(), JAPAN))


def _weekdays(first: date, step: int = -1) -> Iterator[date]:
    """`first` and on from there, without Saturdays and Sundays."""
    day = first
    while True:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=step)


def _nth(days: Iterator[date], number: int) -> date:
    for _ in range(number):
        next(days)
    return next(days)


def japanese(at: int) -> datetime:
    """UTC milliseconds as a time in Japan; for tests and for what is printed."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(JAPAN)
