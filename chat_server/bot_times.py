"""When, in the words that people use for it. For bots."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Final

from chat_server.domain.text import nfkc

WEEK: Final = "月火水木金土日"
_AFTER: Final = re.compile(r"(\d{1,4})(分|時間|日|週間)後(?:に|、|\s)*")
_DAY: Final = re.compile(
    r"(?P<every>毎日|毎週)?(?:の|、|\s)*"
    r"(?:(?P<near>今日|本日|明日|明後日|あさって)|(?P<month>\d{1,2})月(?P<date>\d{1,2})日|(?P<week>[月火水木金土日])曜日?)?"
    r"(?:の|、|に|\s)*"
)
_TIME: Final = re.compile(
    r"(?P<half>午前|午後)?(?P<hour>\d{1,2})(?:時(?:(?P<minute>\d{1,2})分|(?P<and_half>半))?|:(?P<colon>\d{2}))(?:に|、|\s)*"
)
_NEAR: Final = {"今日": 0, "本日": 0, "明日": 1, "明後日": 2, "あさって": 2}
_PAST: Final = re.compile(r"(?P<near>今日|本日|昨日|一昨日|おととい)|(?P<month>\d{1,2})月(?P<date>\d{1,2})日")
_AGO: Final = {"今日": 0, "本日": 0, "昨日": 1, "一昨日": 2, "おととい": 2}
_UNITS: Final = {"分": 1, "時間": 60, "日": 24 * 60, "週間": 7 * 24 * 60}
_REPEATED: Final = re.compile(r"^(毎日|毎週)(?:に|、|\s)*")


@dataclass(frozen=True, slots=True)
class When:
    """`at`, and again after `every` days (0: once); `what` is the rest of the words, `told` says it back."""

    at: datetime.datetime
    every: int
    what: str
    told: str


def understood(words: str, now: datetime.datetime) -> When | None:
    """The time that `words` begin with; None if there is none, if it does not exist, or if nothing is left to be told."""
    text = nfkc(words).strip()
    if after := _AFTER.match(text):
        at = now + datetime.timedelta(minutes=int(after[1]) * _UNITS[after[2]])
        return _when(at, 0, text[after.end() :])
    day = _DAY.match(text)
    assert day is not None  # all of it is optional
    time = _TIME.match(text, day.end())
    if time is None:
        return None
    hour = int(time["hour"]) + (12 if time["half"] == "午後" and int(time["hour"]) < 12 else 0)
    minute = int(time["minute"] or time["colon"] or (30 if time["and_half"] else 0))
    rest = text[time.end() :]
    every = day["every"]
    if every is None and (again := _REPEATED.match(rest)):
        every, rest = again[1], rest[again.end() :]
    try:
        at = _first(now, day, hour, minute)
    except ValueError:
        return None
    return _when(at, {"毎日": 1, "毎週": 7}.get(every or "", 0), rest)


def _first(now: datetime.datetime, day: re.Match[str], hour: int, minute: int) -> datetime.datetime:
    """The next such moment. Raises ValueError where there is no such day or time."""
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if day["near"]:
        return at + datetime.timedelta(days=_NEAR[day["near"]])
    if day["week"]:
        at += datetime.timedelta(days=(WEEK.index(day["week"]) - now.weekday()) % 7)
        return at if at > now else at + datetime.timedelta(days=7)
    if day["month"]:
        at = at.replace(month=int(day["month"]), day=int(day["date"]))
        return at if at > now else at.replace(year=now.year + 1)
    return at if at > now else at + datetime.timedelta(days=1)


def _when(at: datetime.datetime, every: int, rest: str) -> When | None:
    what = rest.strip(" 、。")
    if not what:
        return None
    again = {0: "", 1: "毎日、次は ", 7: "毎週、次は "}[every]
    return When(at, every, what, again + day_and_time(at))


def day_in(words: str, now: datetime.datetime) -> datetime.date | None:
    """A day that has been: 今日, 昨日, おととい, 11月20日 (the last one). None where the words are no day."""
    match = _PAST.fullmatch(nfkc(words).strip())
    if match is None:
        return None
    if match["near"]:
        return now.date() - datetime.timedelta(days=_AGO[match["near"]])
    try:
        day = datetime.date(now.year, int(match["month"]), int(match["date"]))
        return day if day <= now.date() else day.replace(year=now.year - 1)
    except ValueError:
        return None


def day_and_time(at: datetime.datetime) -> str:
    """`11月27日(金) 9:00`"""
    return f"{at.month}月{at.day}日({WEEK[at.weekday()]}) {at.hour}:{at.minute:02}"
