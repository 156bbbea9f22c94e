"""What commits leave to do (the outbox), in steps that may safely be done twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.ports import Reader, Tx
from chat_server.services import bots, hook_deliveries, own_stream, sharing
from chat_server.storage.queries import outbox, people_streams

MESSAGE: Final = "message"
PUSH: Final = "push"
"""A message that bots and webhooks have got already, and that waits to be pushed."""
DIRECTORY: Final = "directory"
CLOSED_SIDE: Final = sharing.CLOSED_SIDE


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    org_id: int
    kind: str
    room_id: int | None
    seq: int | None


async def oldest(tx: Reader, limit: int, *, pushing: bool = False) -> list[Job]:
    """Jobs in the order of their commits. `pushing`: somebody else looks after those that wait to be pushed; where nobody does,
    they are done without."""
    return [Job(*row) for row in await outbox.oldest(tx, PUSH if pushing else "", limit)]


async def to_push(tx: Reader, limit: int) -> list[Job]:
    """Messages that wait to be pushed, in the order of their commits."""
    return [Job(*row) for row in await outbox.to_push(tx, limit)]


async def pushed(tx: Tx, batch: Sequence[Job]) -> None:
    """Whom these wake is in the ledger of pushes."""
    await outbox.done(tx, [job.id for job in batch])


async def finish(tx: Tx, batch: Sequence[Job], *, pushing: bool = False) -> int:
    """All of these are done, and nothing else; in the same step bots and webhooks get what was sent. Answers how many
    things they have to do now. `pushing`: messages wait to be pushed from now on; a ledger that fails holds up no bot."""
    messages = [(job.room_id, job.seq) for job in batch if job.kind == MESSAGE]
    sent = [(room, seq) for room, seq in messages if room is not None and seq is not None]
    expected = await bots.expect(tx, sent) + await hook_deliveries.expect(tx, sent)
    waking = [job.id for job in batch if pushing and job.kind == MESSAGE]
    if waking:
        await outbox.push(tx, waking)
    if done := [job.id for job in batch if job.id not in set(waking)]:
        await outbox.done(tx, done)
    return expected


async def people_after(tx: Reader, org_id: int, after: int, limit: int) -> tuple[list[int], int]:
    """The next people of an organization (integer keys), and its directory's version."""
    return await people_streams.chunk(tx, org_id, after, limit)


async def tell_directory(tx: Tx, org_id: int, people: Sequence[int], version: int) -> None:
    """A changed directory goes into everybody's own stream."""
    for user_id in people:
        await own_stream.append(tx, user_id, org_id, DIRECTORY, {"version": version})


async def empty_closed(tx: Tx, room_id: int) -> bool:
    """One step of taking out those whose side of the room is closed; true if some are left."""
    return await sharing.empty_closed(tx, room_id)
