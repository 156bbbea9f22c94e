"""How command-line writes reach the database: through the running server, or, when none runs, by opening the folder."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any, Final

from chat_server.config import OPERATORS_SOCKET, Settings
from chat_server.domain.errors import Problem

_SECONDS: Final = 600


class OperationFailed(Exception):
    """The numbered error of an operation, as a map (docs/protocol.md, section 5)."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("en", ""))
        self.error = error


def call(settings: Settings, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Carry out operation `name`. Raises `OperationFailed`, `storage.folder.CannotOpen`."""
    answer = through_server(settings.folder, name, params)
    if answer is None:
        answer = asyncio.run(_directly(settings, name, params))
    if "error" in answer:
        raise OperationFailed(answer["error"])
    return answer


def serving(folder: Path) -> bool:
    """Whether a server runs on the folder."""
    connected = _connect(folder)
    if connected is not None:
        connected.close()
    return connected is not None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, connected: socket.socket) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self.sock = connected


def through_server(folder: Path, name: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """The running server's answer, which may be `{error}`; None if no server runs on the folder."""
    connected = _connect(folder)
    if connected is None:
        return None
    connection = _UnixConnection(connected)
    try:
        connection.request("POST", f"/{name}", json.dumps(params).encode(), {"Content-Type": "application/json"})
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()


def _connect(folder: Path) -> socket.socket | None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(_SECONDS)
    try:
        connected.connect(f"/proc/self/fd/{handle}/{OPERATORS_SOCKET}")
    except OSError as error:
        connected.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
            return None
        raise
    finally:
        os.close(handle)
    return connected


async def _directly(settings: Settings, name: str, params: dict[str, Any]) -> dict[str, Any]:
    # The whole server, which a running one makes needless: commands are quick.
    from chat_server.app import App
    from chat_server.operations import deps_of, operate

    app = await App.open(settings, workers=False)
    try:
        return await operate(deps_of(app), name, params)
    except Problem as problem:
        return {"error": problem.as_dict()}
    finally:
        await app.close()
