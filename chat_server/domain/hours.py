"""Quiet hours: a part of the day by the person's own clock on the wall."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY_MINUTES: Final = 24 * 60
_JAPAN: Final = timezone(timedelta(hours=9), "JST")


def is_time_zone(name: str) -> bool:
    """Whether it is one of the names of the time zone database."""
    return _found(name) is not None


def within(now: int, quiet_from: int | None, quiet_to: int | None, time_zone: str) -> bool:
    """Whether `now` (UTC ms) lies in the hours from `quiet_from` to before `quiet_to` (minutes of the day there).

    They may go past midnight. The clock on the wall decides: an hour that it shows twice in autumn is quiet twice, one
    that it leaves out in spring is nobody's. The same time twice, or none, is no quiet hours at all.
    """
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return False
    local = datetime.fromtimestamp(now / 1000, _found(time_zone) or _JAPAN)
    minute = local.hour * 60 + local.minute
    if quiet_from < quiet_to:
        return quiet_from <= minute < quiet_to
    return minute >= quiet_from or minute < quiet_to


@lru_cache(maxsize=1024)
def _found(name: str) -> tzinfo | None:
    """A name that the database lost between two versions must not keep anybody from being rung."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
