"""Making parcels of what was taken from the queue, as of now: who has read it meanwhile is not rung."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from chat_server.ports import Storage
from chat_server.services import push_loading
from chat_server.services.push_loading import Loaded, PushToken
from mobile_api.ledger.port import (
    BADGE,
    CLEAR,
    NO_DEVICE,
    READ,
    REFUSED,
    RING,
    WITHDRAWN,
    Settled,
    Taken,
)
from mobile_api.providers.port import Parcel
from mobile_api.push.lanes import lane_of, silent_badge, silent_clear
from mobile_api.push.payload import CannotSeal, parcel


@dataclass(frozen=True, slots=True)
class Ready:
    taken: Taken
    token: PushToken
    parcel: Parcel


_AT_ONCE: Final = 4
"""Sealing is arithmetic (0.2 ms): after a few, whoever waits for the event loop has it."""
_GONE: Final = "the device is signed out, waits for approval, or has no token any more"


class Preparer:
    """`secret`: for collapse keys. `origin`: see `payload.parcel`."""

    def __init__(self, storage: Storage, secret: bytes, most_trusted: str, origin: str) -> None:
        self._storage = storage
        self._secret = secret
        self._most_trusted = most_trusted
        self._origin = origin

    async def prepare(self, taken: Sequence[Taken]) -> tuple[list[Ready], list[Settled]]:
        """Those that go out, and what became of the others."""
        users = {one.user_id for one in taken}
        rooms = {one.room_id for one in taken if one.room_id}
        messages = {one.message_id for one in taken if one.kind == RING}
        loaded = await self._storage.read(
            lambda reader: push_loading.load(reader, users, rooms, messages, self._most_trusted)
        )
        ready: list[Ready] = []
        settled: list[Settled] = []
        begun = time.perf_counter()
        for number, one in enumerate(taken, 1):
            if number % _AT_ONCE == 0:
                # as long a rest as the work was: those who wait for an ack come first
                await asyncio.sleep(time.perf_counter() - begun)
                begun = time.perf_counter()
            token = loaded.tokens.get(one.device_id)
            if token is None or token.user_id != one.user_id:
                settled.append(Settled(one.id, one.tries, NO_DEVICE, _GONE))
                continue
            # Registered elsewhere since it was queued: the former provider would call a token that is not its own dead.
            one = replace(one, lane=lane_of(token.platform, token.token))
            if (idle := _idle(one, loaded)) is not None:
                settled.append(idle)
            else:
                try:
                    made = parcel(one, token, loaded, self._secret, self._origin)
                    ready.append(Ready(one, token, made))
                except CannotSeal as error:
                    settled.append(Settled(one.id, one.tries, REFUSED, f"cannot be sealed: {error}"))
        return ready, settled


def _idle(one: Taken, loaded: Loaded) -> Settled | None:
    """Why it need not go out (any more)."""
    if one.kind == BADGE:
        if silent_badge(one.lane):
            return None
        return Settled(one.id, one.tries, WITHDRAWN, "the browser must show every push")
    if one.kind == CLEAR:
        if silent_clear(one.lane):
            return None
        return Settled(
            one.id, one.tries, WITHDRAWN, "the browser must show every push; cleared when it opens", rang=True
        )
    read = loaded.read.get((one.user_id, one.room_id))
    if read is None:
        return Settled(one.id, one.tries, WITHDRAWN, "not in the room any more")
    if read >= one.seq:
        # a first try whose answer is not known may have rung: `rung` has it, and it is cleared from there
        return Settled(one.id, one.tries, READ, "read elsewhere")
    message = loaded.messages.get(one.message_id)
    if message is None or message.redacted_at is not None:
        return Settled(one.id, one.tries, WITHDRAWN, "the message was taken back")
    if not one.urgent and (why := loaded.hushed.get(one.user_id)) is not None:
        # decided in the evening, held up by a line that was down: at night it must not ring for that
        return Settled(one.id, one.tries, WITHDRAWN, f"by now: {why}")
    return None
