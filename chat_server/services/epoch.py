"""The generation of the streams: it changes when the server is restored, and then no position means anything."""

from __future__ import annotations

from typing import Final

from chat_server.domain.events import EpochChanged
from chat_server.domain.ids import new_id
from chat_server.ports import Storage, Tx
from chat_server.storage.queries import settings

_NAME: Final = "epoch"


async def stream_epoch(storage: Storage) -> str:
    """The present epoch, made at the first start."""

    async def find_or_make(tx: Tx) -> str:
        epoch = await settings.find(tx, _NAME)
        if epoch is None:
            epoch = new_id(tx.now)
            await settings.add(tx, _NAME, epoch)
        return epoch

    return await storage.write(find_or_make)


async def begin_anew(tx: Tx) -> str:
    """Answers the new epoch; with it every client drops what it holds and loads it anew."""
    epoch = new_id(tx.now)
    await settings.change(tx, _NAME, epoch)
    tx.emit(EpochChanged(epoch))
    return epoch
