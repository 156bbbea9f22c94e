"""Files of any size: up by tus 1.0 (docs/protocol.md, section 7), down by ranges. A cut costs what was on the line.

One long PATCH and no checksum of its parts: with a checksum a request counts whole or not at all, and a line that breaks
every minute would never bring a large one through. TLS sees to it that bytes do not change on their way, and whoever
downloads compares the length.
"""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from chat_client.clock import Clock
from chat_client.durable import replace_file
from chat_client.errors import RenrakuError, SignInRequired, UnexpectedAnswer
from chat_client.http import Body, Http
from chat_client.models import Addresses, Attachment
from chat_client.retry import Cut, Random, Tries
from chat_client.session import Session

UPLOADS: Final = "/api/uploads"
_TUS: Final = {"Tus-Resumable": "1.0.0"}
_READ: Final = 256 * 1024
_NAME, _ENDING = 200, 20
"""Bytes of a name, and of its ending: file systems end at 255, and the temporary name is longer."""
_GONE, _OFFSET, _BUSY = 5008, 5009, 5013
_ADDRESS_EXPIRED: Final = 5006
_ANEW: Final = 3
"""Times that an upload may be begun from nothing: one that vanishes again and again is not made better by trying."""

Progress = Callable[[int, int], None]
"""Gets (bytes that are up or down, bytes in all)."""


class Places(Protocol):
    """Where uploads of earlier runs lie, by what they are of."""

    def get(self, file: str) -> str | None: ...

    def put(self, file: str, place: str | None) -> None: ...


class FilePlaces:
    """In one small file, so that a command that is run again goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, file: str) -> str | None:
        found = self._read().get(file)
        return found if isinstance(found, str) else None

    def put(self, file: str, place: str | None) -> None:
        known = self._read()
        known.pop(file, None)
        if place is not None:
            known[file] = place
        replace_file(self._path, json.dumps(known).encode())

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            known = json.loads(self._path.read_bytes())
            if isinstance(known, dict):
                return known
        return {}


class Refused(Exception):
    """The server gives no address for a file here. `ja`, `en` say why."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en


class Transfers:
    """On behalf of the signed-in person. Every method raises what `Api`'s do, and OSError."""

    def __init__(
        self,
        http: Http,
        session: Session,
        call: Callable[..., Any],
        addresses: Callable[[list[str]], Any],
        *,
        clock: Clock,
        random: Random,
        patience: float | None,
    ) -> None:
        """`patience`: seconds without any progress; None for ever."""
        self._http = http
        self._session = session
        self._call = call
        self._addresses = addresses
        self._clock = clock
        self._random = random
        self._patience = patience

    # Up

    async def upload(
        self,
        path: Path,
        *,
        name: str | None = None,
        kind: str = "file",
        progress: Progress | None = None,
        places: Places | None = None,
    ) -> Attachment:
        """The attachment that the file at `path` has become, not sent yet."""
        size, mark = await asyncio.to_thread(_known, path, name or path.name, kind)
        place = places.get(mark) if places else None
        tries, begun, before = self._tries(), 0, -1
        while True:
            try:
                if place is None:
                    place = await self._begin(name or path.name, kind, size)
                    begun += 1
                    if places:
                        places.put(mark, place)
                state = await self._call("GET", place)
                offset = int(state["offset"])
                if progress:
                    progress(offset, size)
                if state["attachment"] is not None:
                    if places:
                        places.put(mark, None)
                    return Attachment.from_wire(state["attachment"])
                if offset > before:
                    tries, before = self._tries(), offset
                await self._send(place, path, offset, size, progress)
            except RenrakuError as error:
                if error.code == _GONE and begun < _ANEW:
                    place, before = None, -1
                elif error.code in (_OFFSET, _BUSY):
                    await tries.wait(Cut(str(error), sent=True))
                else:
                    await tries.wait(error)
            except (Cut, UnexpectedAnswer) as error:
                await tries.wait(error)

    async def _begin(self, name: str, kind: str, size: int) -> str:
        words = {"filename": name, "kind": kind}
        described = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in words.items())
        headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": described}
        _, told = await self._authorized("POST", UPLOADS, headers=headers)
        place = told.get("location", "")
        if not place.startswith(UPLOADS + "/"):
            raise UnexpectedAnswer(201)
        return str(place)

    async def _send(self, place: str, path: Path, offset: int, size: int, progress: Progress | None) -> None:
        headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        body = Body(size - offset, lambda: _slice(path, offset, size, progress))
        await self._authorized("PATCH", place, headers=headers, body=body)

    async def _authorized(self, method: str, path: str, **what: Any) -> Any:
        """Once, and once more with a new token where the old one was refused."""
        token = await self._session.access_token()
        try:
            return await self._http.exchange(method, path, token=token, **what)
        except RenrakuError as error:
            if not error.token_refused:
                raise
        await self._session.refused(token)
        renewed = await self._session.access_token()
        if renewed == token:
            raise SignInRequired("the access token was refused")
        return await self._http.exchange(method, path, token=renewed, **what)

    # Down

    async def download(self, attachment: str, target: Path | None = None, *, progress: Progress | None = None) -> Path:
        """Into the file `target`, which must not exist: under a temporary name beside it, then renamed; answers it. In a
        folder, or the current one, it gets the attachment's own name, made safe. Raises `Refused`, FileExistsError."""
        if target is None or await asyncio.to_thread(target.is_dir):
            target = (target or Path()) / safe_name((await self._found(attachment)).name)
        if await asyncio.to_thread(target.exists):
            raise FileExistsError(str(target))
        part = target.with_name(f".{target.name}.part")
        tries, etag, have = self._tries(), "", 0
        with await asyncio.to_thread(part.open, "wb") as file:
            try:
                while True:
                    try:
                        address = await self._address(attachment)
                        async with aclosing(self._http.fetch(address, have, etag)) as pieces:
                            etag = (await anext(pieces)).decode("latin-1")
                            async for piece in pieces:
                                await asyncio.to_thread(file.write, piece)
                                have += len(piece)
                                tries = self._tries()
                                if progress:
                                    progress(have, 0)
                        break
                    except UnexpectedAnswer as error:
                        if error.status != 200:
                            await tries.wait(error)
                        # Not the file that it was: from the beginning.
                        await asyncio.to_thread(file.truncate, 0)
                        await asyncio.to_thread(file.seek, 0)
                        have, etag = 0, ""
                    except RenrakuError as error:
                        if error.code != _ADDRESS_EXPIRED:
                            await tries.wait(error)
                    except Cut as error:
                        await tries.wait(error)
                await asyncio.to_thread(_settle, file.fileno(), file)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        part.rename(target)
        return target

    async def _address(self, attachment: str) -> str:
        found = await self._found(attachment)
        for kind in ("original", "passed", "sanitized"):
            if kind in found.paths:
                return found.paths[kind]
        ja, en = found.refused or ("", "")
        raise Refused(ja, en)

    async def _found(self, attachment: str) -> Addresses:
        found: list[Addresses] = await self._addresses([attachment])
        if not found:
            raise RenrakuError(
                5001, "attachment_not_found", None, {}, "添付が見つかりません。", "There is no such attachment."
            )
        return found[0]

    def _tries(self) -> Tries:
        return Tries(self._clock, self._random, self._patience)


def _known(path: Path, name: str, kind: str) -> tuple[int, str]:
    """(size, what tells the same file again)."""
    found = path.stat()
    return found.st_size, f"{path.absolute()}:{found.st_size}:{found.st_mtime_ns}:{kind}:{name}"


def _settle(descriptor: int, file: Any) -> None:
    file.flush()
    os.fsync(descriptor)


async def _slice(path: Path, offset: int, size: int, progress: Progress | None) -> AsyncGenerator[bytes, None]:
    """The file from `offset` on, not past the size that was announced, should it be growing."""
    source = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(source.seek, offset)
        while offset < size and (data := await asyncio.to_thread(source.read, min(_READ, size - offset))):
            yield data
            offset += len(data)
            if progress:
                progress(offset, size)
    finally:
        source.close()


def safe_name(name: str) -> str:
    """What the server calls a file, as one part of a path here: whatever it says, it leads nowhere else, hides nothing and
    is no option of a command."""
    kept = "".join(c for c in name if c.isprintable()).replace("/", "_").replace("\\", "_").strip(". ").lstrip("-")
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending.encode()) > _ENDING:
        stem, dot, ending = kept, "", ""
    cut = stem.encode()[: _NAME - len((dot + ending).encode())].decode("utf-8", "ignore")
    return cut + dot + ending or "file"
