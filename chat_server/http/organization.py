"""The organization itself, by its administrators: its name and its rules."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.policy import Policy
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.ports import Tx
from chat_server.services import organizations
from chat_server.services.blocks import Id


class OrganizationDetail(msgspec.Struct, frozen=True):
    """`code`: what people type when signing in. `policy`: every rule as it holds."""

    id: Id
    code: str
    name: str
    policy: Policy


class OrganizationChange(msgspec.Struct, frozen=True):
    """What is absent stays; a rule that is null has its default again."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)] | None = None
    policy: dict[str, str | None] = {}


async def get_organization(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: organizations.describe(reader, ctx.actor))


async def change_organization(ctx: Ctx[OrganizationChange, Nothing]) -> Any:
    wanted = ctx.body

    async def change(tx: Tx, actor: Actor) -> Any:
        if wanted.name is not None:
            await organizations.rename(tx, actor, wanted.name)
        await organizations.set_policy(tx, actor, wanted.policy)
        return await organizations.describe(tx, actor)

    return await ctx.write(change)


_ORGANIZATION: Final = OrganizationDetail("06ed0000000000000000000009", "midorino", "みどり野市", Policy())

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/organization",
        "One's organization and its rules",
        get_organization,
        answer=OrganizationDetail,
        access=Access.ORGANIZATION_ADMIN,
        example_answer=_ORGANIZATION,
        note="What each rule is about stands in docs/administration.md.",
    ),
    Call(
        "PATCH",
        "/api/organization",
        "Name it anew, change its rules",
        change_organization,
        body=OrganizationChange,
        answer=OrganizationDetail,
        access=Access.ORGANIZATION_ADMIN,
        example=OrganizationChange(policy={"create_open": "organization_admin"}),
        example_answer=_ORGANIZATION,
        note="All of it or nothing; on record.",
    ),
)
