"""Which place: the data folder, another folder, or a bucket, as the setting `blobs` says."""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

from chat_server.blobs.address import SCHEME, BadAddress, parse_s3
from chat_server.blobs.bucket import Bucket
from chat_server.blobs.filesystem import FileBlobs
from chat_server.blobs.leftovers import clock_of
from chat_server.blobs.s3 import S3Blobs
from chat_server.domain.errors import Problem
from chat_server.fuse import Fuse
from chat_server.ports import BlobStore


class CannotKeep(Exception):
    """Attachments cannot be kept where the setting `blobs` says; the text says why, and holds no secret."""


def folder_of(blobs: str, data: Path) -> Path | None:
    """The folder that the blobs lie in; None where they lie in a bucket."""
    return None if blobs.startswith(SCHEME) else Path(blobs) if blobs else data / "blobs"


def open_blobs(blobs: str, data: Path, fuse: Fuse, *, owner: bool = False) -> BlobStore:
    """`owner`: the data folder is this process's own, so what is on its way in there was the last one's, and goes. Raises `CannotKeep`. Asks nothing of a bucket: a server whose bucket does not
    answer starts, and says so where somebody wants a file."""
    try:
        root = folder_of(blobs, data)
        if root is None:
            return S3Blobs(Bucket(parse_s3(blobs)), data / "arriving", fuse, owner=owner)
        return FileBlobs(root, fuse, shared=bool(blobs))
    except BadAddress as error:
        raise CannotKeep(f"blobs: {error}.") from None
    except OSError as error:
        raise CannotKeep(f"blobs: {error.filename or blobs} cannot be used ({error.strerror}).") from None


def check(blobs: str) -> None:
    """Write there, if it is not the data folder, and remove it again. Raises `CannotKeep`."""
    if not blobs:
        return
    try:
        if blobs.startswith(SCHEME):
            asyncio.run(_check_bucket(Bucket(parse_s3(blobs))))
        else:
            _check_folder(Path(blobs))
    except BadAddress as error:
        raise CannotKeep(f"blobs: {error}.") from None
    except Problem:
        raise CannotKeep(
            "blobs: the bucket refuses or does not answer. Look at its address, its name, the key and what the key may do."
        ) from None
    except OSError as error:
        raise CannotKeep(f"blobs: {blobs if not error.strerror else error.strerror}: {error}.") from None


def _check_folder(root: Path) -> None:
    """The nearest folder that exists: the first start makes the rest."""
    while not root.exists() and root != root.parent:
        root = root.parent
    clock_of(root)


async def _check_bucket(bucket: Bucket) -> None:
    """Put, read and remove, with the conditions that holding an upload needs. Raises OSError, `Problem` 8007."""
    key = f"check/{os.getpid()}-{secrets.token_hex(8)}"
    try:
        tag = await bucket.put_new(key, b"1")
        await bucket.replace(key, b"2", tag)
        try:
            await bucket.replace(key, b"3", tag)
        except FileExistsError:
            pass
        else:
            raise OSError("the bucket does not know conditional puts (If-Match), which uploads need")
        if await bucket.range(key, 0, 1) != b"2":
            raise OSError("the bucket does not show what was written")
    finally:
        try:
            await bucket.delete(key)
        finally:
            await bucket.close()
