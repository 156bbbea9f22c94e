"""`BotTasks`: for a bot that runs elsewhere than in the server. docs/bots.md tells what a task holds."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from chat_client import tls
from chat_client.clock import Clock, ServerTime, SystemClock
from chat_client.draft import new_key
from chat_client.errors import RenrakuError, UnexpectedAnswer
from chat_client.http import Http
from chat_client.retry import Cut, Random, Tries

_STALL: Final = 45.0
"""Longer than the server waits for something to do."""


class BotTasks:
    """What the server has for one bot, one thing at a time. A call is repeated until it succeeds or is refused for good; the key
    that it is repeated under makes it one call all the same."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        ca_file: Path | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        """`server`: http(s)://host[:port]. `token`: of the bot. Raises ValueError (the address), OSError (ca_file)."""
        address = urlsplit(server)
        if address.scheme not in ("http", "https") or not address.hostname or address.username is not None:
            raise ValueError("the server's address must look like https://host or http://host:port")
        secure = address.scheme == "https"
        context = tls.context(ca_file) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._clock = clock or SystemClock()
        self._random = random or SystemRandom().random
        self._token = token
        self._http = Http(server.rstrip("/"), context, ServerTime(self._clock), _STALL)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def next(self, wait: int = 25) -> tuple[str, dict[str, Any]] | None:
        """(id, task); None: there was nothing to do for `wait` seconds. Raises RenrakuError (1004: the token is not good)."""
        answer = await self._post("/api/bot/next", {"wait": wait})
        return None if answer["id"] is None else (answer["id"], answer["task"])

    async def done(self, task: str, what: Mapping[str, Any]) -> None:
        """What the bot did about it. Raises RenrakuError: 4017 where it took too long, 2001 and others for what it may not post."""
        await self._post(f"/api/bot/tasks/{task}", dict(what))

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        tries, key = Tries(self._clock, self._random, None), new_key()
        while True:
            try:
                return await self._http.request("POST", path, token=self._token, key=key, json=body)
            except (RenrakuError, UnexpectedAnswer, Cut) as cause:
                await tries.wait(cause)
