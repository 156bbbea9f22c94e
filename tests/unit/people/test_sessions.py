"""Refresh tokens and devices (security.md 25 and 27, and what closes sockets)."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
import pytest

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.ports import Value
from chat_server.services import devices, own_stream, sessions
from chat_server.services.authority import Operator
from chat_server.services.sessions import Session
from chat_server.storage.queries import people
from tests.unit.people.conftest import ADDRESS, ZONE, Town, code


async def _spend(town: Town, token: str, zone: str = ZONE, key: str | None = None) -> Session:
    return await sessions.refresh(town.storage, town.tokens, town.keys, token, zone, ADDRESS, key=key)


async def _refresh(town: Town, session: Session, zone: str = ZONE, key: str | None = None) -> Session:
    return await _spend(town, session.refresh_token, zone, key)


async def _refused(town: Town, session: Session, zone: str = ZONE, key: str | None = None) -> int:
    with pytest.raises(Problem) as problem:
        await _refresh(town, session, zone, key)
    return code(problem)


async def _value(town: Town, sql: str, *values: Value) -> int:
    row = await town.storage.read(lambda reader: reader.one(sql, *values))
    assert row is not None
    return int(row[0])


async def test_every_refresh_gives_another_token_for_the_same_device(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    seen = {session.refresh_token}
    for _ in range(20):
        town.clock.at += limits.ACCESS_LIVES
        session = await _refresh(town, session)
        seen.add(session.refresh_token)
        assert session.refresh_expires == town.clock.at + limits.REFRESH_LIVES
        assert (await town.actor(session)).device == session.device
    assert len(seen) == 21
    assert await _value(town, "SELECT count(*) FROM devices") == 1
    assert await _value(town, "SELECT count(*) FROM refresh_tokens") == 2


async def test_two_uses_at_once_are_one_success_and_the_end(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    outcomes = await asyncio.gather(*(_refresh(town, session) for _ in range(8)), return_exceptions=True)
    won = [outcome for outcome in outcomes if isinstance(outcome, Session)]
    lost = [outcome.fault.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert len(won) == 1
    assert lost == [1005] * 7
    assert await _refused(town, won[0]) == 1005


async def test_a_rotated_token_ends_the_session_for_both_and_tells_both(town: Town) -> None:
    await town.add_user("takahashi")
    stolen = await town.session("takahashi")
    other = await town.session("takahashi")
    device_id = (await town.actor(stolen)).device_id
    mine = await _refresh(town, stolen)
    town.notes.clear()
    assert await _refused(town, stolen) == 1005
    assert [note.revoked_device for note in town.user_events()] == [device_id]
    assert await _refused(town, mine) == 1005
    assert await _refused(town, stolen) == 1005
    with pytest.raises(Problem) as problem:
        await town.actor(mine)
    assert code(problem) == 1004
    assert len(town.user_events()) == 1
    await _refresh(town, other)
    assert await _value(town, "SELECT count(*) FROM audit WHERE act = 'session.reuse'") == 1


async def test_a_token_stolen_long_ago_is_still_known(town: Town) -> None:
    """The thief refreshes for weeks before the owner comes back: the owner's token must not merely look unknown."""
    await town.add_user("takahashi")
    owners = await town.session("takahashi")
    thiefs = owners
    for _ in range(100):
        town.clock.at += 6 * limits.HOUR
        thiefs = await _refresh(town, thiefs)
    assert await _refused(town, owners) == 1005
    assert await _refused(town, thiefs) == 1005


async def test_a_lost_answer_is_given_again_under_its_key(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    lost = await _refresh(town, session, key="key-of-one")
    town.clock.at += limits.REFRESH_REPEATED - 1
    again = await _refresh(town, session, key="key-of-one")
    assert (again.refresh_token, again.refresh_expires) == (lost.refresh_token, lost.refresh_expires)
    await town.actor(again)
    await _refresh(town, again, key="key-of-two")


async def test_the_same_request_many_times_at_once_is_one_session(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    answers = await asyncio.gather(*(_refresh(town, session, key="key-of-one") for _ in range(8)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert await _value(town, "SELECT count(*) FROM refresh_tokens") == 2


@pytest.mark.parametrize("key", [None, "", "another-key"])
async def test_without_its_key_a_used_token_ends_the_session(town: Town, key: str | None) -> None:
    """Whoever has the token alone is a thief, however soon they come."""
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    mine = await _refresh(town, session, key="key-of-one")
    assert await _refused(town, session, key=key) == 1005
    assert await _refused(town, mine) == 1005


async def test_a_key_is_worth_nothing_where_none_was_given(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    await _refresh(town, session)
    assert await _refused(town, session, key="key-of-one") == 1005


async def test_an_answer_is_not_given_again_once_it_was_used(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    second = await _refresh(town, session, key="key-of-one")
    third = await _refresh(town, second, key="key-of-two")
    assert await _refused(town, session, key="key-of-one") == 1005
    assert await _refused(town, third, key="key-of-three") == 1005


async def test_an_answer_is_not_given_again_for_ever(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    await _refresh(town, session, key="key-of-one")
    town.clock.at += limits.REFRESH_REPEATED
    assert await _refused(town, session, key="key-of-one") == 1005


async def test_a_thief_with_token_and_key_is_found_at_the_next_refresh(town: Town) -> None:
    """They share the one session, and the second to refresh it ends it."""
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    mine = await _refresh(town, session, key="key-of-one")
    thiefs = await _refresh(town, session, key="key-of-one")
    assert await _refused(town, session, "internet", key="key-of-one") == 1004
    thiefs = await _refresh(town, thiefs, key="key-of-thief")
    assert await _refused(town, mine, key="key-of-two") == 1005
    assert await _refused(town, thiefs) == 1005


async def test_a_refresh_token_stays_in_its_zone_and_time(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    assert await _refused(town, session, "internet") == 1004
    town.clock.at += limits.REFRESH_LIVES - 1
    session = await _refresh(town, session)
    town.clock.at += limits.REFRESH_LIVES
    assert await _refused(town, session) == 1004


async def test_clocks_a_day_off_do_not_end_sessions(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    for shift in (limits.DAY, -2 * limits.DAY, limits.DAY):
        town.clock.at += shift
        session = await _refresh(town, session)
        await town.actor(session)


@pytest.mark.parametrize("token", ["", ".", "a.b", "x" * 5_000, "x." * 99, "\x00.\x00", "ａ.ｂ", "' OR 1=1 --.x"])
async def test_what_is_no_token_is_refused(town: Town, token: str) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    with pytest.raises(Problem) as problem:
        await _spend(town, token)
    assert code(problem) == 1004
    await _refresh(town, session)


async def test_the_family_part_alone_or_with_a_guess_gives_nothing(town: Town) -> None:
    """Whoever knows the family's part had a token: the session ends, nothing is issued."""
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    family = session.refresh_token.partition(".")[0]
    with pytest.raises(Problem) as problem:
        await _spend(town, family)
    assert code(problem) == 1004
    with pytest.raises(Problem) as problem:
        await _spend(town, family + ".guess")
    assert code(problem) == 1005


async def test_a_disabled_account_cannot_refresh(town: Town) -> None:
    user_id = await town.add_user("takahashi")
    session = await town.session("takahashi")
    await town.storage.write(lambda tx: people.disable(tx, town.org_id, user_id))
    assert await _refused(town, session) == 6009


async def test_the_list_of_ones_own_devices(town: Town) -> None:
    await town.add_user("takahashi")
    await town.add_user("sato")
    await town.session("sato")
    first = await town.session("takahashi")
    town.clock.at += limits.MINUTE
    second = await town.session("takahashi")
    actor = await town.actor(second)
    listed = await town.storage.read(lambda reader: devices.own_devices(reader, actor))
    assert [(one["id"], one["current"]) for one in listed] == [(second.device, True), (first.device, False)]
    assert listed[0] == {
        "id": second.device, "name": "机のPC", "zone": ZONE, "created_at": town.clock.at, "seen_at": town.clock.at,
        "platform": "web", "app_version": "", "ownership": "", "state": "ready", "wipe_asked_at": None, "current": True,
    }  # fmt: skip
    town.clock.at += limits.REFRESH_LIVES
    assert await town.storage.read(lambda reader: devices.own_devices(reader, actor)) == []


async def test_signing_out_a_device_kills_its_tokens_and_closes_its_sockets(town: Town) -> None:
    await town.add_user("takahashi")
    lost, kept = await town.session("takahashi"), await town.session("takahashi")
    actor = await town.actor(kept)
    lost_id = (await town.actor(lost)).device_id
    town.notes.clear()
    await town.storage.write(lambda tx: devices.sign_out(tx, actor, lost.device))
    [event] = town.user_events()
    assert (event.kind, event.revoked_device, event.user_id) == ("devices", lost_id, actor.user_id)
    assert await _refused(town, lost) == 1004
    with pytest.raises(Problem) as problem:
        await town.actor(lost)
    assert code(problem) == 1004
    await town.actor(kept)
    with pytest.raises(Problem) as problem:
        await town.storage.write(lambda tx: devices.sign_out(tx, actor, lost.device))
    assert code(problem) == 6005


async def test_another_persons_device_does_not_exist(town: Town) -> None:
    """security.md 27: refused, and with the same answer as for an id that nobody has."""
    await town.add_user("takahashi")
    await town.add_user("sato")
    mine, theirs = await town.session("takahashi"), await town.session("sato")
    actor = await town.actor(mine)
    answers = []
    for device in (theirs.device, "0" * 26, "nonsense"):
        with pytest.raises(Problem) as problem:
            await town.storage.write(partial(devices.sign_out, actor=actor, device=device))
        assert code(problem) == 6005
        answers.append(problem.value.as_dict())
    assert answers[0] == answers[1] == answers[2]
    await town.actor(theirs)
    await _refresh(town, theirs)


async def test_only_an_administrator_signs_out_a_colleagues_lost_phone(town: Town) -> None:
    await town.add_user("takahashi")
    chief_id = await town.add_user("chief")
    lost = await town.session("takahashi")
    chief = await town.actor(await town.session("chief"))
    with pytest.raises(Problem) as problem:
        await town.storage.write(lambda tx: devices.sign_out_of(tx, chief, lost.user, lost.device))
    assert code(problem) == 2008
    await town.actor(lost)
    await town.storage.write(lambda tx: people.grant(tx, town.org_id, chief_id, "organization_admin", 0))
    chief = await town.actor(await town.session("chief"))
    elsewhere = Operator(org_id=town.org_id + 1)
    with pytest.raises(Problem) as problem:
        await town.storage.write(lambda tx: devices.sign_out_of(tx, elsewhere, lost.user, lost.device))
    assert code(problem) == 6001
    await town.storage.write(lambda tx: devices.sign_out_of(tx, chief, lost.user, lost.device))
    assert await _refused(town, lost) == 1004


async def test_the_own_stream_is_dense_and_stored_as_it_was_sent(town: Town) -> None:
    user_id = await town.add_user("takahashi")
    for _ in range(3):
        await town.session("takahashi")
    bodies: list[dict[str, object]] = [{}, {"room": "r" * 26}]
    for body in bodies:
        await town.storage.write(
            partial(own_stream.append, user_id=user_id, org_id=town.org_id, kind="profile", body=body)
        )
    events = town.user_events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    rows = await town.storage.read(lambda r: r.all("SELECT seq, kind, at, data FROM user_events ORDER BY seq"))
    stored = [(seq, kind, at, msgspec.msgpack.decode(data) if data else {}) for seq, kind, at, data in rows]
    assert stored == [(event.seq, event.kind, event.at, event.body) for event in events]
    assert [event.body for event in events[-2:]] == bodies
