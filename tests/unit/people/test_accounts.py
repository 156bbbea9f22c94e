"""Accounts: who may change them, what a disabled one can still do (nothing), names, roles, passwords."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.ports import Value
from chat_server.services import accounts, audit, organizations, password_change, password_policy
from chat_server.services.accounts import Names, NewAccount
from chat_server.services.authority import Operator
from chat_server.services.labels import clean_label
from chat_server.storage.queries import people
from tests.unit.people.conftest import PASSWORD, Town, code


async def _add(town: Town, new: NewAccount, password: str | None = PASSWORD) -> str:
    hashed = await town.passwords.hash(password) if password else None
    return await town.storage.write(lambda tx: accounts.add(tx, Operator(town.org_id), new, hashed))


def _member(login: str = "takahashi", name: str = "高橋 健", reading: str = "タカハシ　けん") -> NewAccount:
    return NewAccount(login=login, name=name, reading=reading)


async def _value(town: Town, sql: str, *values: Value) -> object:
    row = await town.storage.read(lambda reader: reader.one(sql, *values))
    assert row is not None
    return row[0]


async def _change_own(town: Town, actor: Actor, old: str, new: str) -> None:
    proved = await password_change.prove_own(town.storage, town.passwords, actor, old, new)
    await town.storage.write(lambda tx: password_change.change_own(tx, actor, proved))


async def _problem(town: Town, use_case: object) -> Problem:
    with pytest.raises(Problem) as problem:
        await town.storage.write(use_case)  # type: ignore[arg-type]
    return problem.value


async def test_adding_a_member(town: Town) -> None:
    version = await _value(town, "SELECT directory_version FROM organizations")
    user = await _add(town, _member(" Ｔａｋａｈａｓｈｉ "))
    person = await town.storage.read(lambda r: people.by_public_id(r, town.org_id, user))
    assert person is not None
    assert (person.login, person.name, person.reading, person.kind) == (
        "takahashi",
        "高橋 健",
        "たかはし けん",
        "member",
    )
    assert await _value(town, "SELECT directory_version FROM organizations") == int(str(version)) + 1
    assert await _value(town, "SELECT count(*) FROM outbox WHERE kind = 'directory' AND org_id = ?", town.org_id) == 1
    assert await _value(town, "SELECT act FROM audit ORDER BY seq DESC LIMIT 1") == "person.add"
    await town.session("takahashi")


@pytest.mark.parametrize(
    ("new", "number", "field"),
    [
        (_member(login=""), 2001, "login"),
        (_member(login="-x"), 2001, "login"),
        (_member(login="高橋"), 2001, "login"),
        (_member(login="a" * 33), 2001, "login"),
        (_member(login="a b"), 2001, "login"),
        (_member(login="a\nb"), 2001, "login"),
        (_member(name=" "), 2001, "name"),
        (_member(name="\u202e\u200b"), 2001, "name"),
        (_member(name="あ" * 81), 2001, "name"),
        (_member(reading="高橋"), 2001, "reading"),
        (_member(reading=""), 2001, "reading"),
        (NewAccount(login="x", name="x", kind="operator"), 2001, "kind"),
        (NewAccount(login="x", name="x", kind="guest"), 2001, "ends_at"),
        (NewAccount(login="x", name="x", kind="guest", ends_at=1), 2001, "ends_at"),
        (NewAccount(login="x", name="x", kind="guest", ends_at=1 << 60), 6001, "sponsor"),
        (NewAccount(login="x", name="x", kind="guest", ends_at=1 << 60, sponsor="0" * 26), 6001, "sponsor"),
        (NewAccount(login="x", name="x", reading="x", ends_at=1 << 60), 2001, "reading"),
        (NewAccount(login="x", name="x", reading="え", ends_at=1 << 60), 2001, "ends_at"),
    ],
)
async def test_what_is_refused_and_leaves_nothing(town: Town, new: NewAccount, number: int, field: str) -> None:
    problem = await _problem(town, lambda tx: accounts.add(tx, Operator(town.org_id), new))
    assert (problem.fault.code, problem.field) == (number, field)
    assert await _value(town, "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM outbox)") == 0


async def test_a_login_is_taken_until_its_holder_is_disabled(town: Town) -> None:
    user = await _add(town, _member())
    problem = await _problem(town, lambda tx: accounts.add(tx, Operator(town.org_id), _member("TAKAHASHI")))
    assert (problem.fault.code, problem.params) == (6002, {"login": "takahashi"})
    await town.storage.write(lambda tx: accounts.disable(tx, Operator(town.org_id), user))
    other = await _add(town, _member())
    assert other != user
    problem = await _problem(town, lambda tx: accounts.enable(tx, Operator(town.org_id), user))
    assert problem.fault.code == 6002
    await town.storage.write(lambda tx: accounts.disable(tx, Operator(town.org_id), other))
    assert await town.storage.write(lambda tx: accounts.enable(tx, Operator(town.org_id), user))


async def test_a_guest_has_a_sponsor_who_is_there_and_an_end(town: Town) -> None:
    sponsor = await _add(town, _member())
    guest = NewAccount(login="v", name="業者 一郎", kind="guest", sponsor=sponsor, ends_at=town.clock.at + limits.DAY)
    user = await _add(town, guest)
    session = await town.session("v")
    town.clock.at += limits.DAY
    with pytest.raises(Problem) as problem:
        await town.session("v")
    assert code(problem) == 1001
    assert session.user == user
    operator = Operator(town.org_id)
    assert await town.storage.write(lambda tx: accounts.set_guest_end(tx, operator, user, town.clock.at + limits.DAY))
    await town.session("v")
    refused = await _problem(town, lambda tx: accounts.set_guest_end(tx, operator, sponsor, 1 << 60))
    assert (refused.fault.code, refused.field) == (2001, "ends_at")
    await town.storage.write(lambda tx: accounts.disable(tx, operator, sponsor))
    late = NewAccount(login="w", name="x", kind="guest", sponsor=sponsor, ends_at=1 << 60)
    refused = await _problem(town, lambda tx: accounts.add(tx, operator, late))
    assert (refused.fault.code, refused.field) == (2001, "sponsor")


async def test_a_bot_has_no_password(town: Town) -> None:
    user = await _add(town, NewAccount(login="bot", name="メモ帳", kind="bot"))
    with pytest.raises(Problem) as problem:
        await town.session("bot")
    assert code(problem) == 1001
    with pytest.raises(Problem) as problem:
        await password_change.set_for(town.storage, town.passwords, Operator(town.org_id), user, "とても長い合言葉です")
    assert (code(problem), problem.value.field) == (2001, "user")


async def test_disabling_ends_everything_at_once(town: Town) -> None:
    user = await _add(town, _member())
    one, two = await town.session("takahashi"), await town.session("takahashi")
    ids = {(await town.actor(session)).device_id for session in (one, two)}
    town.notes.clear()
    assert await town.storage.write(lambda tx: accounts.disable(tx, Operator(town.org_id), user))
    events = town.user_events()
    assert {event.revoked_device for event in events if event.revoked_device} == ids
    assert [event.disabled for event in events].count(True) == 1
    for session in (one, two):
        with pytest.raises(Problem) as problem:
            await town.actor(session)
        assert code(problem) == 6009
    assert await _value(town, "SELECT count(*) FROM refresh_tokens") == 0
    town.notes.clear()
    assert not await town.storage.write(lambda tx: accounts.disable(tx, Operator(town.org_id), user))
    assert town.notes == []
    assert await town.storage.write(lambda tx: accounts.enable(tx, Operator(town.org_id), user))
    with pytest.raises(Problem) as problem:  # enabled, yet the old devices stay signed out
        await town.actor(one)
    assert code(problem) == 1004
    await town.session("takahashi")


async def test_only_administrators_of_the_organization(town: Town) -> None:
    """security.md 16: somebody of another organization is not there; a plain member may nothing."""
    user = await _add(town, _member())
    await _add(town, _member("plain"))
    member = await town.actor(await town.session("plain"))
    elsewhere = Operator(await town.storage.write(lambda tx: organizations.create(tx, "other", "別の町")))
    rows = "SELECT name, login, disabled_at FROM users ORDER BY id"
    before = await town.storage.read(lambda reader: reader.all(rows))
    for who, number in ((member, 2008), (elsewhere, 6001)):
        for use_case in (
            partial(accounts.disable, who=who, user=user),
            partial(accounts.enable, who=who, user=user),
            partial(accounts.rename, who=who, user=user, names=Names(name="別人")),
            partial(accounts.grant, who=who, user=user, role="auditor"),
            partial(accounts.withdraw, who=who, user=user, role="auditor"),
            partial(accounts.set_guest_end, who=who, user=user, ends_at=1),
        ):
            assert (await _problem(town, use_case)).fault.code == number
        with pytest.raises(Problem) as problem:
            await password_change.set_for(town.storage, town.passwords, who, user, "とても長い合言葉です")
        assert code(problem) == number
    problem_ = await _problem(town, lambda tx: accounts.add(tx, member, _member("new")))
    assert problem_.fault.code == 2008
    assert await town.storage.read(lambda reader: reader.all(rows)) == before
    await town.session("takahashi")


async def test_an_administrator_by_role_may(town: Town) -> None:
    user = await _add(town, _member())
    chief_id = await _add(town, _member("chief"))
    await town.storage.write(lambda tx: accounts.grant(tx, Operator(town.org_id), chief_id, "organization_admin"))
    chief = await town.actor(await town.session("chief"))
    assert await town.storage.write(lambda tx: accounts.disable(tx, chief, user))
    row = await town.storage.read(lambda r: r.one("SELECT actor, target, zone FROM audit ORDER BY seq DESC LIMIT 1"))
    assert row is not None
    assert tuple(row) == (chief.id, user, chief.zone)
    assert (await town.storage.read(lambda r: audit.verify(r, town.org_id))).ok


async def test_a_new_family_name_keeps_the_old_one(town: Town) -> None:
    user = await _add(town, _member())
    operator = Operator(town.org_id)

    async def rename(names: Names) -> tuple[str, str, str | None]:
        await town.storage.write(lambda tx: accounts.rename(tx, operator, user, names))
        person = await town.storage.read(lambda r: people.by_public_id(r, town.org_id, user))
        assert person is not None
        return person.name, person.reading, person.former_name

    assert await rename(Names(name="高橋 健一")) == ("高橋 健一", "たかはし けん", None)
    assert await rename(Names(name="田中 健一", reading="ﾀﾅｶ ｹﾝｲﾁ")) == ("田中 健一", "たなか けんいち", "高橋")
    assert await rename(Names(former_name="")) == ("田中 健一", "たなか けんいち", None)
    assert await rename(Names(name="髙田　健一", former_name="髙橋")) == ("髙田 健一", "たなか けんいち", "髙橋")
    town.notes.clear()
    assert not await town.storage.write(lambda tx: accounts.rename(tx, operator, user, Names(name="髙田 健一")))
    assert town.notes == []


async def test_roles(town: Town) -> None:
    user = await _add(town, _member())
    operator = Operator(town.org_id)
    assert await town.storage.write(lambda tx: accounts.grant(tx, operator, user, "auditor"))
    assert not await town.storage.write(lambda tx: accounts.grant(tx, operator, user, "auditor"))
    for role, department, field in [
        ("operator", None, "role"),
        ("", None, "role"),
        ("department_admin", None, "department"),
        ("auditor", "100", "department"),
    ]:
        refused = await _problem(
            town, partial(accounts.grant, who=operator, user=user, role=role, department=department)
        )
        assert (refused.fault.code, refused.field) == (2001, field)
    refused = await _problem(town, lambda tx: accounts.grant(tx, operator, user, "department_admin", "999"))
    assert refused.fault.code == 6008
    assert await town.storage.write(lambda tx: accounts.withdraw(tx, operator, user, "auditor"))
    assert (await town.actor(await town.session("takahashi"))).roles == frozenset()


async def test_changing_ones_own_password_signs_out_the_other_devices(town: Town) -> None:
    await _add(town, _member())
    here, there = await town.session("takahashi"), await town.session("takahashi")
    actor = await town.actor(here)
    await _change_own(town, actor, PASSWORD, "あたらしい町の合言葉")
    await town.actor(here)
    with pytest.raises(Problem) as problem:
        await town.actor(there)
    assert code(problem) == 1004
    with pytest.raises(Problem) as problem:
        await town.session("takahashi")
    assert code(problem) == 1001
    await town.session("takahashi", "あたらしい町の合言葉")


async def test_a_wrong_old_password_is_refused_and_throttled(town: Town) -> None:
    await _add(town, _member())
    session = await town.session("takahashi")
    actor = await town.actor(session)

    async def attempt(old: str) -> int:
        with pytest.raises(Problem) as problem:
            await _change_own(town, actor, old, "あたらしい町の合言葉")
        return code(problem)

    for _ in range(limits.FAILURES_PER_ACCOUNT):
        assert await attempt("ちがう言葉") == 1009
    assert await attempt(PASSWORD) == 1002
    town.clock.at += limits.FAILURE_WINDOW
    await _change_own(town, actor, PASSWORD, "あたらしい町の合言葉")


async def test_a_password_that_was_reset_meanwhile_stays_reset(town: Town) -> None:
    """An administrator resets a leaked password while whoever stole it is changing it."""
    user = await _add(town, _member())
    actor = await town.actor(await town.session("takahashi"))
    real_hash = town.passwords.hash

    async def hash_then_reset(password: str) -> str:
        town.passwords.hash = real_hash  # type: ignore[method-assign]
        await password_change.set_for(town.storage, town.passwords, Operator(town.org_id), user, "べつの町の合言葉です")
        return await real_hash(password)

    town.passwords.hash = hash_then_reset  # type: ignore[method-assign]
    with pytest.raises(Problem) as problem:
        await _change_own(town, actor, PASSWORD, "ぬすんだ人の合言葉です")
    assert code(problem) == 1009
    await town.session("takahashi", "べつの町の合言葉です")


async def test_an_administrator_sets_a_password(town: Town) -> None:
    user = await _add(town, _member(), password=None)
    operator = Operator(town.org_id)
    with pytest.raises(Problem) as problem:
        await password_change.set_for(town.storage, town.passwords, operator, user, "short")
    assert (code(problem), problem.value.field) == (6003, "password")
    await password_change.set_for(town.storage, town.passwords, operator, user, PASSWORD)
    session = await town.session("takahashi")
    await password_change.set_for(town.storage, town.passwords, operator, user, "べつの町の合言葉です")
    with pytest.raises(Problem) as problem:
        await town.actor(session)
    assert code(problem) == 1004


@pytest.mark.parametrize(
    "password",
    [
        "", "short", "123456789", "1234567890", "0987654321", "password123", "PassWord2026!", "ｐａｓｓｗｏｒｄ１２３",
        "P@ssw0rd123", "qwertyuiop", "asdfghjkl;123", "aaaaaaaaaaaa", "abababababab", "takahashi1", "takahashitakahashi",
        "midorino2026", "takahashi-midorino", "sakura123456", "1qaz2wsx3edc", "あいうえおかきくけこ", "パスワードパスワード",
        "x1" * 2_000,
    ],
)  # fmt: skip
def test_weak_passwords(password: str) -> None:
    with pytest.raises(Problem) as problem:
        password_policy.check(password, "takahashi", "midorino")
    assert code(problem) == 6003


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse battery", "takahashi likes rain", "9f3kQ-zz81x", "雨の日は早く帰る町役場", "x" * 3 + "yzQ8-kk1"]
)  # fmt: skip
def test_strong_passwords(password: str) -> None:
    password_policy.check(password, "takahashi", "midorino")


@given(st.text(max_size=60))
@settings(deadline=None)
def test_labels_are_one_visible_line(text: str) -> None:
    label = clean_label(text, 40)
    assert len(label) <= 40
    assert label == label.strip()
    assert len(label.splitlines()) <= 1
    assert not set(label) & set("\u202a\u202e\u2066\u200b\x00\x1b")
    assert clean_label(label, 40) == label


def test_names_keep_their_code_points() -> None:
    for name in ("髙橋 﨑", "塚本 隆", "葛󠄀城 辻", "\ue000外 字"):
        assert clean_label(name, 40) == name


async def test_organizations(town: Town) -> None:
    for text, number, field in [("", 2001, "code"), ("みどり", 2001, "code"), ("Midorino", 6007, "code")]:
        refused = await _problem(town, partial(organizations.create, code=text, name="x"))
        assert (refused.fault.code, refused.field) == (number, field)
    assert (await _problem(town, lambda tx: organizations.create(tx, "new", " "))).field == "name"
    org_id = await town.storage.write(lambda tx: organizations.create(tx, " ＮＥＷ ", "新しい町"))
    found = await town.storage.read(lambda r: organizations.find(r, "new"))
    assert (found.id, found.name) == (org_id, "新しい町")
    with pytest.raises(Problem) as problem:
        await town.storage.read(lambda r: organizations.find(r, "none"))
    assert code(problem) == 6004


async def test_the_actor_type_is_an_administrator_only_by_role(town: Town) -> None:
    actor = Actor(1, town.org_id, 1, "u", "d", "member", "n", "z", "a", frozenset({"department_admin", "auditor"}))
    assert (await _problem(town, lambda tx: accounts.add(tx, actor, _member()))).fault.code == 2008
