"""From a draft to its ack: photos up, message sent, each as often as it takes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Final

from chat_client.api import Api
from chat_client.clock import Clock, within
from chat_client.connection import TooLarge
from chat_client.draft import Draft, Photo
from chat_client.errors import ClientError, RenrakuError, Stopped, UnexpectedAnswer, Unreachable
from chat_client.events import Event, OutboxFailed, OutboxSent
from chat_client.link import Link
from chat_client.models import Ack
from chat_client.outbox import FolderOutbox, NoOutbox
from chat_client.retry import Backoff, Random

_ATTACHMENT_NOT_FOUND: Final = 5001


class Sender:
    """Sends drafts over `link`, through `outbox` if there is one.

    With an outbox a room's messages go out one after another, in the order they were written, also those of an earlier
    run; and a caller that gives up waiting (`patience` ends, or it is cancelled) does not call its message back.
    """

    def __init__(
        self,
        link: Link,
        api: Api,
        outbox: FolderOutbox | None,
        announce: Callable[[Event], None],
        *,
        clock: Clock,
        random: Random,
        patience: float | None,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._random = random
        self._link = link
        self._api = api
        self._kept = outbox
        self._outbox = outbox or NoOutbox()
        self._announce = announce
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[Ack]] = set()

    def start(self) -> None:
        """Send what an earlier run left behind."""
        if self._kept is not None:
            for draft in self._kept.pending():
                self._start(self._in_turn(self._kept, draft))

    async def send(self, draft: Draft) -> Ack:
        """Raises RenrakuError (refused for good), OSError (a photo cannot be read), Stopped, Unreachable."""
        if self._kept is None:
            return await self._deliver(draft)
        sending = asyncio.shield(self._start(self._put(self._kept, draft)))
        if self._patience is None:
            return await sending
        try:
            return await within(self._clock, self._patience, sending)
        except TimeoutError:
            raise Unreachable("the message is kept and will be sent") from None

    async def close(self) -> None:
        """Stop sending; what the outbox holds stays there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, Ack]) -> asyncio.Task[Ack]:
        task = asyncio.create_task(work, name="renraku-send")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Ack]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _put(self, outbox: FolderOutbox, draft: Draft) -> Ack:
        return await self._in_turn(outbox, await outbox.put(draft))

    async def _in_turn(self, outbox: FolderOutbox, draft: Draft) -> Ack:
        backoff = Backoff(self._random)
        async with self._turns[draft.room]:
            while True:
                try:
                    ack = await self._deliver(outbox.current(draft))
                except (Unreachable, UnexpectedAnswer):
                    # More patient than a caller: it was asked to keep the message until it is sent, and neither a dead
                    # line nor a proxy's error page is the server's word on it.
                    await self._clock.sleep(backoff.next())
                    continue
                except Stopped:
                    raise
                except (RenrakuError, ClientError, OSError) as error:
                    await outbox.done(draft)
                    self._announce(OutboxFailed(draft.client_msg_id, error))
                    raise
                await outbox.done(draft)
                self._announce(OutboxSent(draft.client_msg_id, ack))
                return ack

    async def _deliver(self, draft: Draft) -> Ack:
        try:
            return await self._post(await self._uploaded(draft))
        except RenrakuError as refused:
            if refused.code != _ATTACHMENT_NOT_FOUND or draft.anew() == draft:
                raise
        # Uploaded so long ago that the server swept it. The photos are still here, and the message is not there: one
        # that had arrived would have been answered as the first time.
        return await self._post(await self._uploaded(draft.anew()))

    async def _uploaded(self, draft: Draft) -> Draft:
        for index, photo in enumerate(draft.photos):
            if photo.attachment is None:
                draft = draft.uploaded(index, await self._upload(photo))
                await self._outbox.uploaded(draft)
        return draft

    async def _post(self, draft: Draft) -> Ack:
        fields = draft.fields()
        try:
            answer = await self._link.call("send", room=draft.room, **fields)
        except TooLarge:
            # A long text of four-byte characters is allowed, and does not fit a frame: HTTP takes it.
            answer = await self._api.post_message(draft.room, fields)
        return Ack.from_wire(answer)

    async def _upload(self, photo: Photo) -> str:
        return (await self._api.upload(photo)).id
