"""Organizations: made by the operator alone; named and ruled by their administrators too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, ORGANIZATION_NOT_FOUND, ORGANIZATION_TAKEN, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.policy import RULES, policy_of
from chat_server.ports import Reader, Tx
from chat_server.services import audit, directory
from chat_server.services.authority import Administrator, Operator, require_administrator
from chat_server.services.labels import clean_label
from chat_server.services.throttle import fold
from chat_server.storage.queries import organizations as queries
from chat_server.storage.queries.organizations import Organization

CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


async def create(tx: Tx, code: str, name: str) -> int:
    """A new organization; answers its integer key. `code` is what people type when signing in. Raises `Problem` 2001,
    6007."""
    folded = fold(code)
    if not CODE.fullmatch(folded):
        raise Problem(
            INVALID_FIELD,
            field="code",
            reason="1〜32文字の英小文字・数字・- / 1–32 of a–z 0–9 -, beginning with a letter or digit",
        )
    label = _name(name)
    if await queries.by_code(tx, folded) is not None:
        raise Problem(ORGANIZATION_TAKEN, field="code", organization=folded)
    public_id = new_id(tx.now)
    org_id = await queries.insert(tx, public_id, folded, label)
    await audit.record_by(tx, Operator(org_id), "organization.create", public_id, {"code": folded})
    return org_id


async def find(reader: Reader, code: str) -> Organization:
    """By the code that people sign in with. Raises `Problem` 6004."""
    found = await queries.by_code(reader, fold(code))
    if found is None:
        raise Problem(ORGANIZATION_NOT_FOUND, field="organization", organization=code[: limits.NAME_CHARS])
    return found


async def describe(reader: Reader, who: Administrator) -> dict[str, Any]:
    """`{id, code, name, policy}` of one's own; `policy` as it holds, defaults filled in. Raises `Problem` 2008."""
    require_administrator(who)
    found = await queries.by_id(reader, who.org_id)
    assert found is not None
    policy = await queries.policy(reader, who.org_id)
    return {"id": found.public_id, "code": found.code, "name": found.name, "policy": asdict(policy)}


async def rename(tx: Tx, who: Administrator, name: str) -> bool:
    """A new name, which the directory tells everybody. False if it is the old one. Raises `Problem` 2008, 2001."""
    require_administrator(who)
    label = _name(name)
    found = await queries.by_id(tx, who.org_id)
    assert found is not None
    if label == found.name:
        return False
    await queries.set_name(tx, who.org_id, label)
    await audit.record_by(tx, who, "organization.rename", found.public_id, {"from": found.name, "to": label})
    await directory.changed(tx, who.org_id)
    return True


async def set_policy(tx: Tx, who: Administrator, wanted: Mapping[str, str | None]) -> bool:
    """Change the rules in `wanted`; None: the default again, whatever a later version makes of it. All or none.

    False if they stood like that. Raises `Problem` 2008, 2001 (a rule or a value that there is not).
    """
    require_administrator(who)
    before = await queries.own_rules(tx, who.org_id)
    after = before | {rule: _checked(rule, value) for rule, value in wanted.items()}
    after = {rule: value for rule, value in after.items() if value is not None}
    if after == before:
        return False
    await queries.set_own_rules(tx, who.org_id, after)
    found = await queries.by_id(tx, who.org_id)
    assert found is not None
    old, new = asdict(policy_of(before)), asdict(policy_of(after))
    detail = {rule: {"from": old[rule], "to": new[rule]} for rule in wanted if before.get(rule) != after.get(rule)}
    await audit.record_by(tx, who, "organization.policy", found.public_id, detail)
    return True


def _checked(rule: str, value: str | None) -> str | None:
    if rule not in RULES:
        raise Problem(INVALID_FIELD, field="policy", reason=", ".join(RULES))
    if value is not None and value not in RULES[rule]:
        raise Problem(INVALID_FIELD, field=f"policy.{rule}", reason=", ".join(RULES[rule]))
    return value


def _name(name: str) -> str:
    label = clean_label(name, limits.NAME_CHARS)
    if not label:
        raise Problem(
            INVALID_FIELD, field="name", reason=f"1–{limits.NAME_CHARS}文字 / 1–{limits.NAME_CHARS} characters"
        )
    return label
