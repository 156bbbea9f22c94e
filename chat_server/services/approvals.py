"""Files that are handed over as they came, once a second person has approved of it: held, decided, lapsed.

Until then nobody reads them. What came by a link lies encrypted in quarantine, and goes on to the disarming, which opens and delivers
it; what a colleague sent lies where it lay, and is readable further in (`domain.zones.PASSED`) from the decision on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import MEMBER, Actor
from chat_server.domain.errors import (
    HELD_DECIDED,
    HELD_NOT_FOUND,
    HELD_OWN,
    INVALID_FIELD,
    NOT_APPROVER,
    Problem,
)
from chat_server.domain.ids import is_id
from chat_server.domain.policy import allows
from chat_server.domain.zones import PASSED, POLICY_VERSION
from chat_server.ports import Blob, Reader, Tx
from chat_server.sanitizing.report import Report
from chat_server.sanitizing.words import WARNINGS, finding
from chat_server.services import attachment_events, audit, link_news, quarantine
from chat_server.services.blocks import clean_text
from chat_server.storage.queries import attachments, departments, file_reports, organizations, upload_links
from chat_server.storage.queries import held_files as queries
from chat_server.storage.queries.attachments import NewRendition
from chat_server.storage.queries.held_files import Held, NewHeld

Wire = dict[str, Any]
NEEDS: Final = "needs_approval"
"""Reason in the report of a file that is held."""
LISTED: Final = 200
STEP: Final = 20
_FINDINGS: Final = 40


def passed(report: bytes, name: str | None = None) -> bytes:
    """The report of a file that was let through: nothing was taken out of it, and it never says so."""
    told = msgspec.json.decode(report, type=Report)
    return msgspec.json.encode(
        msgspec.structs.replace(
            told, action="passed", reason=None, removed=[], warnings=[], parts=[], sha256_after=told.sha256_before,
            size_after=told.size_before, output=name or told.file,
        )
    )  # fmt: skip


def refused(report: bytes, reason: str) -> bytes:
    """The report of a file that was not released after all."""
    told = msgspec.json.decode(report, type=Report)
    return msgspec.json.encode(
        msgspec.structs.replace(told, action="refused", reason=reason, sha256_after=None, size_after=None, output=None)
    )  # fmt: skip


async def hold(tx: Tx, new: NewHeld, actor: str, detail: Wire) -> int:
    """It waits from now on; answers its integer key. `actor`: public id of whoever handed it in."""
    key = await queries.insert(tx, new)
    more = {"sha256": new.sha256, "size": new.size, "kind": new.kind}
    await audit.record(tx, new.org_id, actor, "file.held", new.public_id, detail | more, new.zone, "")
    return key


async def ends(tx: Tx, org_id: int) -> int:
    """When what is held now lapses."""
    return await quarantine.ends(tx, org_id)


async def waiting(reader: Reader, actor: Actor) -> list[Wire]:
    """What the actor may decide, the oldest first. Raises `Problem` 7119 (not a role that approves)."""
    await _check_role(reader, actor)
    mine: list[Wire] = []
    after = (0, 0)
    # Pages, because a department's administrator may have to look past many of others' files.
    while found := await queries.waiting(reader, actor.org_id, after, LISTED):
        mine += [_wire(held, actor) for held in found if not held.gone and await _administers(reader, actor, held)]
        if len(mine) >= LISTED or len(found) < LISTED:
            break
        after = (found[-1].held_at, found[-1].id)
    return mine[:LISTED]


async def decide(tx: Tx, actor: Actor, public_id: str, *, approve: bool, reason: str) -> Wire:
    """Approve of it, or refuse it, once: of those who try at once one decides, the others are told who did.

    Raises `Problem` 7119 (role), 7116 (not there for them), 7117 (decided), 7118 (their own), 2001 (reason)."""
    await _check_role(tx, actor)
    held = await queries.find(tx, actor.org_id, public_id) if is_id(public_id) else None
    if held is None or held.gone or not await _administers(tx, actor, held):
        raise Problem(HELD_NOT_FOUND, field="file")
    words = clean_text(reason)[: limits.LINK_WORDS_CHARS].strip()
    if not words:
        raise Problem(INVALID_FIELD, field="reason", reason="must not be empty")
    if held.sender_id == actor.user_id:
        raise Problem(HELD_OWN)
    if not await queries.decide(tx, held.id, "approved" if approve else "refused", actor.user_id, words):
        held = await queries.by_id(tx, held.id)
        raise Problem(HELD_DECIDED, field="file", who=held.approver or "—", state=held.state)
    if approve:
        await _approve(tx, held)
    else:
        await _refuse(tx, held, "not_approved")
    detail = {"sha256": held.sha256, "size": held.size, "kind": held.kind, "link": held.link, "reason": words}
    await audit.record_by(tx, actor, "file.approve" if approve else "file.refuse", held.public_id, detail)
    return _wire(await queries.by_id(tx, held.id), actor)


async def _approve(tx: Tx, held: Held) -> None:
    if held.handed_id is not None:
        await queries.hand_over(tx, held.handed_id)
        assert held.link_id is not None
        await link_news.told(tx, await upload_links.by_id(tx, held.link_id))
        return
    # Copies that were forwarded meanwhile wait for the same decision.
    for attachment_id in await queries.waiting_for(tx, held.id):
        found = await queries.original(tx, attachment_id)
        if found is None or found[1] != held.sha256:
            continue
        org_id, sha256, size, media_type = found
        whole = NewRendition(PASSED, Blob(sha256, size), media_type, None, None)
        await attachments.insert_rendition(tx, attachment_id, org_id, whole, POLICY_VERSION)
        await file_reports.insert(tx, attachment_id, held.org_id, passed(held.report), held_id=held.id)
        await attachment_events.changed(tx, attachment_id)


async def _refuse(tx: Tx, held: Held, reason: str) -> None:
    report = refused(held.report, reason)
    if held.handed_id is not None:
        await queries.refuse(tx, held.handed_id, report)
        assert held.link_id is not None
        await link_news.told(tx, await upload_links.by_id(tx, held.link_id))
        return
    for attachment_id in await queries.waiting_for(tx, held.id):
        await file_reports.insert(tx, attachment_id, held.org_id, report, held_id=held.id)
        await queries.give_up(tx, attachment_id, reason)
        await attachment_events.changed(tx, attachment_id)


# Nobody decided


async def lapsed(reader: Reader) -> list[int]:
    """The next whose time is over (integer keys)."""
    return await queries.lapsed(reader, STEP)


async def lapse(tx: Tx) -> int:
    """They are refused; answers how many."""
    found = await queries.lapsed(tx, STEP)
    for one in found:
        held = await queries.by_id(tx, one)
        if await queries.lapse(tx, one):
            await _refuse(tx, held, "lapsed")
            detail = {"sha256": held.sha256, "size": held.size, "kind": held.kind, "link": held.link}
            await audit.record(tx, held.org_id, held.sender, "file.lapse", held.public_id, detail, held.zone, "")
    return len(found)


async def _check_role(reader: Reader, actor: Actor) -> None:
    """As of this transaction: who lost the role meanwhile decides nothing. Raises `Problem` 7119."""
    policy = await organizations.policy(reader, actor.org_id)
    if actor.is_guest or actor.kind != MEMBER or not allows(policy, "approve_files", actor.roles):
        raise Problem(NOT_APPROVER)


async def _administers(reader: Reader, actor: Actor, held: Held) -> bool:
    """Department administrators decide for what their own people asked for or sent, as with everything else."""
    return actor.is_organization_admin or await departments.administers(
        reader, actor.org_id, actor.user_id, held.sender_id
    )


def _wire(held: Held, actor: Actor) -> Wire:
    report = msgspec.json.decode(held.report, type=Report)
    return {
        "id": held.public_id,
        "state": held.state,
        "name": held.name,
        "size": held.size,
        "kind": held.kind,
        "zone": held.zone,
        "sha256": held.sha256,
        "sender": {"id": held.sender, "name": held.sender_name},
        "own": held.sender_id == actor.user_id,
        "link": held.link or None,
        "purpose": held.purpose,
        "recipient": held.recipient,
        "company": held.company,
        "held": held.held_at,
        "expires": held.expires_at,
        "decided": held.decided_at,
        "approver": held.approver or None,
        "reason": held.reason,
        "findings": findings(report),
    }


def findings(report: Report) -> list[dict[str, str]]:
    """What is in a file that was not taken apart, and in those that lie in it."""
    said = list(dict.fromkeys(_findings([report])))
    return [{"ja": ja, "en": en} for ja, en in said[:_FINDINGS]]


def _findings(reports: Sequence[Report]) -> list[tuple[str, str]]:
    said = []
    for report in reports:
        said += [finding(one) for one in report.removed]
        said += [WARNINGS[one] for one in report.warnings if one in ("not_scanned", "not_examined")]
        said += _findings(report.parts)
    return said
