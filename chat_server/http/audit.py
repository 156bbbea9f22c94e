"""The audit trail, for auditors."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain.errors import DISK_FULL
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Cursor, Seq, Time
from chat_server.services import auditing


class AuditQuery(auditing.Wanted, frozen=True, kw_only=True):
    """`cursor`: the `next` of the page before."""

    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class AuditEntry(msgspec.Struct, frozen=True):
    """An act. `actor`: the id of a person, `operator`, or `unknown` (a sign-in that failed); `target`: an id.

    `hash` is over this row and the one before: the newest row's seq and hash, noted elsewhere, are a witness for the
    whole trail.
    """

    seq: Seq
    at: Time
    actor: str
    act: str
    target: str
    detail: dict[str, Any]
    zone: str
    address: str
    hash: str
    actor_name: str | UnsetType = UNSET


class AuditTrail(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[AuditEntry]
    next: str | None


async def list_audit(ctx: Ctx[Nothing, AuditQuery]) -> Any:
    asked = ctx.query
    items, following = await auditing.read_trail(ctx.parts.storage, ctx.actor, asked, asked.cursor, asked.limit)
    return {"items": items, "next": following}


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/audit",
        "What was done in one's organization, and by whom",
        list_audit,
        query=AuditQuery,
        answer=AuditTrail,
        access=Access.AUDITOR,
        faults=(DISK_FULL,),
        example_answer=AuditTrail(
            [
                AuditEntry(
                    seq=812,
                    at=1763770000000,
                    actor="06ed0000000000000000000002",
                    act="person.rename",
                    target="06ed0000000000000000000005",
                    detail={"from": "田中 美咲", "to": "佐藤 美咲"},
                    zone="lgwan",
                    address="10.1.2.3",
                    hash="5f0c2b1e6a51…",
                    actor_name="高橋 健",
                )
            ],
            None,
        ),
        note="Acts and ids, never what was said. Each reading is on record itself, with what was asked for.",
    ),
)
