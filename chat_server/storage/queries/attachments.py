"""SQL of attachments, their renditions and their blobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chat_server.domain.policy import Policy, policy_of
from chat_server.domain.zones import outward
from chat_server.ports import Blob, Reader, Row, Tx


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attachment on its way into a message: what has to be right before it is claimed."""

    id: int
    sent: bool
    wire: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A row of `attachments` that belongs to its uploader until it is sent."""

    public_id: str
    org_id: int
    uploader_id: int
    kind: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    color: str | None
    taken_at: int | None
    latitude: float | None
    longitude: float | None
    origin_zone: str


@dataclass(frozen=True, slots=True)
class NewRendition:
    """A row of `renditions`, with the blob that holds its bytes."""

    kind: str
    blob: Blob
    media_type: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An attachment as one viewer stands to it. `member` (0 or 1): may see its message or its note now, or has uploaded and
    not yet sent it."""

    id: int
    public_id: str
    org_id: int
    kind: str
    name: str
    taken_at: int | None
    latitude: float | None
    longitude: float | None
    origin_zone: str
    withdrawn: int
    outflow: str
    pair: str
    """the organization's rule from the file's zone to the viewer's; what there is none for, the room decides alone"""
    carried: str
    """of a copy that was made outside: the rule of the room that it came from"""
    approved: int
    """1: somebody let the viewer take it out, on this device and now"""
    member: int

    @property
    def outward(self) -> str:
        """What leaves for the viewer's zone, if that is a less trusted one."""
        return outward(self.outflow, self.pair, self.carried)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A derived copy. `org_id` is the organization under which its bytes lie."""

    attachment_id: int
    kind: str
    org_id: int
    state: str
    policy_version: int
    sha256: str | None
    media_type: str
    blob_zone: str | None
    """the least trusted zone by which the same bytes came in, at any time"""
    reason: str | None
    """why there are none"""


class Looker(Protocol):
    """Whoever looks, on which device and from which zone. `memo_pad`: whether their memo pad exists there."""

    @property
    def user_id(self) -> int: ...
    @property
    def device(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def memo_pad(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever an address was made for, as of now."""

    user_id: int
    device: str
    zone: str
    disabled_at: int | None
    ends_at: int | None
    revoked_at: int | None
    approved_at: int | None
    wipe_asked_at: int | None
    ownership: str
    rules: Policy
    memo_pad: bool = True
    """an address was made where it existed"""


WIRE: Final = (
    "attachments.public_id, attachments.kind, CASE WHEN attachments.withdrawn_at IS NULL THEN attachments.name ELSE '' END, attachments.media_type, attachments.size,"
    " CASE WHEN attachments.withdrawn_at IS NULL THEN attachments.state ELSE 'withdrawn' END, attachments.width, attachments.height, attachments.color, attachments.pages,"
    " coalesce((SELECT p.state FROM renditions p WHERE p.attachment_id = attachments.id AND p.kind = 'preview'),"
    " (SELECT p.state FROM renditions p WHERE p.attachment_id = attachments.id AND p.kind = 'text'))"
)
"""Columns of `as_wire`."""


def as_wire(row: Row) -> dict[str, Any]:
    """docs/protocol.md, Attachment: what every member in every zone may see. `row` holds the columns of `WIRE`."""
    public_id, kind, name, media_type, size, state, width, height, color, pages, preview = row
    wire = {
        "id": public_id,
        "kind": kind,
        "name": name,
        "type": media_type,
        "size": size,
        "state": state,
        "width": width,
        "height": height,
        "color": color,
    }
    if kind != "photo":
        wire["preview"] = preview or "none"
        if pages is not None:
            wire["pages"] = pages
    return wire


async def waiting(reader: Reader, uploader_id: int, public_id: str) -> Waiting | None:
    """An own upload, sent or not; other people's do not exist."""
    row = await reader.one(
        f"SELECT id, coalesce(message_id, note_id), {WIRE} FROM attachments WHERE public_id = ? AND uploader_id = ?",  # noqa: S608
        public_id,
        uploader_id,
    )
    return None if row is None else Waiting(row[0], row[1] is not None, as_wire(row[2:]))


@dataclass(frozen=True, slots=True)
class Sent:
    """An attachment of a message that is still there."""

    room_id: int
    room: str
    org_id: int
    message_id: int
    message: str
    message_seq: int
    uploader_id: int
    uploader: str
    wire: dict[str, Any]


async def sent(reader: Reader, attachment_id: int) -> Sent | None:
    """The attachment with its message; None where it was not sent, or the message was redacted."""
    row = await reader.one(
        "SELECT r.id, r.public_id, r.org_id, m.id, m.public_id, m.seq, u.id, u.public_id,"  # noqa: S608 (a constant)
        f" {WIRE} FROM attachments JOIN messages m ON m.id = attachments.message_id"
        " JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = attachments.uploader_id"
        " WHERE attachments.id = ? AND m.redacted_at IS NULL",
        attachment_id,
    )
    if row is None:
        return None
    room_id, room, org_id, message_id, message, message_seq, uploader_id, uploader, *columns = row
    return Sent(room_id, room, org_id, message_id, message, message_seq, uploader_id, uploader, as_wire(columns))


async def wire_of(reader: Reader, public_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Attachments by their public ids, of messages that were not redacted."""
    if not public_ids:
        return {}
    places = ", ".join("?" * len(public_ids))
    rows = await reader.all(
        f"SELECT {WIRE} FROM attachments JOIN messages m ON m.id = attachments.message_id"  # noqa: S608
        f" WHERE attachments.public_id IN ({places}) AND m.redacted_at IS NULL",
        *public_ids,
    )
    return {row[0]: as_wire(row) for row in rows}


async def claim(tx: Tx, attachment_id: int, *, org_id: int, room_id: int, message_id: int, position: int) -> bool:
    """Bind an upload to its message; false when another message was first."""
    changed = await tx.run(
        "UPDATE attachments SET org_id = ?, room_id = ?, message_id = ?, position = ?"
        " WHERE id = ? AND message_id IS NULL AND note_id IS NULL",
        org_id,
        room_id,
        message_id,
        position,
        attachment_id,
    )
    return changed == 1


async def withdraw(tx: Tx, attachment_id: int) -> None:
    await tx.run("UPDATE attachments SET withdrawn_at = ? WHERE id = ?", tx.now, attachment_id)


async def wire_of_messages(reader: Reader, message_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The attachments of several messages, each message's in order. Messages without any are absent."""
    if not message_ids:
        return {}
    places = ", ".join("?" * len(message_ids))
    rows = await reader.all(
        f"SELECT message_id, {WIRE} FROM attachments WHERE message_id IN ({places}) ORDER BY message_id, position",  # noqa: S608 (question marks)
        *message_ids,
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(as_wire(row[1:]))
    return found


async def add_blob(tx: Tx, org_id: int, blob: Blob, origin_zone: str) -> None:
    """The row of bytes that are safe on disk; the same bytes again change nothing."""
    await tx.run(
        "INSERT INTO blobs (org_id, sha256, size, origin_zone, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        org_id, blob.sha256, blob.size, origin_zone, tx.now,
    )  # fmt: skip


async def blob_zone(reader: Reader, org_id: int, sha256: str) -> str | None:
    """The least trusted zone that these bytes came in by, so far."""
    row = await reader.one("SELECT origin_zone FROM blobs WHERE org_id = ? AND sha256 = ?", org_id, sha256)
    return str(row[0]) if row else None


async def set_blob_zone(tx: Tx, org_id: int, sha256: str, origin_zone: str) -> None:
    await tx.run("UPDATE blobs SET origin_zone = ? WHERE org_id = ? AND sha256 = ?", origin_zone, org_id, sha256)


async def insert(tx: Tx, new: NewAttachment) -> int:
    """A ready attachment; answers its integer key."""
    row = await tx.one(
        "INSERT INTO attachments (public_id, org_id, uploader_id, kind, name, media_type, size, width, height, color,"
        " taken_at, latitude, longitude, origin_zone, state, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'ready', ?) RETURNING id",
        new.public_id, new.org_id, new.uploader_id, new.kind, new.name, new.media_type, new.size, new.width,
        new.height, new.color, new.taken_at, new.latitude, new.longitude, new.origin_zone, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def insert_rendition(tx: Tx, attachment_id: int, org_id: int, new: NewRendition, policy_version: int) -> None:
    """A ready rendition."""
    await tx.run(
        "INSERT INTO renditions (attachment_id, kind, org_id, state, policy_version, sha256, media_type, width, height,"
        " size, created_at) VALUES (?, ?, ?, 'ready', ?, ?, ?, ?, ?, ?, ?)",
        attachment_id, new.kind, org_id, policy_version, new.blob.sha256, new.media_type, new.width, new.height,
        new.blob.size, tx.now,
    )  # fmt: skip


_SEEN: Final = """
SELECT a.id, a.public_id, a.org_id, a.kind, a.name, a.taken_at, a.latitude, a.longitude, a.origin_zone,
       CASE WHEN a.withdrawn_at IS NULL AND m.redacted_at IS NULL THEN 0 ELSE 1 END,
       coalesce(r.outflow, 'view'),
       coalesce((SELECT z.action FROM zone_rules z WHERE z.org_id = a.org_id AND z.from_zone = a.origin_zone AND z.to_zone = ?
                 AND z.family = 'outflow'), 'download'),
       coalesce(a.carried, 'download'),
       CASE WHEN EXISTS (SELECT 1 FROM takeouts t WHERE t.attachment_id = a.id AND t.user_id = ? AND t.device = ?
                         AND t.zone = ? AND t.state = 'approved' AND t.expires_at > ?) THEN 1 ELSE 0 END,
       CASE WHEN a.message_id IS NULL AND a.note_id IS NULL AND a.uploader_id = ? THEN 1
            WHEN n.deleted_at IS NULL
             AND EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = n.room_id AND s.user_id = ? AND s.to_seq IS NULL)
             AND (a.note_until IS NULL
                  OR EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = n.room_id AND s.user_id = ?
                             AND s.visible_seq <= a.note_until AND (s.to_seq IS NULL OR s.to_seq >= a.note_until))) THEN 1
            WHEN m.seq >= r.first_seq
             AND EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = a.room_id AND s.user_id = ? AND s.to_seq IS NULL)
             AND EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = a.room_id AND s.user_id = ?
                         AND s.visible_seq <= m.seq AND (s.to_seq IS NULL OR s.to_seq >= m.seq)) THEN 1
            ELSE 0
       END
FROM attachments a
LEFT JOIN messages m ON m.id = a.message_id
LEFT JOIN notes n ON n.id = a.note_id
LEFT JOIN rooms r ON r.id = a.room_id
"""


async def seen_by(reader: Reader, who: Looker, public_ids: Sequence[str]) -> dict[str, Seen]:
    """Attachments as they stand to whoever looks, now; ids that do not exist are absent, and those of memo rooms without `memo_pad`."""
    if not public_ids:
        return {}
    places = ", ".join("?" * len(public_ids))
    here = "" if who.memo_pad else " AND coalesce(r.kind, '') <> 'memo'"
    rows = await reader.all(
        f"{_SEEN} WHERE a.public_id IN ({places}){here}",
        who.zone, who.user_id, who.device, who.zone, reader.now, *[who.user_id] * 5, *public_ids,
    )  # fmt: skip
    return {row[1]: Seen(*row) for row in rows}


async def renditions(reader: Reader, attachment_ids: Sequence[int]) -> dict[int, dict[str, Rendition]]:
    """Renditions by attachment and kind."""
    if not attachment_ids:
        return {}
    places = ", ".join("?" * len(attachment_ids))
    rows = await reader.all(
        "SELECT d.attachment_id, d.kind, d.org_id, d.state, d.policy_version, d.sha256, d.media_type, b.origin_zone, d.reason"  # noqa: S608
        " FROM renditions d LEFT JOIN blobs b ON b.org_id = d.org_id AND b.sha256 = d.sha256"
        f" WHERE d.attachment_id IN ({places})",
        *attachment_ids,
    )
    found: dict[int, dict[str, Rendition]] = {}
    for row in rows:
        found.setdefault(row[0], {})[row[1]] = Rendition(*row)
    return found


async def viewer(reader: Reader, user: str, device: str) -> Viewer | None:
    """The person and the device that an address names, if they belong together."""
    row = await reader.one(
        "SELECT u.id, d.public_id, d.zone, u.disabled_at, u.ends_at, d.revoked_at, d.approved_at, d.wipe_asked_at, d.ownership, o.policy"
        " FROM users u JOIN devices d ON d.user_id = u.id JOIN organizations o ON o.id = u.org_id"
        " WHERE u.public_id = ? AND d.public_id = ?",
        user,
        device,
    )
    return Viewer(*[*row[:9], policy_of(json.loads(row[9]))]) if row else None
