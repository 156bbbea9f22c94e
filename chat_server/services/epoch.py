"""The generation of the streams: it changes when the server is restored, and then no position means anything."""

from __future__ import annotations

from typing import Final

from chat_server.domain.events import EpochChanged
from chat_server.domain.ids import new_id
from chat_server.ports import Storage, Tx
from chat_server.services import audit
from chat_server.services.authority import Operator
from chat_server.storage.queries import organizations, settings

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


async def restored(tx: Tx) -> str:
    """The data is that of an earlier time: positions that clients hold may name other events than they did. Answers the
    new epoch; with it every client drops what it holds and loads it anew.

    It stands in every organization's audit trail, because the trail ends where the copy was made: a head that was noted
    later is missing in it. Nothing is revoked: a device that has renewed its session since then signs in again.
    """
    epoch = new_id(tx.now)
    await settings.change(tx, _NAME, epoch)
    for one in await organizations.all_organizations(tx):
        await audit.record_by(tx, Operator(one.id), "server.restored", one.public_id, {"epoch": epoch})
    tx.emit(EpochChanged(epoch))
    return epoch
