"""Accounts, by organization administrators; names by department administrators too."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import LOGIN_TAKEN, OWN_ACCOUNT, PASSWORD_WEAK, PERSON_NOT_FOUND
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.directory import PersonDetail
from chat_server.ports import Tx
from chat_server.services import accounts, directory
from chat_server.services.accounts import Names, NewAccount
from chat_server.services.blocks import Id
from chat_server.services.first_password import hash_first

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)]
Reading = Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="UTC milliseconds")]


class NewPerson(msgspec.Struct, frozen=True):
    """A guest needs `sponsor`, who answers for them, and `ends_at`. Without `password` nobody can sign in yet."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Name
    kind: Literal["member", "guest", "bot"] = "member"
    reading: Reading = ""
    former_name: Name | None = None
    sponsor: Id | None = None
    ends_at: Moment | None = None
    password: Annotated[str, msgspec.Meta(max_length=1024)] | None = None


class PersonChange(msgspec.Struct, frozen=True):
    """What is absent stays. `disabled`: nothing of theirs works any more, at once. `ends_at`: a guest's last moment."""

    name: Name | None = None
    reading: Reading | None = None
    former_name: Reading | None = None
    disabled: bool | None = None
    ends_at: Moment | None = None


async def add_person(ctx: Ctx[NewPerson, Nothing]) -> Any:
    parts, new = ctx.parts, ctx.body
    account = NewAccount(new.login, new.name, new.kind, new.reading, new.former_name, new.sponsor, new.ends_at)
    hashed = None
    if new.password is not None:
        hashed = await hash_first(parts.storage, parts.passwords, ctx.actor, new.login, new.password)

    async def add(tx: Tx, actor: Actor) -> Any:
        return await directory.one(tx, actor, await accounts.add(tx, actor, account, hashed))

    return await ctx.write(add)


async def change_person(ctx: Ctx[PersonChange, Nothing]) -> Any:
    user, wanted = ctx.path["user"], ctx.body

    async def change(tx: Tx, actor: Actor) -> Any:
        if (wanted.name, wanted.reading, wanted.former_name) != (None, None, None):
            await accounts.rename(tx, actor, user, Names(wanted.name, wanted.reading, wanted.former_name))
        if wanted.ends_at is not None:
            await accounts.set_guest_end(tx, actor, user, wanted.ends_at)
        if wanted.disabled is not None:
            await (accounts.disable if wanted.disabled else accounts.enable)(tx, actor, user)
        return await directory.one(tx, actor, user)

    return await ctx.write(change)


_DETAIL: Final = PersonDetail(
    id="06ed0000000000000000000002",
    name="高橋 健",
    reading="たかはし けん",
    department="",
    post="",
    kind="member",
    organization="みどり野市",
    appointments=[],
    login="takahashi",
    roles=[],
    ends_at=None,
)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/people",
        "Add somebody",
        add_person,
        body=NewPerson,
        answer=PersonDetail,
        access=Access.ORGANIZATION_ADMIN,
        faults=(LOGIN_TAKEN, PASSWORD_WEAK, PERSON_NOT_FOUND),
        example=NewPerson("takahashi", "高橋 健", reading="たかはし けん"),
        example_answer=_DETAIL,
        note="Whole departments come by the staff file instead.",
    ),
    Call(
        "PATCH",
        "/api/people/{user}",
        "Rename, disable, enable, move a guest's end",
        change_person,
        body=PersonChange,
        answer=PersonDetail,
        access=Access.ADMINISTRATOR,
        faults=(PERSON_NOT_FOUND, LOGIN_TAKEN, OWN_ACCOUNT),
        example=PersonChange(disabled=True),
        example_answer=_DETAIL,
        note="An account is disabled, never deleted: its messages keep their author. Department administrators change "
        "name, reading and former name of people in their department or below, and nothing else.",
    ),
)
