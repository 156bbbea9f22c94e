"""Google's FCM, HTTP v1: the token endpoint checks the signed assertion, `messages:send` the token that it gave out."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.push.door import Door
from tests.support.push.http import Cut, Hang, Request, Response, http_server
from tests.support.push.script import Behaviour, Book, Script, Taken

PROJECT, MAIL = "renraku-city", "push@renraku-city.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""google-auth's, wherever the endpoint is."""
_PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
           429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}  # fmt: skip


@dataclass
class FakeFcm:
    script: Script = field(default_factory=Script)
    sign_in: Script = field(default_factory=Script)
    """of the token endpoint"""
    book: Book = field(default_factory=Book)
    port: int = 0
    door: Door | None = None
    access: list[str] = field(default_factory=list)
    """tokens given out; the last one is good"""

    @property
    def server(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def account(self) -> dict[str, Any]:
        """The service account's JSON."""
        pem = _PRIVATE.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": pem.decode(),
            "client_email": MAIL, "client_id": "1", "token_uri": f"{self.server}/token",
        }  # fmt: skip

    async def handle(self, request: Request) -> Response:
        if request.path == "/token":
            return self._token(request)
        self.book.requests += 1
        try:
            return self._send(request)
        finally:
            await self.book.note()

    def _token(self, request: Request) -> Response:
        behaviour = self.sign_in.of("")
        _misbehave(behaviour)
        form = parse_qs(request.body.decode())
        claims = jwt.decode(form["assertion"][0], _PRIVATE.public_key(), ["RS256"], audience=AUDIENCE)
        if claims["iss"] != MAIL or "firebase.messaging" not in claims["scope"] or claims["exp"] < time.time():
            self.book.wrong.append("assertion")
        if behaviour.status != 200:
            return Response(behaviour.status, b'{"error": "invalid_grant"}', tuple(behaviour.headers.items()))
        self.access.append(f"access-{len(self.access)}")
        return _json(200, {"access_token": self.access[-1], "expires_in": 3600, "token_type": "Bearer"})

    def _send(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", f"/v1/projects/{PROJECT}/messages:send"):
            return Response(404, b"<html>not found</html>")
        if not self.access or request.headers.get("authorization") != f"Bearer {self.access[-1]}":
            return _json(401, _error(401, "ACCESS_TOKEN_EXPIRED"))
        message = json.loads(request.body)["message"]
        if "notification" in message or not all(isinstance(value, str) for value in message["data"].values()):
            self.book.wrong.append("message")
        if sum(len(key) + len(value.encode()) for key, value in message["data"].items()) > 4096:
            return _json(400, _error(400, "INVALID_ARGUMENT"))
        behaviour = self.script.of(message["token"])
        name = f"projects/{PROJECT}/messages/{self.book.requests}"
        self.book.judged(Taken(message["token"], message, request.headers, name), behaviour, request.line)
        _misbehave(behaviour)
        return replace(self._answer(behaviour, name), slow=behaviour.slow)

    def _answer(self, behaviour: Behaviour, name: str) -> Response:
        if behaviour.status == 200:
            return _json(200, {"name": name})
        if behaviour.body is not None:
            return Response(behaviour.status, behaviour.body, tuple(behaviour.headers.items()))
        return _json(behaviour.status, _error(behaviour.status, behaviour.reason), behaviour.headers)


def _misbehave(behaviour: Behaviour) -> None:
    if behaviour.kind == "hang":
        raise Hang
    if behaviour.kind != "answer":
        raise Cut


def _error(status: int, code: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": status, "message": "…", "status": _STATUS.get(status, "UNKNOWN")}
    if code:
        error["details"] = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    return {"error": error}


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(status, json.dumps(body).encode(), tuple((headers or {}).items()))


@contextlib.asynccontextmanager
async def fake_fcm(port: int = 0) -> AsyncIterator[FakeFcm]:
    fake = FakeFcm()
    async with http_server(fake.handle, port=port) as found:
        fake.port, fake.door = found.port, found
        yield fake
