"""Whom a message wakes (domain/push.py), and the hours of the day when it does not (domain/hours.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.domain.hours import DAY_MINUTES, is_time_zone, within
from chat_server.domain.push import Act, Decision, Listener, Said, Why, decide

NOON = int(datetime(2026, 11, 27, 3, 0, tzinfo=UTC).timestamp() * 1000)
"""In Tokyo."""
AUTHOR, READER = 1, 2
DIRECT = Said(AUTHOR, 10, "direct")
ROOM = Said(AUTHOR, 10, "private")
URGENT = Said(AUTHOR, 10, "announcement", level="urgent")
WHO = Listener(READER)


def why(said: Said, who: Listener, now: int = NOON) -> Why:
    return decide(said, who, now).why


@pytest.mark.parametrize(
    ("said", "who", "expected"),
    [
        (DIRECT, WHO, Decision(Act.RING, Why.DIRECT)),
        (ROOM, WHO, Decision(Act.BADGE, Why.NOT_INVOLVED)),
        (ROOM, replace(WHO, mentioned=True), Decision(Act.RING, Why.MENTION)),
        (replace(ROOM, everybody=True), WHO, Decision(Act.RING, Why.MENTION)),
        (replace(ROOM, answers=READER), WHO, Decision(Act.RING, Why.REPLY)),
        (replace(ROOM, answers=3), WHO, Decision(Act.BADGE, Why.NOT_INVOLVED)),
        (replace(ROOM, asks=True), WHO, Decision(Act.RING, Why.ASKED)),
        (ROOM, replace(WHO, wanted="all"), Decision(Act.RING, Why.FOLLOWED)),
        (ROOM, replace(WHO, room_level="all"), Decision(Act.RING, Why.FOLLOWED)),
        (DIRECT, replace(WHO, room_level="mentions"), Decision(Act.BADGE, Why.NOT_INVOLVED)),
        (DIRECT, replace(WHO, involvement="mentions"), Decision(Act.BADGE, Why.NOT_INVOLVED)),
        (ROOM, replace(WHO, involvement="nothing", room_level="all"), Decision(Act.RING, Why.FOLLOWED)),
        (replace(URGENT, level="important"), WHO, Decision(Act.RING, Why.ANNOUNCED)),
        (replace(URGENT, level="notice"), WHO, Decision(Act.BADGE, Why.NOT_INVOLVED)),
        # what silences
        (DIRECT, replace(WHO, user_id=AUTHOR), Decision(Act.NOTHING, Why.OWN_MESSAGE)),
        (DIRECT, replace(WHO, person=False), Decision(Act.NOTHING, Why.NOT_A_PERSON)),
        (DIRECT, replace(WHO, ended=True), Decision(Act.NOTHING, Why.ACCOUNT_ENDED)),
        (DIRECT, replace(WHO, visible_seq=11), Decision(Act.NOTHING, Why.CANNOT_SEE)),
        (replace(DIRECT, redacted=True), WHO, Decision(Act.NOTHING, Why.REDACTED)),
        (DIRECT, replace(WHO, read_seq=10), Decision(Act.NOTHING, Why.READ_ALREADY)),
        (DIRECT, replace(WHO, reading=True), Decision(Act.NOTHING, Why.READING_NOW)),
        (DIRECT, replace(WHO, duty="off"), Decision(Act.NOTHING, Why.OFF_DUTY)),
        (DIRECT, replace(WHO, room_level="none"), Decision(Act.NOTHING, Why.ROOM_MUTED)),
        (DIRECT, replace(WHO, involvement="nothing"), Decision(Act.NOTHING, Why.ROOM_MUTED)),
        (DIRECT, replace(WHO, wanted="none"), Decision(Act.NOTHING, Why.SWITCHED_OFF)),
        (DIRECT, replace(WHO, quiet_from=700, quiet_to=730), Decision(Act.NOTHING, Why.QUIET_HOURS)),
    ],
    ids=lambda value: value.why.value if isinstance(value, Decision) else "",
)
def test_the_first_rule_that_applies_decides(said: Said, who: Listener, expected: Decision) -> None:
    assert decide(said, who, NOON) == expected


listeners = st.builds(
    Listener,
    user_id=st.integers(1, 4),
    person=st.booleans(),
    ended=st.booleans(),
    involvement=st.sampled_from(["nothing", "mentions", "everything"]),
    visible_seq=st.integers(1, 20),
    read_seq=st.integers(0, 20),
    mentioned=st.booleans(),
    room_level=st.sampled_from([None, "all", "mentions", "none"]),
    wanted=st.sampled_from(["mentions_and_direct", "all", "none"]),
    duty=st.sampled_from(["on", "off"]),
    quiet_from=st.none() | st.integers(0, DAY_MINUTES - 1),
    quiet_to=st.none() | st.integers(0, DAY_MINUTES - 1),
    time_zone=st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "no/where", ""]),
    reading=st.booleans(),
)
messages = st.builds(
    Said,
    author_id=st.integers(1, 4),
    seq=st.integers(1, 20),
    room_kind=st.sampled_from(["private", "open", "announcement", "direct", "memo"]),
    level=st.sampled_from([None, "urgent", "important", "notice"]),
    everybody=st.booleans(),
    asks=st.booleans(),
    answers=st.none() | st.integers(1, 4),
    redacted=st.booleans(),
)
moments = st.integers(1_700_000_000_000, 2_000_000_000_000)


@given(messages, listeners, moments)
def test_nobody_is_woken_by_what_they_said_cannot_see_or_have_seen(said: Said, who: Listener, now: int) -> None:
    decision = decide(said, who, now)
    seen = said.seq <= who.read_seq or said.seq < who.visible_seq or who.reading
    if who.user_id == said.author_id or not who.person or who.ended or said.redacted or seen:
        assert decision.act is Act.NOTHING


@given(messages, listeners, moments)
def test_an_emergency_rings_for_everybody_who_could_be_told_of_it(said: Said, who: Listener, now: int) -> None:
    plain = decide(replace(said, level=None, asks=True), _open(who), now)
    emergency = decide(replace(said, level="urgent"), who, now)
    assert (emergency.act is Act.RING) == (plain.act is Act.RING)
    assert emergency.urgent == (emergency.act is Act.RING)


def _open(who: Listener) -> Listener:
    return replace(who, involvement="everything", room_level=None, wanted="all", duty="on", quiet_from=None)


@given(messages, listeners, moments)
def test_silence_is_only_ever_added(said: Said, who: Listener, now: int) -> None:
    """Whoever sets less is not rung for more, an emergency apart."""
    if decide(said, _open(who), now).act is not Act.RING:
        assert decide(said, replace(who, room_level=None), now).act is not Act.RING
    if said.level != "urgent":
        for quieter in (replace(who, duty="off"), replace(who, room_level="none")):
            assert decide(said, quieter, now).act is Act.NOTHING


@given(messages, listeners, moments)
def test_the_number_alone_is_for_those_who_are_not_involved(said: Said, who: Listener, now: int) -> None:
    decision = decide(said, who, now)
    assert (decision.act is Act.BADGE) == (decision.why is Why.NOT_INVOLVED)


def at(time_zone: str, *when: int, fold: int = 0) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(time_zone), fold=fold).timestamp() * 1000)  # type: ignore[arg-type,misc]


def test_quiet_hours_go_past_midnight_by_the_clock_where_one_lives() -> None:
    night = (22 * 60, 7 * 60)
    for clock, quiet in (((21, 59), False), ((22, 0), True), ((0, 0), True), ((6, 59), True), ((7, 0), False)):
        assert within(at("Asia/Tokyo", 2026, 11, 27, *clock), *night, "Asia/Tokyo") is quiet
    assert not within(at("Asia/Tokyo", 2026, 11, 27, 23, 0), *night, "Europe/Berlin")
    assert within(at("Europe/Berlin", 2026, 11, 27, 23, 0), *night, "Europe/Berlin")


def test_an_hour_that_the_clock_shows_twice_is_quiet_twice_and_one_it_leaves_out_is_nobodys() -> None:
    """Berlin: on 25 October 2026 2:30 comes twice, on 28 March 2027 it does not come at all."""
    hour = (2 * 60, 3 * 60)
    for fold in (0, 1):
        assert within(at("Europe/Berlin", 2026, 10, 25, 2, 30, fold=fold), *hour, "Europe/Berlin")
    before = at("Europe/Berlin", 2027, 3, 28, 1, 59)
    assert not within(before, *hour, "Europe/Berlin")
    assert not within(before + 60_000, *hour, "Europe/Berlin")


@given(
    st.integers(0, DAY_MINUTES - 1), st.integers(0, DAY_MINUTES - 1), st.sampled_from(["Asia/Tokyo", "Europe/Berlin"])
)
def test_a_day_is_quiet_for_as_long_as_was_asked(start: int, end: int, zone: str) -> None:
    midnight = datetime(2026, 11, 27, tzinfo=ZoneInfo(zone))
    quiet = sum(
        within(int((midnight + timedelta(minutes=minute)).timestamp() * 1000), start, end, zone)
        for minute in range(DAY_MINUTES)
    )
    assert quiet == (end - start) % DAY_MINUTES


def test_a_zone_that_the_machine_does_not_know_is_japans() -> None:
    now = at("Asia/Tokyo", 2026, 11, 27, 23, 0)
    assert within(now, 22 * 60, 7 * 60, "Atlantis/Harbour")
    assert not is_time_zone("Atlantis/Harbour")
    assert not is_time_zone("../../etc/passwd")
    assert is_time_zone("Asia/Tokyo")
