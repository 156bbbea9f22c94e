"""Organizations: made by the operator alone."""

from __future__ import annotations

import re
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, ORGANIZATION_NOT_FOUND, ORGANIZATION_TAKEN, Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit
from chat_server.services.authority import Operator
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
    label = clean_label(name, limits.NAME_CHARS)
    if not label:
        raise Problem(
            INVALID_FIELD, field="name", reason=f"1–{limits.NAME_CHARS}文字 / 1–{limits.NAME_CHARS} characters"
        )
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
