"""Files that people outside hand in: begun, continued in parts, whole and sealed; then they wait to be disarmed.

What is announced counts towards the organization until it is whole; what is in quarantine does not, what is released does again
(`disarming`). How far a file has come is told by its bytes (`ports.Part.size`), as with `uploads`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.errors import (
    FILE_TOO_LARGE,
    LINK_BYTES_FULL,
    LINK_CLOSED,
    LINK_FILES_FULL,
    LINK_GONE,
    LINK_NOTHING_CAME,
    LINK_STILL_COMING,
    UPLOAD_NOT_FOUND,
    Problem,
)
from chat_server.domain.file_names import display_path
from chat_server.domain.ids import is_id, new_id
from chat_server.ports import Reader, Tx
from chat_server.services import audit, handed_names, link_visits, quarantine, quota
from chat_server.services.link_news import told
from chat_server.services.link_wire import COMING
from chat_server.services.photo_upload import Trust, add_blob
from chat_server.services.quarantine import Sealed
from chat_server.services.uploads import NAMELESS
from chat_server.storage.queries import handed_files as queries
from chat_server.storage.queries import link_visits as visits
from chat_server.storage.queries import upload_links as links
from chat_server.storage.queries.handed_files import HandedFile as HandedFile
from chat_server.storage.queries.handed_files import NewFile
from chat_server.storage.queries.link_visits import Visit
from chat_server.storage.queries.upload_links import Link

Wire = dict[str, Any]
STEP: Final = 20
"""Files that one transaction forgets."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a visit: its token, and where they came in by."""

    token: str
    zone: str
    address: str

    def __repr__(self) -> str:
        return f"Holder(zone={self.zone!r})"


async def begin(tx: Tx, holder: Holder, name: str, size: int, zones: Sequence[str] = ()) -> tuple[str, int]:
    """Announce a file of `size` bytes; the first one takes the one delivery that some links have: one winner. Answers its public id
    and until when its bytes are waited for.

    `zones`: from the least to the most trusted. Raises `Problem` 7101 (another one took it), 7102, 7110 (over), 7121 (its name), 7111, 7112, 5011 (larger than the organization allows), 5018.
    """
    visit, link = await link_visits.find(tx, holder.token, holder.zone)
    if visit.delivered_at is not None or link.done_at is not None or link.ends_at <= tx.now:
        raise Problem(LINK_CLOSED)
    await handed_names.check(tx, link, name, holder.zone, zones)
    if link.is_once and not await queries.any_of_visit(tx, link.id, visit.id) and not await links.claim(tx, link.id):
        raise Problem(LINK_GONE)
    if link.taken_files >= link.most_files or link.tried_files >= link.most_files * limits.LINK_TRIES:
        raise Problem(LINK_FILES_FULL, limit=link.most_files)
    if link.taken_bytes + size > link.most_bytes:
        left = max(0, link.most_bytes - link.taken_bytes)
        raise Problem(LINK_BYTES_FULL, field="Upload-Length", left=quota.readable(left))
    if size > (largest := await quota.largest(tx, link.org_id)):
        raise Problem(FILE_TOO_LARGE, field="Upload-Length", limit=largest)
    await quota.take_for_all(tx, link.org_id, size)
    public_id, expires = new_id(tx.now), await link_visits.went_on(tx, visit, link)
    await queries.insert(
        tx,
        NewFile(
            public_id=public_id,
            org_id=link.org_id,
            link_id=link.id,
            visit_id=visit.id,
            room_id=link.room_id,
            name=display_path(name, NAMELESS),
            size=size,
            zone=holder.zone,
            expires_at=expires,
        ),
    )
    return public_id, expires


async def find(reader: Reader, holder: Holder, public_id: str) -> HandedFile:
    """A file of this visit. Raises `Problem` 7101, 7102, 5008."""
    return (await _found(reader, holder, public_id))[2]


async def went_on(tx: Tx, holder: Holder, public_id: str) -> int:
    """More of it is safe: it, and its visit, live longer. Answers until when."""
    visit, link, file = await _found(tx, holder, public_id)
    expires = await link_visits.went_on(tx, visit, link)
    await queries.prolong(tx, file.id, expires)
    return expires


async def cancel(tx: Tx, holder: Holder, public_id: str) -> None:
    """It is not wanted any more; what is whole was received and stays (5008). Raises as `find`."""
    _, _, file = await _found(tx, holder, public_id)
    if not await _drop(tx, file):
        raise Problem(UPLOAD_NOT_FOUND)


async def finish(tx: Tx, holder: Holder, public_id: str, sealed: Sealed, trust: Trust) -> None:
    """It is whole, and sealed; the SHA-256 of what was received is what the receipt promises.
    From here on it waits to be disarmed. Once: whoever asks again changes nothing. Raises as `find`."""
    visit, link, file = await _found(tx, holder, public_id)
    ends = await quarantine.ends(tx, link.org_id)
    if not await queries.finish(tx, file.id, sealed.received.sha256, sealed.blob.sha256, ends):
        return
    await quota.give_back_for_all(tx, link.org_id, file.size)
    await add_blob(tx, link.org_id, sealed.blob, file.zone, trust)
    await link_visits.went_on(tx, visit, link)
    await told(tx, link)


async def deliver(tx: Tx, holder: Holder) -> Wire:
    """「これで全部です」: nothing more comes by this visit, and by a link of one delivery nothing at all. Answers the receipt.

    Raises `Problem` 7101, 7102, 7113 (something is on its way), 7114 (nothing came).
    """
    visit, link = await link_visits.find(tx, holder.token, holder.zone)
    if visit.delivered_at is None:
        files = await queries.of_visit(tx, link.id, visit.id)
        if any(file.state == COMING for file in files):
            raise Problem(LINK_STILL_COMING)
        if not files:
            raise Problem(LINK_NOTHING_CAME)
        await visits.deliver(tx, visit.id)
        if link.is_once:
            await links.close(tx, link.id)
        detail = {"room": link.room, "files": len(files)}
        await audit.record(
            tx, link.org_id, link.public_id, "link.deliver", visit.public_id, detail, holder.zone, holder.address
        )
        await told(tx, link)
    return await link_visits.receipt(tx, holder.token, holder.zone)


async def _found(reader: Reader, holder: Holder, public_id: str) -> tuple[Visit, Link, HandedFile]:
    visit, link = await link_visits.find(reader, holder.token, holder.zone)
    file = await queries.find(reader, visit.id, public_id) if is_id(public_id) else None
    if file is None:
        raise Problem(UPLOAD_NOT_FOUND)
    return visit, link, file


async def _drop(tx: Tx, file: HandedFile) -> bool:
    """False where it is whole. A link whose one delivery brought nothing is as good as before."""
    if not await queries.remove_coming(tx, file.id):
        return False
    await quota.give_back_for_all(tx, file.org_id, file.size)
    await links.free(tx, file.link_id)
    return True


# Sweeping


async def abandoned(reader: Reader) -> list[HandedFile]:
    """The next that nobody adds to any more; none if that was all."""
    return await queries.abandoned(reader, STEP)


async def forget(tx: Tx) -> int:
    """Remove the next whose time is over; answers how many."""
    going = await queries.abandoned(tx, STEP)
    for file in going:
        await _drop(tx, file)
    return len(going)


async def over(reader: Reader) -> list[Visit]:
    """The next visits whose time is over, though nobody said 「これで全部です」; none if that was all."""
    return await visits.over(reader, STEP)


async def end_silent(tx: Tx) -> int:
    """What they handed in counts as delivered: a link of one delivery is done, and its room is told. Answers how many."""
    found = await visits.over(tx, STEP)
    for visit in found:
        link = await links.by_id(tx, visit.link_id)
        if not await visits.end_silently(tx, visit.id):
            continue
        if link.is_once and link.revoked_at is None:
            await links.close(tx, link.id)
        detail = {"room": link.room, "silent": True}
        await audit.record(tx, link.org_id, link.public_id, "link.deliver", visit.public_id, detail, visit.zone, "")
        await told(tx, link)
    return len(found)


async def forget_all_coming(tx: Tx) -> int:
    """After a restore: their bytes are not in a backup."""
    going = await queries.coming(tx)
    for file in going:
        await _drop(tx, file)
    return len(going)
