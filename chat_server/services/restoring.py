"""After a restore: the data is that of an earlier time, and nothing may go on as if no time had passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chat_server.ports import Reader, Tx
from chat_server.services import (
    audit,
    epoch,
    handed_files,
    hook_deliveries,
    hooks,
    jobs,
    link_visits,
    outside_bots,
    quota,
    scheduling,
    upload_links,
)
from chat_server.services.authority import Operator
from chat_server.storage.queries import nodes, organizations, outbox, push_tokens, sessions, uploads

INTERNAL: Final = (jobs.DIRECTORY, jobs.CLOSED_SIDE)
"""Jobs that only put the data in order. Any other kind reaches somebody, who was told once already: it is parked."""
STEP: Final = 500
"""Parked jobs that a transaction discards: keeps the writer free (20 ms)."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`devices`: how many were signed in; `parked`: how many jobs were set aside."""

    epoch: str
    devices: int
    parked: int


@dataclass(frozen=True, slots=True)
class Parked:
    """Jobs of one kind. Times in UTC milliseconds."""

    organization: str
    kind: str
    count: int
    first_at: int
    last_at: int
    parked_at: int


async def restored(tx: Tx, snapshot: str = "") -> Restored:
    """Begin a new epoch: positions that clients hold may name other events than they did.

    Every session ends: one that was signed out since the copy was made (a lost phone) would be alive again; so do the
    tokens of bots that run elsewhere, the addresses of upload links, those by which devices are woken and the secrets that
    renew them, and webhooks are off. What waited to be told to somebody is parked, and what should have been sent by now
    (予約送信) stays with its author. All of it stands in every organization's audit trail, because the trail ends where the
    copy was made: a head that was noted later is missing in it.
    """
    devices = await sessions.end_everything(tx)
    await push_tokens.forget_all(tx)
    await outside_bots.end_tokens(tx)
    await hooks.close_all(tx)
    await upload_links.end_everything(tx)
    await handed_files.forget_all_coming(tx)
    await link_visits.end_all(tx)
    parked = await outbox.park(tx, INTERNAL)
    for org_id, user_id, size in await uploads.reserved(tx):
        await quota.give_back(tx, org_id, user_id, size)
    await uploads.remove_unfinished(tx)  # their bytes are not in a backup: clients begin anew
    await nodes.remove_silent(tx, tx.now + 1)  # of then; those that live now write themselves down again
    parked += await scheduling.set_aside(tx)
    parked += await hook_deliveries.set_aside(tx)
    new = await epoch.begin_anew(tx)
    detail = {"epoch": new, "devices": devices, "parked": parked} | ({"snapshot": snapshot} if snapshot else {})
    for one in await organizations.all_organizations(tx):
        await audit.record_by(tx, Operator(one.id), "server.restored", one.public_id, detail)
    return Restored(new, devices, parked)


async def parked_jobs(reader: Reader) -> list[Parked]:
    """What a restore set aside, by organization and kind."""
    return [Parked(*row) for row in await outbox.parked(reader)]


async def discard(tx: Tx) -> int:
    """One step; answers how many were discarded."""
    return await outbox.discard_parked(tx, STEP)
