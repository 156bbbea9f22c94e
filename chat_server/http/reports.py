"""What was taken out of a file that came from outside."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.errors import ATTACHMENT_NOT_FOUND, NO_REPORT
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Time
from chat_server.services import reports
from chat_server.services.blocks import Id


class Sentence(msgspec.Struct, frozen=True):
    ja: str
    en: str


class RemovedThing(msgspec.Struct, frozen=True):
    """See docs/sanitizing.md."""

    object: str
    name: str
    count: int
    sha256: str | None
    ja: str
    en: str


class ReportWarning(msgspec.Struct, frozen=True):
    code: str
    ja: str
    en: str


class FileReport(msgspec.Struct, frozen=True):
    """Of the file, or of one that lay in it (`file`: its path). `reason`: why it was refused; `instead`: what to send instead."""

    file: str
    action: str
    kind_found: str | None
    removed: list[RemovedThing]
    warnings: list[ReportWarning]
    reason: Sentence | None
    instead: Sentence | None


class Approval(msgspec.Struct, frozen=True):
    """Who decided about a file that was to be handed over as it came."""

    name: str
    at: Time
    reason: str


class SanitizingReport(msgspec.Struct, frozen=True):
    """`link`: by which it came, null where a colleague sent it. `approval`: of a file that a second person decided about."""

    attachment: Id
    approval: Approval | None
    link: Id | None
    received: Time | None
    decided: Time | None
    action: str
    kind_claimed: str | None
    kind_found: str | None
    sha256_before: str
    sha256_after: str | None
    size_before: int
    size_after: int | None
    files: list[FileReport]


async def read_report(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: reports.report(reader, ctx.actor, ctx.path["attachment"]))


_ID: Final = "06ed0000000000000000000005"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/attachments/{attachment}/report",
        "What was taken out of a file that came from outside",
        read_report,
        answer=SanitizingReport,
        faults=(ATTACHMENT_NOT_FOUND, NO_REPORT),
        example_answer=SanitizingReport(
            attachment=_ID,
            approval=None,
            link="06ed0000000000000000000007",
            received=1763769000000,
            decided=1763769004000,
            action="rebuilt",
            kind_claimed="xlsx",
            kind_found="xlsx",
            sha256_before="5f0c…",
            sha256_after="9b1e…",
            size_before=31415,
            size_after=27182,
            files=[
                FileReport(
                    file="数量表.xlsm",
                    action="rebuilt",
                    kind_found="xlsx",
                    removed=[
                        RemovedThing("macro", "", 1, None, "マクロ1件を取り除きました", "1 macro(s) removed"),
                    ],
                    warnings=[],
                    reason=None,
                    instead=None,
                )
            ],
        ),
        note="For whoever may read the file. `files`: the file, and after it those that lay in it; words and codes are those of "
        "docs/sanitizing.md.",
    ),
)
