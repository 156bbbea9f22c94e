"""`ports.Passwords`: argon2id (RFC 9106) in a bounded thread pool.

One hash takes 64 MiB and a core for about 0.2 s. So the number of threads bounds memory and the share of the machine
that guessing can take from the sockets, and the number that may wait bounds how long somebody waits.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION

from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.domain.text import nfkc

T = TypeVar("T")

HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)
"""RFC 9106's second recommendation (3 passes over 64 MiB), on one lane: four would take every core from the server for
one sign-in, and the memory is what an attacker pays for."""

MAX_BYTES: Final = 4096
"""Longer ones are cut: the time of a verification does not depend on what a stranger sends."""


class Argon2Passwords:
    """Close it at the end: its threads are not daemons."""

    def __init__(self, *, threads: int = 2, waiting: int = 100, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="renraku-passwords")
        self._bound = threads + waiting
        self._under_way = 0
        self._nobody = _of_nobody(hasher)

    async def hash(self, password: str) -> str:
        raw = _raw(password)
        return await self._run(lambda: self._hasher.hash(raw))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        raw = _raw(password)
        matches = await self._run(lambda: self._verify(password_hash or self._nobody, raw))
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return False

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _verify(self, password_hash: str, raw: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, raw)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._bound:
            raise Problem(DATABASE_BUSY, retry_after=10)
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Counted until the work is done, not until somebody stops waiting for it: a client that hangs up frees no core.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            future.exception()


def _of_nobody(hasher: PasswordHasher) -> str:
    """A hash that costs as much to verify as any, and that no password has: its digest is random, not computed."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode("ascii").rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


def _raw(password: str) -> bytes:
    """NFKC (NIST SP 800-63B, 3.1.1.2): a password typed with the Japanese input method on is full-width."""
    return nfkc(password).encode("utf-8", "surrogatepass")[:MAX_BYTES]
