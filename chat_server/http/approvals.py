"""Files that wait for a second person, for those who decide, and the rules by pair of zones."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import (
    HELD_DECIDED,
    HELD_NOT_FOUND,
    HELD_OWN,
    INVALID_FIELD,
    NOT_APPROVER,
    NOT_INWARD,
    NOT_OUTWARD,
    OUTFLOW_OUTSIDE,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.link_shapes import Asker, BothLanguages
from chat_server.http.shapes import Time
from chat_server.services import approvals, zone_rules
from chat_server.services.blocks import Id


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """`sender`: who asked for it by a link, or sent it; `own`: that is oneself, who may not decide. `link`, `purpose`, `recipient`,
    `company`: of the link, null or empty where a colleague sent it. `findings`: what is in it. `expires`: when nobody may approve it any
    more."""

    id: Id
    state: Literal["held", "approved", "refused", "lapsed"]
    name: str
    size: int
    kind: str
    zone: str
    sha256: str
    sender: Asker
    own: bool
    link: Id | None
    purpose: str
    recipient: str
    company: str
    held: Time
    expires: Time
    decided: Time | None
    approver: str | None
    reason: str
    findings: list[BothLanguages]


class HeldFiles(msgspec.Struct, frozen=True):
    items: list[HeldFile]
    next: str | None


class Decision(msgspec.Struct, frozen=True):
    """`reason`: in words, shown in the room."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.LINK_WORDS_CHARS)]


class ZoneRule(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    from_: str
    to: str
    family: str
    action: str


class ZoneRules(msgspec.Struct, frozen=True):
    """`zones`: from the least to the most trusted. `families`: what may be done with each on its way in; `outflows`: with all files on
    their way out, the family `outflow`."""

    zones: list[str]
    families: dict[str, list[str]]
    outflows: list[str]
    items: list[ZoneRule]


_Zone = Annotated[str, msgspec.Meta(max_length=64)]


class ZoneRuleChange(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """`action` null: the organization's rule holds again."""

    from_: _Zone
    to: _Zone
    family: Annotated[str, msgspec.Meta(max_length=32)]
    action: Annotated[str, msgspec.Meta(max_length=32)] | None = None


async def list_held_files(ctx: Ctx[Nothing, Nothing]) -> Any:
    items = await ctx.read(lambda reader: approvals.waiting(reader, ctx.actor))
    return {"items": items, "next": None}


async def approve_file(ctx: Ctx[Decision, Nothing]) -> Any:
    file, reason = ctx.path["file"], ctx.body.reason
    return await ctx.write(lambda tx, actor: approvals.decide(tx, actor, file, approve=True, reason=reason))


async def refuse_file(ctx: Ctx[Decision, Nothing]) -> Any:
    file, reason = ctx.path["file"], ctx.body.reason
    return await ctx.write(lambda tx, actor: approvals.decide(tx, actor, file, approve=False, reason=reason))


async def list_zone_rules(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: zone_rules.listed(reader, ctx.actor, ctx.parts.zones))


async def change_zone_rule(ctx: Ctx[ZoneRuleChange, Nothing]) -> Any:
    rule, zones = ctx.body, ctx.parts.zones
    return await ctx.write(
        lambda tx, actor: zone_rules.change(tx, actor, rule.from_, rule.to, rule.family, rule.action, zones)
    )


_HELD: Final = HeldFile(
    id="06ed0000000000000000000021",
    state="held",
    name="橋りょう一般図.jww",
    size=482113,
    kind="jww",
    zone="internet",
    sha256="5f0c…",
    sender=Asker("06ed0000000000000000000002", "高橋 健"),
    own=False,
    link="06ed0000000000000000000009",
    purpose="緑橋の図面をお送りください。",
    recipient="青葉 一郎",
    company="青葉測量株式会社",
    held=1763770160000,
    expires=1771546160000,
    decided=None,
    approver=None,
    reason="",
    findings=[BothLanguages("埋め込みオブジェクト1件があります", "1 embedded object(s) in it")],
)
_DECIDED: Final = (NOT_APPROVER, HELD_NOT_FOUND, HELD_DECIDED, HELD_OWN, INVALID_FIELD)
_RULES: Final = ZoneRules(
    zones=["internet", "lgwan"],
    families={"drawings": ["rebuild", "approve", "refuse"]},
    outflows=["text", "view", "approve", "download"],
    items=[ZoneRule("internet", "lgwan", "drawings", "approve")],
)
PLACE: Final = "/api/organization/held-files"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        PLACE,
        "Files that wait for somebody to approve of them",
        list_held_files,
        answer=HeldFiles,
        access=Access.ADMINISTRATOR,
        faults=(NOT_APPROVER,),
        example_answer=HeldFiles([_HELD], None),
        note="For whom the rule `approve_files` names: the oldest 200. A department's administrator sees those that its own people "
        "asked for or sent. Nobody can open them.",
    ),
    Call(
        "POST",
        PLACE + "/{file}/approve",
        "Hand a held file over as it came",
        approve_file,
        body=Decision,
        answer=HeldFile,
        access=Access.ADMINISTRATOR,
        faults=_DECIDED,
        example=Decision("発注図面の原本。送り主に電話で確認した。"),
        example_answer=msgspec.structs.replace(
            _HELD, state="approved", decided=1763771000000, approver="中村 真理", reason="発注図面の原本。送り主に電話で確認した。"
        ),
        note="Once, by somebody else than the sender; on record. The room sees it with its approver and reason.",
    ),
    Call(
        "POST",
        PLACE + "/{file}/refuse",
        "Refuse a held file",
        refuse_file,
        body=Decision,
        answer=HeldFile,
        access=Access.ADMINISTRATOR,
        faults=_DECIDED,
        example=Decision("マクロの用途が確認できない。"),
        example_answer=msgspec.structs.replace(
            _HELD, state="refused", decided=1763771000000, approver="中村 真理", reason="マクロの用途が確認できない。"
        ),
        note="Once; on record.",
    ),
    Call(
        "GET",
        "/api/organization/zone-rules",
        "What becomes of files between two zones",
        list_zone_rules,
        answer=ZoneRules,
        access=Access.ORGANIZATION_ADMIN,
        example_answer=_RULES,
        note="Inwards: those that hold instead of the organization's own rules (`sanitize_…`). Outwards, family `outflow`: what no room's "
        "own rule exceeds.",
    ),
    Call(
        "PATCH",
        "/api/organization/zone-rules",
        "Set or remove the rule of a pair of zones",
        change_zone_rule,
        body=ZoneRuleChange,
        answer=ZoneRules,
        access=Access.ORGANIZATION_ADMIN,
        faults=(NOT_INWARD, NOT_OUTWARD, OUTFLOW_OUTSIDE, INVALID_FIELD),
        example=ZoneRuleChange("internet", "lgwan", "drawings", "approve"),
        example_answer=_RULES,
        note="On record.",
    ),
)  # fmt: skip
