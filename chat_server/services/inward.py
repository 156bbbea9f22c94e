"""Files that colleagues sent from a less trusted zone: rebuilt, so that the desks may have them.

Their originals never go inward (`domain.zones.may_read`). What is made here is the rendition `sanitized`; until it is there, and
where it cannot be made, the desks see previews alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.ids import new_id
from chat_server.domain.media import media_type
from chat_server.domain.zones import POLICY_VERSION
from chat_server.ports import Blob, Reader, Tx
from chat_server.sanitizing.report import Report
from chat_server.services import approvals, attachment_events, previews, zone_rules
from chat_server.services.disarming import Tools, is_held
from chat_server.services.photo_upload import Trust, add_blob, keep_large
from chat_server.services.scratch import scratch_folder
from chat_server.services.uploads import HEAD_BYTES
from chat_server.services.zone_rules import Rules
from chat_server.storage.queries import file_reports, settings
from chat_server.storage.queries import inward as queries
from chat_server.storage.queries.held_files import NewHeld

TRIES: Final = 3
_LEASE: Final = limits.HOUR
_LATER: Final = 10 * limits.MINUTE
PIECE: Final = 200
"""Keys of files that one transaction looks at."""
_BACKLOG: Final = "inward_below:"
"""Name of the setting, before the zones: with other zones everything is looked at once more."""
GIVEN_UP: Final = "given_up"
_MARKUP: Final = frozenset(("text/html", "text/xml", "image/svg+xml"))
"""What words that were rebuilt as text may look like; they are text."""

Due = queries.Due


@dataclass(frozen=True, slots=True)
class Begun:
    """The rules that hold, and the zones by which the same bytes came."""

    rules: Rules
    came_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`blob`: its bytes are safe; None: there is none, for `reason`, or because it is `held` for somebody to approve of it."""

    blob: Blob | None
    media_type: str
    reason: str | None = None
    report: bytes | None = None
    held: bool = False


async def resume(tx: Tx) -> None:
    """At the start: what was under way is due now; tries that were made stay counted."""
    await queries.hurry(tx)


async def due(reader: Reader) -> Due | None:
    """What may be tried now."""
    return await queries.due(reader)


async def begin(tx: Tx, job: Due, trust: Trust) -> Begun | None:
    """Count a try before it is made. Answers the rules that hold; None where nobody waits, or it has had its tries."""
    waiting = await queries.waiting(tx, job)
    if not waiting:
        return None
    if job.tries >= TRIES:
        await deliver(tx, job, Rebuilt(None, job.media_type, GIVEN_UP), trust)
        return None
    await queries.postpone(tx, job, tx.now + _LEASE, tries=1)
    return Begun(await zone_rules.rules(tx, job.home), tuple(sorted({zone for _, zone, *_ in waiting})))


async def behind(reader: Reader, zones: Sequence[str]) -> int | None:
    """Below which key files are still to be looked at that were here before the server had these zones; None: all were."""
    if len(zones) < 2:
        return None
    done = await settings.find(reader, _BACKLOG + ",".join(zones))
    below = await queries.newest(reader) if done is None else int(done)
    return below if below > 0 else None


async def catch_up(tx: Tx, zones: Sequence[str]) -> int:
    """Expect rebuilt copies of the next of them, the newest first; answers how many. A bounded piece, and where it stands is kept."""
    below = await behind(tx, zones)
    if below is None:
        return 0
    from_ = max(0, below - PIECE)
    found = await queries.without(tx, below, from_, zones[:-1])
    for turn, (attachment_id, org_id, type_) in enumerate(found, start=1):
        await previews.expect_rebuilt(tx, attachment_id, org_id, type_)
        await queries.take_turn(tx, attachment_id, turn)
    await settings.put(tx, _BACKLOG + ",".join(zones), str(from_))
    return len(found)


async def later(tx: Tx, job: Due) -> None:
    """This try came to nothing."""
    await queries.postpone(tx, job, tx.now + _LATER, tries=0)


async def prepare(tools: Tools, begun: Begun, job: Due) -> Rebuilt:
    """Take it apart, and keep what was rebuilt. Raises `Problem` 8xxx and OSError: to be tried again."""
    async with scratch_folder(tools.scratch) as folder, tools.blobs.local(job.org_id, job.sha256) as source:
        formats = begun.rules.formats(begun.came_by, tools.zones)
        made = await tools.sanitizer.sanitize(source, job.name, folder, formats, (), scanned=begun.rules.scanned)
        if made.output is None:
            reason = msgspec.json.decode(made.report, type=Report).reason
            return Rebuilt(None, job.media_type, reason, made.report, is_held(made, formats))
        with made.output.open("rb") as file:
            found = media_type(file.read(HEAD_BYTES), made.name)
        blob = await keep_large(tools.blobs, job.org_id, made.output)
        return Rebuilt(blob, "text/plain" if found in _MARKUP else found, report=made.report)


async def deliver(tx: Tx, job: Due, made: Rebuilt, trust: Trust) -> None:
    """The rows, for every attachment that waits for these bytes, and an event where it was sent."""
    for attachment_id, zone, withdrawn, org_id, sender_id, sender, name in await queries.waiting(tx, job):
        blob = None if withdrawn else made.blob
        if blob is not None:
            await add_blob(tx, job.org_id, blob, zone, trust)
        await queries.finish(tx, attachment_id, job.org_id, blob, made.media_type, made.reason, POLICY_VERSION)
        if made.report is not None and not withdrawn:
            held_id = None
            if made.held:
                told = msgspec.json.decode(made.report, type=Report)
                row = NewHeld(
                    new_id(tx.now), org_id, None, attachment_id, sender_id, name, told.size_before, told.kind_found or "", zone,
                    job.sha256, made.report, await approvals.ends(tx, org_id),
                )  # fmt: skip
                held_id = await approvals.hold(tx, row, sender, {})
            await file_reports.insert(tx, attachment_id, org_id, made.report, held_id=held_id)
        if not withdrawn:
            await attachment_events.changed(tx, attachment_id)
