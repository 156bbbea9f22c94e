"""Signing in, and an access token that is always fresh.

A refresh token works once (docs/protocol.md, section 1), and one that is used again ends the session, unless it comes
under the Idempotency-Key that it was used with: then its answer was lost. So the key is on disk before the token is
sent, and the new token is on disk before anybody uses it: whatever moment the process dies at, the next run asks for
the same answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chat_client.clock import ServerTime
from chat_client.draft import new_key
from chat_client.errors import RenrakuError, SignInRequired, UnexpectedAnswer
from chat_client.http import Http
from chat_client.token_store import Tokens, TokenStore


@dataclass(frozen=True, slots=True)
class Credentials:
    """For programs that may sign in again by themselves: bots, tests."""

    organization: str
    login: str
    password: str = field(repr=False)
    device_name: str = "Renraku Python"


@dataclass(frozen=True, slots=True)
class SignInStep:
    """What the server wants next: `next` names the steps that it would take; empty when signed in."""

    flow: str | None = field(repr=False)
    next: tuple[str, ...]


class Session:
    """One device's session. Concurrent callers share one refresh."""

    def __init__(
        self, server: str, http: Http, store: TokenStore, time: ServerTime, credentials: Credentials | None = None
    ) -> None:
        self._server = server
        self._http = http
        self._store = store
        self._time = time
        self._credentials = credentials
        self._tokens: Tokens | None = None
        self._renewing: asyncio.Task[Tokens] | None = None

    @property
    def tokens(self) -> Tokens | None:
        """The session as it is known here."""
        return self._tokens

    async def begin(self, organization: str, login: str, device_name: str) -> SignInStep:
        """The first step. Raises RenrakuError 1002, and as `Http.request`."""
        asked = {"organization": organization, "login": login, "device_name": device_name}
        return await self._step("/api/sign-in", asked)

    async def password(self, flow: str, password: str) -> SignInStep:
        """The password step. Raises RenrakuError 1001, 1002, 1006, and as `Http.request`."""
        return await self._step("/api/sign-in/password", {"flow": flow, "password": password})

    async def sign_in(self, who: Credentials) -> None:
        """All steps. Raises as they do, SignInRequired where a step is asked for that takes more than a password."""
        step = await self.begin(who.organization, who.login, who.device_name)
        if step.flow is not None and "password" in step.next:
            step = await self.password(step.flow, who.password)
        if step.next:
            raise SignInRequired(f"the server asks for {', '.join(step.next)}")

    async def access_token(self, at_least: float = 30.0) -> str:
        """A token valid for `at_least` more seconds, or for a third of its life if that is less.

        Raises SignInRequired; RenrakuError, Cut and UnexpectedAnswer where a refresh failed and may be tried again.
        """
        if self._tokens is None:
            async with self._store.lock():
                self._tokens = await self._load()
        known = self._tokens
        if known is None or self._left(known) < min(at_least, known.access_lives / 3000):
            known = await self._renew(known)
        return known.access_token

    async def refused(self, token: str) -> None:
        """The server refused `token`: get another, unless that has happened already. Raises as `access_token`."""
        known = self._tokens
        if known is None or known.access_token == token:
            await self._renew(known)

    async def sign_out(self) -> None:
        """End this device's session at the server, and forget it here. Raises as `Http.request`."""
        token = await self.access_token()
        try:
            await self._http.request("POST", "/api/me/sign-out", token=token)
        except RenrakuError as error:
            if not error.token_refused:
                raise
        await self.forget()

    async def forget(self) -> None:
        """Drop the tokens here; the server is not told."""
        async with self._store.lock():
            self._tokens = None
            await self._store.clear()

    async def close(self) -> None:
        """Let a refresh under way come to its end: an answer nobody saves is a session lost."""
        if self._renewing is not None:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._renewing)

    def _left(self, tokens: Tokens) -> float:
        return (tokens.access_expires - self._time.now()) / 1000

    async def _load(self) -> Tokens | None:
        stored = await self._store.load()
        return stored if stored is not None and stored.server == self._server else None

    async def _renew(self, old: Tokens | None) -> Tokens:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renewed(old), name="renraku-refresh")
        # A caller that is cancelled must not cut the request that the others wait for.
        return await asyncio.shield(self._renewing)

    async def _renewed(self, old: Tokens | None) -> Tokens:
        try:
            return await self._refresh(old)
        except SignInRequired:
            if self._credentials is None:
                raise
        try:
            await self.sign_in(self._credentials)
        except RenrakuError as error:
            if error.retryable:
                raise
            raise SignInRequired(str(error)) from error
        assert self._tokens is not None
        return self._tokens

    async def _refresh(self, old: Tokens | None) -> Tokens:
        async with self._store.lock():
            stored = await self._load()
            if stored is None:
                self._tokens = None
                raise SignInRequired
            if old is not None and stored.access_token != old.access_token:
                # Another process that shares the store was faster.
                self._tokens = stored
                return stored
            if stored.refresh_key is None:
                stored = replace(stored, refresh_key=new_key())
                await self._store.save(stored)
            self._tokens = await self._keep(await self._exchange(stored))
            return self._tokens

    async def _exchange(self, stored: Tokens) -> Mapping[str, Any]:
        asked = {"refresh_token": stored.refresh_token}
        try:
            return _session(
                await self._http.request("POST", "/api/sessions/refresh", key=stored.refresh_key, json=asked)
            )
        except RenrakuError as error:
            if not 1000 <= error.code <= 1999:
                raise
            self._tokens = None
            await self._store.clear()
            raise SignInRequired(str(error)) from error

    async def _step(self, path: str, asked: Mapping[str, str]) -> SignInStep:
        answer = await self._http.request("POST", path, json=asked)
        if not isinstance(answer, Mapping):
            raise UnexpectedAnswer(200)
        if answer.get("session") is not None:
            async with self._store.lock():
                self._tokens = await self._keep(_session(answer))
            return SignInStep(None, ())
        flow = answer.get("flow")
        return SignInStep(None if flow is None else str(flow), tuple(str(name) for name in answer.get("next") or ()))

    async def _keep(self, session: Mapping[str, Any]) -> Tokens:
        try:
            expires = int(session["access_expires"])
            tokens = Tokens(
                server=self._server,
                access_token=str(session["access_token"]),
                access_expires=expires,
                access_lives=max(expires - self._time.now(), 0),
                refresh_token=str(session["refresh_token"]),
                refresh_expires=int(session["refresh_expires"]),
                device=str(session["device"]),
                user=str(session["user"]),
            )
        except (KeyError, TypeError, ValueError):
            raise UnexpectedAnswer(200) from None
        await self._store.save(tokens)
        return tokens


def _session(answer: object) -> Mapping[str, Any]:
    """The session inside an answer, or the answer that is one: sign-in wraps it, refresh may not."""
    if isinstance(answer, Mapping):
        inner = answer.get("session", answer)
        if isinstance(inner, Mapping):
            return inner
    raise UnexpectedAnswer(200)
