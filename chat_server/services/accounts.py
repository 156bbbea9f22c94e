"""Accounts: members, guests and bots come, change their names, get roles, go.

Every act here belongs to organization administrators and the operator (names also to department administrators), is on
record, and is a new version of the directory. An account is disabled, never deleted: its messages keep their author. Whoever is given its login later is
another account.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import BOT, DEPARTMENT_ADMIN, GUEST, MEMBER, ROLES, Actor
from chat_server.domain.errors import (
    DEPARTMENT_NOT_FOUND,
    INVALID_FIELD,
    LOGIN_TAKEN,
    OWN_ACCOUNT,
    PERSON_NOT_FOUND,
    Problem,
)
from chat_server.domain.ids import is_id, new_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit, devices, directory, kana, own_stream
from chat_server.services.actors import in_good_standing
from chat_server.services.authority import Administrator, require_administrator, require_administrator_of
from chat_server.services.labels import clean_label
from chat_server.services.throttle import fold
from chat_server.storage.queries import departments, people
from chat_server.storage.queries.people import NewUser, Person

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
LOGIN_RULE: Final = (
    "1〜32文字の英小文字・数字・._-(先頭は英数字) / 1–32 of a–z 0–9 . _ -, beginning with a letter or digit"
)
FORMER_CHARS: Final = limits.NAME_CHARS


class NewAccount(msgspec.Struct, frozen=True):
    """Somebody to be. Guests need `sponsor` (public id of a member) and `ends_at`; `reading` is needed of members."""

    login: str
    name: str
    kind: str = MEMBER
    reading: str = ""
    former_name: str | None = None
    sponsor: str | None = None
    ends_at: int | None = None


async def add(tx: Tx, who: Administrator, new: NewAccount, password_hash: str | None = None) -> str:
    """A new account; answers its public id. Raises `Problem` 2008, 2001, 6001 (sponsor), 6002."""
    require_administrator(who)
    public_id, _ = await add_quietly(tx, who, new, password_hash)
    await directory.changed(tx, who.org_id)
    return public_id


async def add_quietly(tx: Tx, who: Administrator, new: NewAccount, password_hash: str | None = None) -> tuple[str, int]:
    """The same for one of many; the caller makes the directory's new version. Answers (public id, integer key)."""
    if new.kind not in (MEMBER, GUEST, BOT):
        raise Problem(INVALID_FIELD, field="kind", reason="member, guest, bot")
    login = clean_login(new.login)
    name = clean_name(new.name)
    reading = kana.reading(new.reading) if new.reading.strip() or new.kind == MEMBER else ""
    former = clean_label(new.former_name or "", FORMER_CHARS) or None
    sponsor_id, ends_at = await _answered_for(tx, who, new)
    if await people.login_holder(tx, who.org_id, login) is not None:
        raise Problem(LOGIN_TAKEN, field="login", login=login)
    public_id = new_id(tx.now)
    row = NewUser(
        public_id, who.org_id, new.kind, login, name, reading, former,
        None if new.kind == BOT else password_hash, sponsor_id, ends_at,
    )  # fmt: skip
    user_id = await people.insert(tx, row)
    await audit.record_by(tx, who, "person.add", public_id, {"kind": new.kind, "login": login})
    return public_id, user_id


async def _answered_for(tx: Tx, who: Administrator, new: NewAccount) -> tuple[int | None, int | None]:
    if new.kind != GUEST:
        if new.sponsor is not None or new.ends_at is not None:
            field = "sponsor" if new.sponsor is not None else "ends_at"
            raise Problem(INVALID_FIELD, field=field, reason="ゲストだけの項目です / for guests only")
        return None, None
    if new.ends_at is None or new.ends_at <= tx.now:
        raise Problem(
            INVALID_FIELD, field="ends_at", reason="ゲストには今より先の終了日が必要です / a guest needs an end to come"
        )
    sponsor = await find(tx, who, new.sponsor or "", field="sponsor")
    if sponsor.kind != MEMBER or sponsor.disabled_at is not None:
        raise Problem(INVALID_FIELD, field="sponsor", reason="在籍中の職員を指定してください / name a present member")
    return sponsor.user_id, new.ends_at


async def disable(tx: Tx, who: Administrator, user: str) -> bool:
    """Nothing of theirs works from here on: sessions, sockets (at once, by the user stream), file addresses, sign-in.

    False if it was so already. Raises `Problem` 2008, 6001, 6013.
    """
    require_administrator(who)
    person = await find(tx, who, user)
    if not await disable_quietly(tx, who, person):
        return False
    await directory.changed(tx, who.org_id)
    return True


async def disable_quietly(tx: Tx, who: Administrator, person: Person) -> bool:
    """The same for one of many; the caller makes the directory's new version.

    Nobody disables themselves: who acts is an administrator now, in this transaction, and stays one, so an organization is never
    left without. The operator may: `renraku user roles` makes another.
    """
    require_not_own(who, person.user_id)
    if not await people.disable(tx, person.org_id, person.user_id):
        return False
    # First: a socket is told why it closes by the first event that closes it.
    await own_stream.append(tx, person.user_id, person.org_id, "devices", {}, disabled=True)
    await devices.end_all(tx, person.user_id, person.org_id)
    await audit.record_by(tx, who, "person.disable", person.id)
    return True


def require_not_own(who: Administrator, user_id: int) -> None:
    """Raises `Problem` 6013."""
    if isinstance(who, Actor) and who.user_id == user_id:
        raise Problem(OWN_ACCOUNT, field="user")


async def enable(tx: Tx, who: Administrator, user: str) -> bool:
    """Back again, with the old rooms and messages; devices sign in anew. Raises `Problem` 2008, 6001, 6002."""
    require_administrator(who)
    person = await find(tx, who, user)
    if not await enable_quietly(tx, who, person):
        return False
    await directory.changed(tx, who.org_id)
    return True


async def enable_quietly(tx: Tx, who: Administrator, person: Person) -> bool:
    """The same for one of many. Raises `Problem` 6002: somebody else has the login now."""
    if person.disabled_at is None:
        return False
    if await people.login_holder(tx, person.org_id, person.login) is not None:
        raise Problem(LOGIN_TAKEN, field="login", login=person.login)
    await people.enable(tx, person.org_id, person.user_id)
    await audit.record_by(tx, who, "person.enable", person.id)
    return True


class Names(msgspec.Struct, frozen=True):
    """What of a name changes; None leaves it."""

    name: str | None = None
    reading: str | None = None
    former_name: str | None = None


async def rename(tx: Tx, who: Administrator, user: str, names: Names) -> bool:
    """A new name. Where the family name changes and no former one is given, the old one is kept as 旧姓, so that
    people who knew it still find the person. Department administrators do this in their own section, and nothing else.
    False if nothing changed. Raises `Problem` 2008, 6001, 2001."""
    person = await find(tx, who, user)
    await require_administrator_of(tx, who, person)
    if not await rename_quietly(tx, who, person, names):
        return False
    await directory.changed(tx, who.org_id)
    return True


async def rename_quietly(tx: Tx, who: Administrator, person: Person, names: Names) -> bool:
    """The same for one of many; the caller makes the directory's new version."""
    name = person.name if names.name is None else clean_name(names.name)
    reading = person.reading if names.reading is None else kana.reading(names.reading)
    if names.former_name is not None:
        former = clean_label(names.former_name, FORMER_CHARS) or None
    else:
        former = person.former_name
        # 浜崎 written as 濵﨑 from now on is the same name, put right.
        if kana.plain_kanji(_family(name)) != kana.plain_kanji(_family(person.name)):
            former = _family(person.name)
    if (name, reading, former) == (person.name, person.reading, person.former_name):
        return False
    await people.set_names(tx, person.org_id, person.user_id, name, reading, former)
    await own_stream.append(tx, person.user_id, person.org_id, "profile", {})
    await audit.record_by(tx, who, "person.rename", person.id, {"from": person.name, "to": name})
    return True


def _family(name: str) -> str:
    return name.split(" ", 1)[0]


async def set_guest_end(tx: Tx, who: Administrator, user: str, ends_at: int) -> bool:
    """A guest stays longer or shorter; their open sockets end with them. Raises `Problem` 2008, 6001, 2001."""
    require_administrator(who)
    person = await find(tx, who, user)
    if person.kind != GUEST:
        raise Problem(INVALID_FIELD, field="ends_at", reason="ゲストだけの項目です / for guests only")
    if ends_at == person.ends_at:
        return False
    await people.set_end(tx, person.org_id, person.user_id, ends_at)
    over = not in_good_standing(None, ends_at, tx.now)
    await own_stream.append(tx, person.user_id, person.org_id, "profile", {}, disabled=over, not_after=ends_at)
    await audit.record_by(tx, who, "person.guest_end", person.id, {"from": person.ends_at, "to": ends_at})
    await directory.changed(tx, who.org_id)
    return True


async def grant(tx: Tx, who: Administrator, user: str, role: str, department: str | None = None) -> bool:
    """Give a role; `department` (code) for department administrators alone. Raises `Problem` 2008, 6001, 6008, 2001."""
    return await _set_role(tx, who, user, role, department, on=True)


async def withdraw(tx: Tx, who: Administrator, user: str, role: str, department: str | None = None) -> bool:
    """Take a role back."""
    return await _set_role(tx, who, user, role, department, on=False)


async def _set_role(tx: Tx, who: Administrator, user: str, role: str, department: str | None, *, on: bool) -> bool:
    require_administrator(who)
    person = await find(tx, who, user)
    if role not in ROLES:
        raise Problem(INVALID_FIELD, field="role", reason=", ".join(ROLES))
    if person.kind != MEMBER:
        raise Problem(INVALID_FIELD, field="role", reason="職員だけが役割を持てます / only members hold roles")
    if (role == DEPARTMENT_ADMIN) != (department is not None):
        raise Problem(
            INVALID_FIELD,
            field="department",
            reason="所属管理者にだけ所属コードが必要です / for department_admin, and only for it",
        )
    department_id = 0
    if department is not None:
        found = await departments.by_code(tx, who.org_id, department)
        if found is None:
            raise Problem(DEPARTMENT_NOT_FOUND, field="department", department=department)
        department_id = found.id
    change = people.grant if on else people.withdraw
    if not await change(tx, person.org_id, person.user_id, role, department_id):
        return False
    detail: dict[str, Any] = {"role": role} | ({"department": department} if department else {})
    await audit.record_by(tx, who, "role.grant" if on else "role.withdraw", person.id, detail)
    await own_stream.append(tx, person.user_id, person.org_id, "profile", {})
    return True


async def find(reader: Reader, who: Administrator, user: str, field: str = "user") -> Person:
    """Somebody of the administrator's own organization, by public id. Raises `Problem` 6001."""
    person = await people.by_public_id(reader, who.org_id, user) if is_id(user) else None
    if person is None:
        raise Problem(PERSON_NOT_FOUND, field=field)
    return person


def clean_login(login: str) -> str:
    """A login as it is stored. Raises `Problem` 2001."""
    folded = fold(login)
    if not LOGIN.fullmatch(folded):
        raise Problem(INVALID_FIELD, field="login", reason=LOGIN_RULE)
    return folded


def clean_name(name: str) -> str:
    """A name as it is kept. Raises `Problem` 2001."""
    cleaned = clean_label(name, limits.NAME_CHARS + 1)
    if not 1 <= len(cleaned) <= limits.NAME_CHARS:
        raise Problem(
            INVALID_FIELD, field="name", reason=f"1–{limits.NAME_CHARS}文字 / 1–{limits.NAME_CHARS} characters"
        )
    return cleaned
