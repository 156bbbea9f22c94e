"""The audit trail: a chain of rows, each written in the transaction of the act that it records.

Each row's hash is SHA-256 over the row and the hash before it, and the organization's row holds the head (seq, hash).
So an edited row, a removed row and a cut-off end are found by `verify`.

The hash is not keyed. A key would have to lie beside the rows, in the same file: whoever can rewrite the chain could
read it, and an auditor could no longer check an export without being given a secret. What the chain cannot show by
itself is a rewriting of *everything* from some row on, head included, by somebody who can write the database file.
That takes a witness: a head noted elsewhere (`renraku audit head`, a printout, the log of another machine), which
`verify` compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chat_server.ports import Reader, Tx
from chat_server.services.authority import Doer
from chat_server.storage.queries import audit as queries
from chat_server.storage.queries.audit import Entry

PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: what a witness notes."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `fault`: empty if the chain is whole, else edited, missing, truncated, head or witness."""

    rows: int
    head: Head
    fault: str = ""
    seq: int = 0
    """the first row that the fault concerns"""

    @property
    def ok(self) -> bool:
        return not self.fault


async def record(
    tx: Tx, org_id: int, actor: str, act: str, target: str, detail: Mapping[str, Any], zone: str, address: str
) -> int:
    """Add a row to the chain of `org_id`, within the act's own transaction; answers its seq.

    `actor` and `target` are public ids; `detail` is plain JSON and never holds message content, tokens or passwords.
    """
    seq, previous = await queries.take_position(tx, org_id)
    entry = Entry(seq, tx.now, actor, act, target, _canonical(detail), zone, address)
    digest = chain(previous, org_id, entry)
    await queries.insert(tx, org_id, entry, digest)
    await queries.move_head(tx, org_id, digest)
    return seq


async def record_by(tx: Tx, doer: Doer, act: str, target: str, detail: Mapping[str, Any] | None = None) -> int:
    """`record` in the name of `doer`, in their own organization."""
    return await record(tx, doer.org_id, doer.id, act, target, detail or {}, doer.zone, doer.address)


async def head(reader: Reader, org_id: int) -> Head:
    """The chain's end as the organization's row has it."""
    return Head(*await queries.head(reader, org_id))


async def verify(reader: Reader, org_id: int, witness: Head | None = None) -> Verdict:
    """Recompute the whole chain of `org_id`. `witness`: a head that was noted elsewhere at some earlier time."""
    stored = await head(reader, org_id)
    previous, last = "", 0
    while page := await queries.page(reader, org_id, last, PAGE):
        for entry, digest in page:
            if entry.seq != last + 1:
                return Verdict(last, stored, "missing", last + 1)
            if chain(previous, org_id, entry) != digest:
                return Verdict(last, stored, "edited", entry.seq)
            if witness is not None and entry.seq == witness.seq and digest != witness.hash:
                return Verdict(last, stored, "witness", entry.seq)
            previous, last = digest, entry.seq
    if last < stored.seq:
        return Verdict(last, stored, "truncated", last + 1)
    if (last, previous) != (stored.seq, stored.hash):
        return Verdict(last, stored, "head", last)
    if witness is not None and witness.seq > last:
        return Verdict(last, stored, "witness", last + 1)
    return Verdict(last, stored)


def chain(previous: str, org_id: int, entry: Entry) -> str:
    """The row's hash: hexadecimal SHA-256 of a JSON array, escaped to ASCII, so that a line break in a field stays
    inside its string. The organization is part of it: rows of one chain mean nothing in another."""
    fields = [
        previous, org_id, entry.seq, entry.at, entry.actor, entry.act,
        entry.target, entry.detail, entry.zone, entry.address,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode("ascii")).hexdigest()


def _canonical(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
