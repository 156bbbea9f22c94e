"""Messages that are not acknowledged yet, kept on disk so that a killed process sends them when it runs again.

A folder with a journal (one JSON map a line) and the photos' bytes. It holds what people wrote, unencrypted, readable
for its owner alone.

    {"put": {…a draft…}}                                before anything is sent
    {"uploaded": client_msg_id, "ids": [id or null]}    before the message that names them is sent
    {"done": client_msg_id}                             acknowledged, or refused for good

Attachment ids are journalled because a message sent again has to be the same message: the same `client_msg_id` with
other ids would be refused.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from chat_client.draft import Draft, Photo
from chat_client.durable import replace_file, sync_folder
from chat_client.errors import ClientClosed, OutboxBroken, OutboxInUse

_JOURNAL: Final = "journal"
_PHOTOS: Final = "photos"
T = TypeVar("T")


class Outbox(Protocol):
    """Where drafts wait. `put` and `uploaded` MUST be on disk (if they go there at all) before they return."""

    async def put(self, draft: Draft) -> Draft:
        """Keep it; answers the draft to send, whose photos may now lie elsewhere."""
        ...

    async def uploaded(self, draft: Draft) -> None:
        """Keep the attachment ids of its photos."""
        ...

    async def done(self, draft: Draft) -> None:
        """Forget it."""
        ...


class NoOutbox:
    """Drafts live as long as the process."""

    async def put(self, draft: Draft) -> Draft:
        return draft

    async def uploaded(self, draft: Draft) -> None:
        return

    async def done(self, draft: Draft) -> None:
        return


class FolderOutbox:
    """Drafts in a folder that one process uses at a time.

    One thread does all the writing, in the order it was asked to: an `await` that is cancelled does not leave a
    journal line half written beside another one.
    """

    def __init__(self, folder: Path) -> None:
        """Open `folder`, made if need be. Raises OutboxInUse, OutboxBroken, OSError."""
        self._folder = folder
        self._photos = folder / _PHOTOS
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._photos.mkdir(exist_ok=True, mode=0o700)
        self._held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._pending = self._read()
            self._rewrite()
            self._journal = os.open(folder / _JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except BlockingIOError:
            os.close(self._held)
            raise OutboxInUse(str(folder)) from None
        except BaseException:
            os.close(self._held)
            raise
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="renraku-outbox")
        self._closed = False

    async def close(self) -> None:
        """Finish what is being written, and let another process use the folder."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._thread.shutdown)
            os.close(self._journal)
            os.close(self._held)

    def pending(self) -> list[Draft]:
        """What is not acknowledged yet, in the order it was written."""
        return list(self._pending.values())

    def current(self, draft: Draft) -> Draft:
        """`draft` with what is known of its uploads by now."""
        return self._pending.get(draft.client_msg_id, draft)

    async def put(self, draft: Draft) -> Draft:
        return await self._write(self._put, draft)

    async def uploaded(self, draft: Draft) -> None:
        await self._write(self._uploaded, draft)

    async def done(self, draft: Draft) -> None:
        await self._write(self._done, draft)

    async def _write(self, act: Callable[[Draft], T], draft: Draft) -> T:
        if self._closed:
            raise ClientClosed
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, draft)

    # In the thread

    def _put(self, draft: Draft) -> Draft:
        photos: list[Photo] = []
        for photo in draft.photos:
            if photo.source is None:
                photos.append(photo)
                continue
            # A copy: the original may be gone or changed before the signal is back.
            kept = self._photos / photo.key
            replace_file(kept, photo.source if isinstance(photo.source, bytes) else photo.source.read_bytes())
            photos.append(replace(photo, source=kept))
        draft = replace(draft, photos=tuple(photos))
        self._append({"put": _to_json(draft)}, sync=True)
        self._pending[draft.client_msg_id] = draft
        return draft

    def _uploaded(self, draft: Draft) -> None:
        ids = [photo.attachment for photo in draft.photos]
        self._append({"uploaded": draft.client_msg_id, "ids": ids}, sync=True)
        self._pending[draft.client_msg_id] = draft

    def _done(self, draft: Draft) -> None:
        # Not synced: if this line is lost, the message is sent once more and answered as before.
        self._append({"done": draft.client_msg_id}, sync=False)
        self._pending.pop(draft.client_msg_id, None)
        for photo in draft.photos:
            (self._photos / photo.key).unlink(missing_ok=True)
        if not self._pending:
            os.ftruncate(self._journal, 0)

    def _append(self, line: dict[str, Any], *, sync: bool) -> None:
        data = memoryview(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        while data:
            data = data[os.write(self._journal, data) :]
        if sync:
            os.fsync(self._journal)

    def _read(self) -> dict[str, Draft]:
        try:
            lines = (self._folder / _JOURNAL).read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        pending: dict[str, Draft] = {}
        # What follows the last line end is a line that a crash cut off: it was never promised.
        for number, line in enumerate(lines[:-1], start=1):
            try:
                self._replay(pending, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise OutboxBroken(f"{self._folder}, line {number}") from None
        return pending

    def _replay(self, pending: dict[str, Draft], line: dict[str, Any]) -> None:
        if "put" in line:
            draft = _from_json(line["put"], self._photos)
            pending[draft.client_msg_id] = draft
        elif "uploaded" in line and line["uploaded"] in pending:
            draft = pending[line["uploaded"]]
            photos = [replace(photo, attachment=each) for photo, each in zip(draft.photos, line["ids"], strict=True)]
            pending[draft.client_msg_id] = replace(draft, photos=tuple(photos))
        elif "done" in line:
            pending.pop(line["done"], None)

    def _rewrite(self) -> None:
        lines = [json.dumps({"put": _to_json(draft)}, ensure_ascii=False) + "\n" for draft in self._pending.values()]
        replace_file(self._folder / _JOURNAL, "".join(lines).encode())
        wanted = {photo.key for draft in self._pending.values() for photo in draft.photos}
        for kept in self._photos.iterdir():
            if kept.name not in wanted:
                kept.unlink()
        sync_folder(self._folder)


def _to_json(draft: Draft) -> dict[str, Any]:
    photos = [
        {"key": photo.key, "name": photo.name, "id": photo.attachment, "bytes": photo.source is not None}
        for photo in draft.photos
    ]
    return {
        "client_msg_id": draft.client_msg_id,
        "room": draft.room,
        "text": draft.text,
        "blocks": None if draft.blocks is None else list(draft.blocks),
        "photos": photos,
        "quote": draft.quote,
        "forward": draft.forward,
    }


def _from_json(raw: dict[str, Any], folder: Path) -> Draft:
    photos = tuple(
        Photo(folder / each["key"] if each["bytes"] else None, each["name"], each["key"], each["id"])
        for each in raw["photos"]
    )
    return Draft(raw["client_msg_id"], raw["room"], raw["text"], raw["blocks"], photos, raw["quote"], raw["forward"])
