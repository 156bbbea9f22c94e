"""A bucket, in the words of the ports: what it holds, or `Problem` 8007 while it does not answer.

obstore does the requests in Rust, off the event loop; it tries again what may be tried again (connections refused and
lost, 5xx), and sends a SHA-256 with every piece, which the bucket compares. A bucket that does not answer never blows the
fuse: nothing on this machine is broken, and what was promised is not touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from chat_server.blobs.address import S3Address
from chat_server.domain.errors import FILE_STORE_BUSY, Problem

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Config

PART: Final = 8 << 20
"""of a multipart put; with those under way it bounds the memory"""
_PARTS_AT_ONCE: Final = 2
_RETRY_AFTER: Final = 5
_LETTING_GO: Final = 0.25
_LISTED: Final = 1000
log = structlog.get_logger("renraku.s3")


@dataclass(frozen=True, slots=True)
class Object:
    """`modified`: seconds since 1970, by the bucket's clock. `tag`: names this version."""

    key: str
    size: int
    modified: float
    tag: str | None


@contextmanager
def answered() -> Iterator[None]:
    """Raises `Problem` 8007 where the bucket refuses or does not answer, FileNotFoundError where it has no such object."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError, FileNotFoundError):
        raise
    except BaseError as error:
        log.warning("the bucket does not answer", error=str(error).partition("\n")[0][:500])
        raise Problem(FILE_STORE_BUSY, retry_after=_RETRY_AFTER) from None


class Bucket:
    """Keys are relative to the prefix. Everything raises as `answered`."""

    def __init__(self, address: S3Address) -> None:
        config: S3Config = {
            "region": address.region,
            "checksum_algorithm": "sha256",
            "conditional_put": "etag",
            "virtual_hosted_style_request": address.virtual_hosted,
        }
        if address.endpoint:
            config["endpoint"] = address.endpoint
        if address.key:
            config["access_key_id"], config["secret_access_key"] = address.key, address.secret
        seconds = timedelta(seconds=address.timeout)
        self._store = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            config=config,
            client_options={
                "allow_http": address.endpoint.startswith("http://"),
                "connect_timeout": min(seconds, timedelta(seconds=5)),
                "timeout": seconds,
            },
            retry_config={
                "max_retries": 4,
                "retry_timeout": seconds,
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )

    async def put(self, key: str, data: bytes | bytearray) -> str | None:
        """Whole or not at all; answers the tag."""
        with answered():
            return (await obstore.put_async(self._store, key, bytes(data), use_multipart=False))["e_tag"]

    async def put_new(self, key: str, data: bytes) -> str | None:
        """Raises FileExistsError where there is one already."""
        try:
            with answered():
                return (await obstore.put_async(self._store, key, data, mode="create"))["e_tag"]
        except (AlreadyExistsError, PreconditionError):
            raise FileExistsError(key) from None

    async def replace(self, key: str, data: bytes, tag: str | None) -> str | None:
        """Raises FileExistsError where there is another version by now."""
        try:
            with answered():
                return (await obstore.put_async(self._store, key, data, mode={"e_tag": tag}))["e_tag"]
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise FileExistsError(key) from None

    async def put_pieces(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Whole or not at all: where `pieces` raises, nothing of it is there. Flat memory."""
        with answered():
            await obstore.put_async(
                self._store, key, pieces, use_multipart=True, chunk_size=PART, max_concurrency=_PARTS_AT_ONCE
            )

    async def get(self, key: str) -> tuple[bytes, Object] | None:
        """A small object."""
        try:
            with answered():
                result = await obstore.get_async(self._store, key)
                return bytes(await result.bytes_async()), _object(result.meta)
        except FileNotFoundError:
            return None

    async def range(self, key: str, first: int, length: int) -> bytes:
        """Raises FileNotFoundError."""
        with answered():
            return bytes(await obstore.get_range_async(self._store, key, start=first, length=length))

    async def head(self, key: str) -> Object | None:
        try:
            with answered():
                return _object(await obstore.head_async(self._store, key))
        except FileNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """Missing is fine."""
        try:
            with answered():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            pass

    async def listed(self, prefix: str) -> AsyncIterator[list[Object]]:
        """What lies below the folder `prefix`, in pieces."""
        stream = obstore.list(self._store, prefix, chunk_size=_LISTED)
        while True:
            try:
                with answered():
                    found = await stream.__anext__()
            except StopAsyncIteration:
                return
            yield [_object(each) for each in found]

    async def folders(self) -> list[str]:
        """The first folders of all keys."""
        with answered():
            return [str(each) for each in (await obstore.list_with_delimiter_async(self._store))["common_prefixes"]]

    async def now(self) -> float:
        """By the bucket's clock, in seconds since 1970."""
        await self.put("clock", b"")
        found = await self.head("clock")
        if found is None:
            raise Problem(FILE_STORE_BUSY, retry_after=_RETRY_AFTER)
        return found.modified

    async def close(self) -> None:
        """A thread of obstore lets go of Python's objects just after it has answered. Where the interpreter ends in that
        moment, the thread is ended with it, which Rust takes for a crash (SIGABRT): so it is left alone for a while."""
        await asyncio.sleep(_LETTING_GO)


def _object(meta: ObjectMeta) -> Object:
    return Object(meta["path"], meta["size"], meta["last_modified"].timestamp(), meta["e_tag"])
