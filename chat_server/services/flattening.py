"""The pages of a file as pictures: a document that can be looked at and printed, and do nothing else.

Whoever may see a file may ask for it, whatever the file is and however it came; it is made once for everybody. Where a rebuilt
document looks wrong, or somebody does not want to trust one, this is what there is instead. Made by the sanitizer, as everything is that
opens files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import NO_PAGES, RATE_LIMITED, Problem
from chat_server.domain.zones import POLICY_VERSION
from chat_server.ports import Blob, Reader, Tx
from chat_server.sanitizing import words
from chat_server.sanitizing.report import Report
from chat_server.services import zone_rules
from chat_server.services.access import visible_attachment
from chat_server.services.disarming import Tools
from chat_server.services.photo_upload import PHOTO, Trust, add_blob, keep_large
from chat_server.services.scratch import scratch_folder
from chat_server.services.zone_rules import KINDS
from chat_server.storage.queries import flattening as queries
from chat_server.storage.queries.attachments import Seen

Wire = dict[str, Any]
Due = queries.Due
Formats = Mapping[str, str]
TRIES: Final = 3
PDF: Final = "application/pdf"
_LEASE: Final = limits.HOUR
_LATER: Final = 10 * limits.MINUTE
_WHOLE: Final[Formats] = {kind: "flatten" for kinds in KINDS.values() for kind in kinds}

WITHOUT_PAGES: Final = "no_pages"
GIVEN_UP: Final = "given_up"
_OWN_REASONS: Final = {
    WITHOUT_PAGES: (NO_PAGES.ja, NO_PAGES.en),
    GIVEN_UP: ("ページの画像を作れませんでした。", "The pictures of its pages could not be made."),
}


async def ask(tx: Tx, actor: Actor, attachment: str) -> Wire:
    """Have it made, unless it is made already. Answers as `state`.

    Raises `Problem` 5001 (not there for them, or withdrawn), 5020 (a photo), 8005 (too many of theirs wait).
    """
    one = await visible_attachment(tx, actor, attachment)
    if one.kind == PHOTO:
        raise Problem(NO_PAGES)
    wanted = await queries.of(tx, one.id)
    if wanted is None or wanted.state == "failed":
        most = limits.FLATTENINGS_WAITING
        if await queries.waiting_for(tx, actor.user_id, most) >= most:
            raise Problem(RATE_LIMITED, retry_after=limits.MINUTE // limits.SECOND)
        await queries.want(tx, one.id, one.org_id, actor.user_id)
    return await _state(tx, one)


async def state(reader: Reader, actor: Actor, attachment: str) -> Wire:
    """`{state, reason}`: none (nobody asked), pending, ready (then it has an address), failed. Raises `Problem` 5001."""
    return await _state(reader, await visible_attachment(reader, actor, attachment))


async def _state(reader: Reader, one: Seen) -> Wire:
    wanted = await queries.of(reader, one.id)
    if wanted is None:
        return {"state": "none", "reason": None}
    known = _OWN_REASONS.get(wanted.reason) or words.REASONS.get(wanted.reason, (_OWN_REASONS[GIVEN_UP],))[0]
    return {"state": wanted.state, "reason": {"ja": known[0], "en": known[1]} if wanted.state == "failed" else None}


# The worker's steps


async def resume(tx: Tx) -> None:
    """At the start: what was under way is due now; tries that were made stay counted."""
    await queries.hurry(tx)


async def due(reader: Reader) -> Due | None:
    """What may be tried now."""
    return await queries.due(reader)


async def begin(tx: Tx, job: Due, zones: Sequence[str]) -> Formats | None:
    """Count a try before it is made. Answers what is to be done by the kind of file; None where there is nothing (any more).

    What the organization refuses of a less trusted zone does not come in as pictures either. `zones`: all, the least trusted first.
    """
    if job.withdrawn or job.sha256 is None or job.tries >= TRIES:
        await queries.fail(tx, job.attachment_id, GIVEN_UP)
        return None
    await queries.postpone(tx, job.attachment_id, tx.now + _LEASE, tries=1)
    if job.origin_zone == zones[-1]:
        return _WHOLE
    formats = (await zone_rules.rules(tx, job.org_id)).formats((job.origin_zone,), zones)
    return {kind: "refuse" if formats.get(kind) == "refuse" else wish for kind, wish in _WHOLE.items()}


async def later(tx: Tx, job: Due) -> None:
    """This try came to nothing."""
    await queries.postpone(tx, job.attachment_id, tx.now + _LATER, tries=0)


async def prepare(tools: Tools, job: Due, formats: Formats) -> Blob | str:
    """The bytes, kept; or why there are none. Raises `Problem` 8xxx and OSError: to be tried again."""
    assert job.blob_org is not None
    assert job.sha256 is not None
    async with scratch_folder(tools.scratch) as folder, tools.blobs.local(job.blob_org, job.sha256) as source:
        made = await tools.sanitizer.sanitize(source, job.name, folder, formats, (), scanned=False)
        told = msgspec.json.decode(made.report, type=Report)
        # Of a drawing, the page that shows it.
        pages = made.page or (made.output if told.action == "flattened" else None)
        if pages is None:
            return told.reason or WITHOUT_PAGES
        return await keep_large(tools.blobs, job.org_id, pages)


async def deliver(tx: Tx, job: Due, made: Blob | str, trust: Trust) -> None:
    """A rendition of its own, or the reason why there is none."""
    if isinstance(made, str):
        await queries.fail(tx, job.attachment_id, made)
        return
    await add_blob(tx, job.org_id, made, job.origin_zone, trust)
    await queries.finish(tx, job.attachment_id, job.org_id, made, PDF, POLICY_VERSION)
