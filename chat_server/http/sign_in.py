"""Signing in, in steps, and refreshing (docs/protocol.md, section 1)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import (
    ACCOUNT_DISABLED,
    FLOW_INVALID,
    REFRESH_REUSED,
    SIGN_IN_FAILED,
    SIGN_IN_THROTTLED,
    TOKEN_INVALID,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.services import sessions
from chat_server.services.sessions import Session
from chat_server.services.sign_in import Progress

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class SignInStart(msgspec.Struct, frozen=True):
    """Who wants to sign in on which device."""

    organization: Text
    login: Text
    device_name: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS)] = ""


class PasswordProof(msgspec.Struct, frozen=True):
    flow: Secret
    password: Password


class Refresh(msgspec.Struct, frozen=True):
    refresh_token: Secret


async def start_sign_in(ctx: Ctx[SignInStart, Nothing]) -> Progress:
    asked = ctx.body
    return await ctx.parts.sign_in.start(asked.organization, asked.login, asked.device_name, ctx.zone, ctx.address)


async def prove_password(ctx: Ctx[PasswordProof, Nothing]) -> Progress:
    return await ctx.parts.sign_in.password(ctx.body.flow, ctx.body.password, ctx.zone, ctx.address)


async def refresh_session(ctx: Ctx[Refresh, Nothing]) -> Session:
    parts = ctx.parts
    token = ctx.body.refresh_token
    return await sessions.refresh(parts.storage, parts.tokens, parts.keys, token, ctx.zone, ctx.address, key=ctx.key)


_SESSION: Final = Session(
    access_token="eyJhbGciOiJIUzI1NiJ9…",  # noqa: S106 (an example)
    access_expires=1763770600000,
    refresh_token="mB1v…",  # noqa: S106 (an example)
    refresh_expires=1766362000000,
    device="06ed0000000000000000000001",
    user="06ed0000000000000000000002",
)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/sign-in",
        "Begin to sign in",
        start_sign_in,
        body=SignInStart,
        answer=Progress,
        access=Access.ANYONE,
        faults=(SIGN_IN_THROTTLED,),
        example=SignInStart("midorino", "takahashi", "現場のスマートフォン"),
        example_answer=Progress("Zk3…", ("password",), None),
        note="An unknown organization or login answers like a known one.",
    ),
    Call(
        "POST",
        "/api/sign-in/password",
        "The password step",
        prove_password,
        body=PasswordProof,
        answer=Progress,
        access=Access.ANYONE,
        faults=(SIGN_IN_FAILED, SIGN_IN_THROTTLED, FLOW_INVALID),
        example=PasswordProof("Zk3…", "…"),
        example_answer=Progress(None, (), _SESSION),
        note="A flow's token works once, whether the step succeeds or not.",
    ),
    Call(
        "POST",
        "/api/sessions/refresh",
        "A new session for a refresh token",
        refresh_session,
        body=Refresh,
        answer=Session,
        access=Access.ANYONE,
        repeats=True,
        faults=(REFRESH_REUSED, TOKEN_INVALID, ACCOUNT_DISABLED),
        example=Refresh("mB1v…"),
        example_answer=_SESSION,
        note="A refresh token works once: using a rotated one again ends the device's whole session. Only the same "
        "request under the same Idempotency-Key gives the same session again, for ten minutes at most and until its "
        "refresh token is used.",
    ),
)
