"""Signing in: the steps, the same answer for everybody who may not, and brute force (security.md 15, 22–24)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.ports import Row, Tx, Value
from chat_server.services import throttle
from chat_server.services.sign_in import PasswordStep, SignIn
from chat_server.storage.queries import people
from chat_server.storage.queries import sign_in as queries
from tests.support.engines import everything_kept, open_storage
from tests.unit.people.conftest import ADDRESS, PASSWORD, ZONE, Town, code


class Counting:
    """A transaction that counts the rows it changes."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.all, self.emit, self.now = tx.all, tx.emit, tx.now
        self.changed = 0

    async def one(self, sql: str, *values: Value) -> Row | None:
        row = await self._tx.one(sql, *values)
        self.changed += "RETURNING" in sql and row is not None
        return row

    async def run(self, sql: str, *values: Value) -> int:
        changed = await self._tx.run(sql, *values)
        self.changed += changed
        return changed


async def _fail(town: Town, login: str, *, organization: str = "midorino", address: str = ADDRESS) -> int:
    """Try a wrong password; the number of the error."""
    with pytest.raises(Problem) as problem:
        await town.session(login, "まちがったことば", organization=organization, address=address)
    return code(problem)


async def test_the_steps_give_a_session(town: Town) -> None:
    await town.add_user("takahashi")
    begun = await town.sign_in.start("midorino", "takahashi", "現場の電話", ZONE, ADDRESS)
    assert begun.next == ("password",)
    assert begun.session is None
    assert begun.flow is not None
    done = await town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS)
    assert done.flow is None
    assert done.next == ()
    assert done.session is not None
    actor = await town.actor(done.session)
    assert (actor.name, actor.zone, actor.device) == ("高橋 健", ZONE, done.session.device)


async def test_full_width_and_upper_case_are_the_same_login(town: Town) -> None:
    await town.add_user("takahashi")
    assert (await town.session("Ｔａｋａｈａｓｈｉ ", organization="MIDORINO")).user


async def test_full_width_password_is_the_same_password(town: Town) -> None:
    await town.add_user("takahashi", password="Abcdefg-12345")
    await town.session("takahashi", "Ａｂｃｄｅｆｇ－１２３４５")


async def test_unknown_organization_login_and_wrong_password_answer_alike(town: Town) -> None:
    await town.add_user("takahashi")
    await town.add_user("noone", password=None)
    answers = set()
    for organization, login in [
        ("nowhere", "takahashi"),
        ("midorino", "nobody"),
        ("midorino", "takahashi"),
        ("midorino", "noone"),
    ]:
        begun = await town.sign_in.start(organization, login, "x", ZONE, ADDRESS)
        assert begun.flow is not None
        with pytest.raises(Problem) as problem:
            await town.sign_in.password(begun.flow, "まちがったことば", ZONE, ADDRESS)
        answers.add((begun.next, str(problem.value.as_dict())))
    assert len(answers) == 1


async def test_nobody_costs_as_many_verifications_and_commits_as_somebody(town: Town) -> None:
    await town.add_user("takahashi")
    verified: list[str | None] = []
    written: list[bool] = []
    real_verify, real_write = town.passwords._verify, town.storage.write

    def verify(password_hash: str, raw: bytes) -> bool:
        verified.append(password_hash)
        return real_verify(password_hash, raw)

    async def write(use_case: Callable[[Any], Awaitable[object]], *, org_id: int = 0) -> object:
        counted: list[Counting] = []

        async def counting(tx: Tx) -> object:
            counted.append(Counting(tx))
            return await use_case(counted[0])

        answer: object = await real_write(counting, org_id=org_id)
        written.append(counted[0].changed > 0)
        return answer

    town.passwords._verify = verify  # type: ignore[method-assign]
    town.storage.write = write  # type: ignore[method-assign,assignment]
    costs = []
    for organization, login in [("nowhere", "x"), ("midorino", "nobody"), ("midorino", "takahashi")]:
        verified.clear()
        written.clear()
        assert await _fail(town, login, organization=organization) == 1001
        costs.append((len(verified), list(written)))
    # Each of the three transactions changes a row: a commit that reaches the disk can be timed from outside.
    assert costs[0] == costs[1] == costs[2] == (1, [True, True, True])


async def test_a_flow_token_is_good_once_and_the_next_one_differs(town: Town) -> None:
    """Session fixation: a token planted before signing in is worth nothing afterwards."""
    await town.add_user("takahashi")
    begun = await town.sign_in.start("midorino", "takahashi", "x", ZONE, ADDRESS)
    assert begun.flow is not None
    done = await town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS)
    assert done.session is not None
    assert begun.flow not in (done.session.access_token, done.session.refresh_token)
    with pytest.raises(Problem) as problem:
        await town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS)
    assert code(problem) == 1006


async def test_a_flow_brought_twice_at_once_is_one_success(town: Town) -> None:
    await town.add_user("takahashi")
    begun = await town.sign_in.start("midorino", "takahashi", "x", ZONE, ADDRESS)
    assert begun.flow is not None
    outcomes = await asyncio.gather(
        *(town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1


async def test_a_flow_ends_with_its_time_and_stays_in_its_zone(town: Town) -> None:
    await town.add_user("takahashi")
    for zone, later in [("internet", 0), (ZONE, limits.FLOW_LIVES)]:
        begun = await town.sign_in.start("midorino", "takahashi", "x", ZONE, ADDRESS)
        assert begun.flow is not None
        town.clock.at += later
        with pytest.raises(Problem) as problem:
            await town.sign_in.password(begun.flow, PASSWORD, zone, ADDRESS)
        assert code(problem) == 1006


async def test_secrets_are_not_in_the_database(town: Town, tmp_path: Path) -> None:
    await town.add_user("takahashi")
    begun = await town.sign_in.start("midorino", "takahashi", "x", ZONE, ADDRESS)
    session = await town.session("takahashi")
    assert begun.flow is not None
    bytes_on_disk = everything_kept(tmp_path / "data")
    assert session.device.encode() in bytes_on_disk
    for secret in (begun.flow, session.refresh_token, session.access_token, PASSWORD):
        assert secret.encode() not in bytes_on_disk


async def test_tokens_do_not_show_in_a_repr(town: Town) -> None:
    await town.add_user("takahashi")
    begun = await town.sign_in.start("midorino", "takahashi", "x", ZONE, ADDRESS)
    assert begun.flow is not None
    done = await town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS)
    assert done.session is not None
    for secret in (begun.flow, done.session.access_token, done.session.refresh_token):
        assert secret not in repr(begun) + repr(done) + repr(town.keys.current("token"))


async def test_ten_failures_close_an_account_even_to_the_right_password(town: Town) -> None:
    await town.add_user("takahashi")
    for n in range(limits.FAILURES_PER_ACCOUNT):
        assert await _fail(town, "takahashi", address=f"10.0.0.{n}") == 1001
    with pytest.raises(Problem) as problem:
        await town.session("takahashi", address="10.0.1.1")
    assert code(problem) == 1002
    assert problem.value.params == {"retry_after": 900}
    town.clock.at += limits.FAILURE_WINDOW
    await town.session("takahashi")


async def test_an_account_that_does_not_exist_closes_likewise(town: Town) -> None:
    for n in range(limits.FAILURES_PER_ACCOUNT):
        assert await _fail(town, "nobody", address=f"10.0.0.{n}") == 1001
    assert await _fail(town, "nobody", address="10.0.1.1") == 1002


async def test_fifty_failures_close_an_address_whatever_the_account(town: Town) -> None:
    await town.add_user("takahashi")
    for n in range(limits.FAILURES_PER_ADDRESS):
        assert await _fail(town, f"guess{n}") == 1001
    assert await _fail(town, "another") == 1002
    await town.session("takahashi", address="10.9.9.9")


async def test_an_ipv6_subscriber_is_one_address(town: Town) -> None:
    for n in range(limits.FAILURES_PER_ADDRESS):
        assert await _fail(town, f"guess{n}", address=f"2001:db8::{n:x}") == 1001
    assert await _fail(town, "another", address="2001:db8::ffff:1") == 1002
    assert await _fail(town, "another", address="2001:db8:0:1::1") == 1001


async def test_the_counter_survives_a_restart(town: Town, tmp_path: Path) -> None:
    await town.add_user("takahashi")
    for n in range(limits.FAILURES_PER_ACCOUNT):
        assert await _fail(town, "takahashi", address=f"10.0.0.{n}") == 1001
    await town.storage.close()
    town.storage = await open_storage(tmp_path / "data", town.clock)
    town.sign_in = SignIn(town.storage, town.tokens, [PasswordStep(town.passwords)])
    assert await _fail(town, "takahashi", address="10.0.1.1") == 1002


async def test_a_hundred_guesses_at_once_are_all_counted(town: Town) -> None:
    """Counted before the slow verification, or every one of them would find the counter empty."""
    await town.add_user("takahashi")
    flows = [await town.sign_in.start("midorino", "takahashi", "x", ZONE, f"10.0.0.{n}") for n in range(100)]
    outcomes = await asyncio.gather(
        *(town.sign_in.password(flow.flow or "", "ちがう", ZONE, f"10.0.0.{n}") for n, flow in enumerate(flows)),
        return_exceptions=True,
    )
    codes = [outcome.fault.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert codes.count(1001) == limits.FAILURES_PER_ACCOUNT
    assert codes.count(1002) == 100 - limits.FAILURES_PER_ACCOUNT


async def test_flows_from_one_address_are_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beginning costs an attacker nothing, and every flow is a row."""
    monkeypatch.setattr(throttle, "FLOWS_PER_ADDRESS", 5)
    for _ in range(5):
        await town.sign_in.start("nowhere", "nobody", "x", ZONE, ADDRESS)
    with pytest.raises(Problem) as problem:
        await town.sign_in.start("nowhere", "nobody", "x", ZONE, ADDRESS)
    assert code(problem) == 1002
    await town.sign_in.start("nowhere", "nobody", "x", ZONE, "10.0.0.1")
    row = await town.storage.read(lambda r: r.one("SELECT count(*) FROM sign_ins"))
    assert row is not None
    assert row[0] == 6


async def test_success_forgives_the_account_but_not_the_address(town: Town) -> None:
    """Else an attacker with an account of their own would sign in now and then and guess on for ever."""
    await town.add_user("takahashi")
    await town.add_user("attacker")
    for n in range(limits.FAILURES_PER_ADDRESS - 1):
        assert await _fail(town, f"guess{n}") == 1001
    await town.session("attacker")
    assert await _fail(town, "guess99") == 1001
    assert await _fail(town, "guess100") == 1002
    for n in range(limits.FAILURES_PER_ACCOUNT - 1):
        assert await _fail(town, "takahashi", address=f"10.0.0.{n}") == 1001
    await town.session("takahashi", address="10.0.1.1")
    assert await _fail(town, "takahashi", address="10.0.1.2") == 1001


async def test_a_clock_set_back_a_day_does_not_close_an_account_for_a_day(town: Town) -> None:
    await town.add_user("takahashi")
    for n in range(limits.FAILURES_PER_ACCOUNT):
        assert await _fail(town, "takahashi", address=f"10.0.0.{n}") == 1001
    town.clock.at -= limits.DAY
    await town.session("takahashi")


async def test_busy_passwords_are_not_failures(town: Town) -> None:
    await town.add_user("takahashi")
    town.passwords._bound = 0
    for _ in range(limits.FAILURES_PER_ACCOUNT + 1):
        assert await _fail(town, "takahashi") == 8001
    town.passwords._bound = 10
    await town.session("takahashi")


async def test_disabled_and_ended_accounts_answer_like_a_wrong_password(town: Town) -> None:
    user_id = await town.add_user("takahashi")
    await town.add_user("guest", kind="guest", ends_at=town.clock.at)
    await town.storage.write(lambda tx: people.disable(tx, town.org_id, user_id))
    for login in ("takahashi", "guest"):
        with pytest.raises(Problem) as problem:
            await town.session(login)
        assert code(problem) == 1001


async def test_disabled_during_the_verification(town: Town) -> None:
    """The proof must hold for the account as it is when the session begins."""
    user_id = await town.add_user("takahashi")
    real_verify = town.passwords.verify

    async def verify_then_disable(password_hash: str | None, password: str) -> bool:
        proved = await real_verify(password_hash, password)
        await town.storage.write(lambda tx: people.disable(tx, town.org_id, user_id))
        return proved

    town.passwords.verify = verify_then_disable  # type: ignore[method-assign]
    with pytest.raises(Problem) as problem:
        await town.session("takahashi")
    assert code(problem) == 1001

    async def devices(tx: Tx) -> int:
        row = await tx.one("SELECT count(*) FROM devices")
        assert row is not None
        return int(row[0])

    assert await town.storage.write(devices) == 0


async def test_a_password_changed_during_the_verification(town: Town) -> None:
    """Whoever changes a password that leaked must not let the thief in who is just being verified."""
    user_id = await town.add_user("takahashi")
    changed = await town.passwords.hash("べつの町の合言葉です")
    real_verify = town.passwords.verify

    async def verify_then_change(password_hash: str | None, password: str) -> bool:
        proved = await real_verify(password_hash, password)
        await town.storage.write(lambda tx: queries.set_password(tx, town.org_id, user_id, changed))
        return proved

    town.passwords.verify = verify_then_change  # type: ignore[method-assign]
    with pytest.raises(Problem) as problem:
        await town.session("takahashi")
    assert code(problem) == 1001


async def test_a_recycled_login_is_a_new_person(town: Town) -> None:
    """CVE-2021-32689: whoever is given an old login must not find the old one's session or messages."""
    old_id = await town.add_user("takahashi")
    old = await town.session("takahashi")
    await town.storage.write(lambda tx: people.disable(tx, town.org_id, old_id))
    new_id = await town.add_user("takahashi", password="あたらしいひとの言葉")
    new = await town.session("takahashi", "あたらしいひとの言葉")
    assert new_id != old_id
    assert new.user != old.user
    with pytest.raises(Problem) as problem:
        await town.session("takahashi", PASSWORD)
    assert code(problem) == 1001
    with pytest.raises(Problem) as problem:
        await town.actor(old)
    assert code(problem) == 6009


async def test_an_outdated_hash_is_renewed_at_sign_in(town: Town) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD.encode())
    user_id = await town.add_user("takahashi", password=None)
    await town.storage.write(lambda tx: tx.run("UPDATE users SET password_hash = ? WHERE id = ?", old, user_id))
    await town.session("takahashi")
    row = await town.storage.read(lambda r: r.one("SELECT password_hash FROM users WHERE id = ?", user_id))
    assert row is not None
    assert row[0] != old
    assert not town.passwords.outdated(row[0])
    await town.session("takahashi")


async def test_a_device_name_is_one_visible_line(town: Town) -> None:
    await town.add_user("takahashi")
    begun = await town.sign_in.start(
        "midorino", "takahashi", "悪い\r\nSet-Cookie: x\u202e\x00端末" + "長" * 200, ZONE, ADDRESS
    )
    assert begun.flow is not None
    await town.sign_in.password(begun.flow, PASSWORD, ZONE, ADDRESS)
    row = await town.storage.read(lambda r: r.one("SELECT name FROM devices"))
    assert row is not None
    assert row[0].startswith("悪い Set-Cookie: x端末") or row[0].startswith("悪いSet-Cookie: x端末")
    assert len(row[0]) == limits.NAME_CHARS
