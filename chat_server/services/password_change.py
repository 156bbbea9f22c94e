"""Changing passwords. Hashing is slow and stays outside transactions: read, hash, then check again and write."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import INVALID_FIELD, PASSWORD_WRONG, TOKEN_INVALID, Problem
from chat_server.ports import Passwords, Reader, Storage, Tx
from chat_server.services import accounts, audit, devices, password_policy, throttle
from chat_server.services.authority import Administrator, require_administrator
from chat_server.storage.queries import organizations
from chat_server.storage.queries import sign_in as queries
from chat_server.storage.queries.people import Person


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody knew their old password, whose hash was `old_hash`; `counter` counted this attempt."""

    counter: throttle.Counter
    old_hash: str | None = field(repr=False)
    new_hash: str = field(repr=False)


async def prove_own(storage: Storage, passwords: Passwords, actor: Actor, old: str, new: str) -> Proved:
    """The slow half of changing one's own, knowing the old one.

    Raises `Problem` 6003, 1009, 1002 (whoever finds an unlocked desk may not guess for ever), 8001.
    """

    async def attempt(tx: Tx) -> tuple[queries.Account, throttle.Counter]:
        account, code = await _account(tx, actor.org_id, actor.user_id)
        password_policy.check(new, account.login, code, field="new")
        counter = throttle.account(code, account.login)
        await throttle.count(tx, [counter])
        return account, counter

    account, counter = await storage.write(attempt, org_id=actor.org_id)
    try:
        proved = await passwords.verify(account.password_hash, old)
        new_hash = await passwords.hash(new) if proved else ""
    except Problem:
        await storage.write(lambda tx: throttle.give_back(tx, [counter]), org_id=actor.org_id)
        raise
    if not proved:
        raise Problem(PASSWORD_WRONG, field="old")
    return Proved(counter, account.password_hash, new_hash)


async def change_own(tx: Tx, actor: Actor, proved: Proved) -> None:
    """The new one takes its place; the other devices are signed out. Raises `Problem` 1009: it was reset meanwhile."""
    account, _ = await _account(tx, actor.org_id, actor.user_id)
    if account.password_hash != proved.old_hash:
        raise Problem(PASSWORD_WRONG, field="old")
    await throttle.reset(tx, proved.counter)
    await _set(tx, actor, actor.user_id, actor.id, proved.new_hash, but=actor.device_id)


async def set_for(storage: Storage, passwords: Passwords, who: Administrator, user: str, new: str) -> None:
    """Somebody else's, by an administrator; all their devices are signed out. Raises `Problem` 2008, 6001, 6003, 8001,
    2001 (bots have tokens, no passwords)."""
    require_administrator(who)

    async def check(reader: Reader) -> Person:
        person = await accounts.find(reader, who, user)
        if person.kind == BOT:
            raise Problem(INVALID_FIELD, field="user", reason="ボットにパスワードはありません / bots have no passwords")
        organization = await organizations.by_id(reader, who.org_id)
        password_policy.check(new, person.login, organization.code if organization else "")
        return person

    person = await storage.read(check)
    new_hash = await passwords.hash(new)
    await storage.write(lambda tx: _set(tx, who, person.user_id, person.id, new_hash, but=None), org_id=who.org_id)


async def _set(tx: Tx, who: Administrator, user_id: int, user: str, new_hash: str, *, but: int | None) -> None:
    await queries.set_password(tx, who.org_id, user_id, new_hash)
    ended = await devices.end_all(tx, user_id, who.org_id, but=but)
    await audit.record_by(tx, who, "password.set", user, {"signed_out": ended})


async def _account(reader: Reader, org_id: int, user_id: int) -> tuple[queries.Account, str]:
    account = await queries.account(reader, org_id, user_id)
    organization = await organizations.by_id(reader, org_id)
    if account is None or organization is None:
        raise Problem(TOKEN_INVALID)
    return account, organization.code
