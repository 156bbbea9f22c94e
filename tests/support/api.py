"""Calling the server as its OpenAPI document says, and holding every answer against that document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from tests.support.schema import errors
from tests.support.server import RunningServer

_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    what: Mapping[str, Any]


@dataclass
class Api:
    """One caller. `document` is what the server said about itself."""

    client: httpx2.AsyncClient
    document: Mapping[str, Any]
    operations: dict[str, Operation] = field(init=False)

    def __post_init__(self) -> None:
        self.operations = {
            what["operationId"]: Operation(method, path, what)
            for path, methods in self.document["paths"].items()
            for method, what in methods.items()
            if method in _METHODS
        }

    async def call(self, operation: str, path: Mapping[str, str] | None = None, **request: Any) -> httpx2.Response:
        """Do it; the answer's status and body are those that the document promises."""
        found = self.operations[operation]
        url = re.sub(r"\{(\w+)\}", lambda match: (path or {})[match[1]], found.path)
        response = await self.client.request(found.method.upper(), url, **request)
        self.check(found, response)
        return response

    def check(self, operation: Operation, response: httpx2.Response) -> None:
        name = operation.what["operationId"]
        promised = operation.what["responses"].get(str(response.status_code))
        assert promised is not None, f"{name} answered {response.status_code}, not in the document: {response.text}"
        if operation.method == "head":
            assert response.content == b""
            return
        content = promised.get("content", {})
        if "application/json" in content:
            assert response.headers["content-type"].startswith("application/json")
            problems = list(errors(content["application/json"]["schema"], response.json(), self.document))
            assert not problems, f"{name} answered what the document does not say: {problems}"
        elif not content:
            assert response.content == b"", f"{name} promised no body: {response.text}"
        if response.status_code >= 400:
            code = response.json()["error"]["code"]
            assert f"{code} " in promised["description"], f"{name} answered {code}, not in the document"


async def document_of(server: RunningServer) -> Mapping[str, Any]:
    async with server.client() as client:
        response = await client.get("/api/openapi.json")
        assert response.status_code == 200
        document: Mapping[str, Any] = response.json()
        return document


def code_of(response: httpx2.Response) -> int:
    """The error's number, or the status of what went well, and of what has no body."""
    if response.status_code < 400 or not response.content:
        return response.status_code
    return int(response.json()["error"]["code"])
