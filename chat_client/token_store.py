"""Where a session's tokens are kept between runs."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Final, Protocol

from chat_client.durable import replace_file

_LOCK_POLL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Tokens:
    """A session. Times are the server's UTC milliseconds; tokens never appear in a repr, and so in no log."""

    server: str
    """the tokens go to this address and no other"""
    access_token: str = field(repr=False)
    access_expires: int
    access_lives: int
    """milliseconds the access token was given for"""
    refresh_token: str = field(repr=False)
    refresh_expires: int
    device: str
    user: str
    refresh_key: str | None = field(default=None, repr=False)
    """the Idempotency-Key that the refresh token may have been sent under: never send it under another"""


class TokenStore(Protocol):
    """MUST have the tokens on disk (if they go there at all) before `save` returns."""

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Held around load-change-save: two programs that share a session must not both refresh it."""
        ...

    async def load(self) -> Tokens | None:
        """What was saved last; None if nothing was, or if it cannot be read."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Replace what was saved."""
        ...

    async def clear(self) -> None:
        """Forget."""
        ...


class MemoryStore:
    """Tokens that end with the process."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def load(self) -> Tokens | None:
        return self._tokens

    async def save(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def clear(self) -> None:
        self._tokens = None


class FileStore:
    """Tokens in a JSON file that its owner alone may read, replaced as a whole.

    Several processes may share it: the lock file beside it makes their refreshes take turns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._here = asyncio.Lock()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        async with self._here:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            held = os.open(
                self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            try:
                while True:
                    try:
                        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        # Waiting in a thread could not be cancelled; the system tells nobody when a lock is free.
                        await asyncio.sleep(_LOCK_POLL)
                yield
            finally:
                os.close(held)

    async def load(self) -> Tokens | None:
        return await asyncio.to_thread(self._load)

    async def save(self, tokens: Tokens) -> None:
        data = json.dumps(asdict(tokens), indent=1).encode()
        await asyncio.to_thread(replace_file, self._path, data)

    async def clear(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _load(self) -> Tokens | None:
        try:
            raw = json.loads(self._path.read_bytes())
            return Tokens(**{each.name: raw[each.name] for each in fields(Tokens)})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
