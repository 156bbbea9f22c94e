"""Dates as Japanese offices write them."""

from __future__ import annotations

import datetime

import pytest

from chat_server.domain.eras import era_date, era_day, era_time


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ((2026, 11, 27), "令和8年11月27日"),
        ((2019, 5, 1), "令和元年5月1日"),
        ((2019, 4, 30), "平成31年4月30日"),
        ((1989, 1, 8), "平成元年1月8日"),
        ((1989, 1, 7), "昭和64年1月7日"),
        ((1926, 12, 25), "昭和元年12月25日"),
        ((1926, 12, 24), "大正15年12月24日"),
        ((1912, 7, 29), "明治45年7月29日"),
        ((1873, 1, 1), "明治6年1月1日"),
        ((1872, 12, 31), "1872年12月31日"),
    ],
)
def test_a_day_has_the_name_of_its_era(day: tuple[int, int, int], told: str) -> None:
    assert era_day(datetime.date(*day)) == told


def test_a_moment_is_of_the_day_that_it_is_in_japan() -> None:
    at = int(datetime.datetime(2026, 11, 26, 15, 42, tzinfo=datetime.UTC).timestamp() * 1000)
    assert (era_date(at), era_time(at)) == ("令和8年11月27日(金)", "令和8年11月27日(金) 0:42")
