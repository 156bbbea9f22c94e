"""The operator's acts on organizations, keys, the audit chain, backups and restored copies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, Literal

import msgspec

from chat_server.ports import Reader, Tx
from chat_server.services import audit, backups, nodes, organizations, restoring
from chat_server.services import keys as key_service
from chat_server.services.audit import Head
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.storage.queries import organizations as queries


class NewOrganization(msgspec.Struct, frozen=True):
    """`code` is what people type when signing in."""

    code: str
    name: str


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Which(msgspec.Struct, frozen=True):
    organization: str


class Rules(msgspec.Struct, frozen=True):
    """`policy`: the rules to change; None is the default again."""

    organization: str
    policy: dict[str, str | None] = {}


class Verify(msgspec.Struct, frozen=True):
    """`seq` and `hash`: a head that was noted elsewhere."""

    organization: str
    seq: int | None = None
    hash: str | None = None


class Rotate(msgspec.Struct, frozen=True):
    """`at_once`: the old key leaked; what it signed no longer holds."""

    purpose: Literal["token", "file"]
    at_once: bool = False


async def add_organization(deps: Deps, asked: NewOrganization) -> Wire:
    """Raises `Problem` 2001, 6007."""

    async def use_case(tx: Tx) -> Wire:
        org_id = await organizations.create(tx, asked.code, asked.name)
        found = await queries.by_id(tx, org_id)
        assert found is not None
        return {"id": found.public_id, "code": found.code, "name": found.name}

    return await deps.storage.write(use_case)


async def list_organizations(deps: Deps, asked: Nothing) -> Wire:
    """By code, with the number of people who are not disabled."""

    async def use_case(reader: Reader) -> list[Wire]:
        people = await queries.people_count(reader)
        return [
            {"id": one.public_id, "code": one.code, "name": one.name, "people": people.get(one.id, 0)}
            for one in await queries.all_organizations(reader)
        ]

    return {"organizations": await deps.storage.read(use_case)}


async def organization_policy(deps: Deps, asked: Rules) -> Wire:
    """`{policy}` as it is then. Raises `Problem` 6004, 2001."""

    async def show(reader: Reader) -> Wire:
        who = Operator((await organizations.find(reader, asked.organization)).id)
        return {"policy": (await organizations.describe(reader, who))["policy"]}

    async def change(tx: Tx) -> Wire:
        found = await organizations.find(tx, asked.organization)
        await organizations.set_policy(tx, Operator(found.id), asked.policy)
        return await show(tx)

    return await (deps.storage.write(change) if asked.policy else deps.storage.read(show))


async def rotate_keys(deps: Deps, asked: Rotate) -> Wire:
    """Answers the new key's id."""
    return {"kid": await key_service.rotate(deps.storage, deps.keys, asked.purpose, at_once=asked.at_once)}


async def restored(deps: Deps, asked: Nothing) -> Wire:
    """Answers `{epoch, devices, parked}`."""
    return asdict(await deps.storage.write(restoring.restored))


async def hold_for_backup(deps: Deps, asked: Nothing) -> Wire:
    """`{until}`: no file is removed before then."""
    return {"until": await deps.storage.write(backups.hold)}


async def parked(deps: Deps, asked: Nothing) -> Wire:
    """`{parked}`: jobs that a restore set aside, by organization and kind."""
    return {"parked": [asdict(one) for one in await deps.storage.read(restoring.parked_jobs)]}


async def discard_parked(deps: Deps, asked: Nothing) -> Wire:
    """`{discarded}`: how many."""
    discarded = 0
    while step := await deps.storage.write(restoring.discard):
        discarded += step
    return {"discarded": discarded}


async def list_nodes(deps: Deps, asked: Nothing) -> Wire:
    """`{nodes: [{name, release, leads, started_at, seen_at}], now}`; none where one process owns the database."""

    async def use_case(reader: Reader) -> Wire:
        return {"nodes": await nodes.listed(reader), "now": reader.now}

    return await deps.storage.read(use_case)


async def audit_head(deps: Deps, asked: Which) -> Wire:
    """`{seq, hash}`: what a witness notes. Raises `Problem` 6004."""

    async def use_case(reader: Reader) -> Head:
        return await audit.head(reader, (await organizations.find(reader, asked.organization)).id)

    found = await deps.storage.read(use_case)
    return {"seq": found.seq, "hash": found.hash}


async def verify_audit(deps: Deps, asked: Verify) -> Wire:
    """`{ok, rows, fault, seq, head}`. Raises `Problem` 6004."""
    witness = Head(asked.seq, asked.hash) if asked.seq is not None and asked.hash is not None else None

    async def use_case(reader: Reader) -> audit.Verdict:
        return await audit.verify(reader, (await organizations.find(reader, asked.organization)).id, witness)

    found = await deps.storage.read(use_case)
    return {
        "ok": found.ok,
        "rows": found.rows,
        "fault": found.fault,
        "seq": found.seq,
        "head": {"seq": found.head.seq, "hash": found.head.hash},
    }


OPERATIONS: Final[dict[str, Operation]] = {
    "organization.add": operation(NewOrganization, add_organization),
    "organization.list": operation(Nothing, list_organizations),
    "organization.policy": operation(Rules, organization_policy),
    "keys.rotate": operation(Rotate, rotate_keys),
    "server.nodes": operation(Nothing, list_nodes),
    "server.restored": operation(Nothing, restored),
    "backup.hold": operation(Nothing, hold_for_backup),
    "outbox.parked": operation(Nothing, parked),
    "outbox.discard": operation(Nothing, discard_parked),
    "audit.head": operation(Which, audit_head),
    "audit.verify": operation(Verify, verify_audit),
}
