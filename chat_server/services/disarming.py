"""What was handed in by a link: rebuilt or refused, and then the room's to see.

Nothing here waits for a decoder inside of a transaction: `prepare` makes the files, `deliver` writes the rows. A file is released
by `deliver` alone, and only with what a sanitizer has put out; every other end is a refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import NOT_A_PHOTO, PHOTO_BROKEN, PHOTO_TOO_MANY_PIXELS, Problem
from chat_server.domain.file_names import display_name
from chat_server.domain.ids import new_id
from chat_server.domain.links import FAMILIES, OTHERS
from chat_server.domain.media import media_type
from chat_server.domain.previews import PHOTOS
from chat_server.domain.zones import PASSED, POLICY_VERSION, SANITIZED
from chat_server.ports import Blob, BlobStore, Disarmed, Photos, Reader, Sanitizer, Seals, Tx
from chat_server.sanitizing.report import Report
from chat_server.services import approvals, audit, link_news, previews, quarantine, quota, zone_rules
from chat_server.services.keys import Keys
from chat_server.services.photo_upload import Prepared, Trust, add_blob, insert_photo, keep_large, prepare_kept_photo
from chat_server.services.scratch import scratch_folder
from chat_server.services.uploads import FILE, HEAD_BYTES, NAMELESS
from chat_server.services.zone_rules import Rules
from chat_server.storage.queries import attachments, file_reports, upload_links
from chat_server.storage.queries import disarming as queries
from chat_server.storage.queries.attachments import NewAttachment, NewRendition
from chat_server.storage.queries.held_files import NewHeld

TRIES: Final = 3
_LEASE: Final = limits.HOUR
"""Longer than any file may take: whoever is killed meanwhile has its files tried again at the next start (`resume`)."""
_LATER: Final = (10 * limits.SECOND, limits.MINUTE, 10 * limits.MINUTE)
"""Until the next try, by the number of those before."""
RELEASED: Final = "released"
REFUSED: Final = "refused"
HELD: Final = "held"

Job = queries.Job


@dataclass(frozen=True, slots=True)
class Made:
    """A file whose bytes are safe: a photo, or (name, media type, bytes). `page`: another that shows a drawing. `rendition`: what
    it is of what was received."""

    name: str
    media_type: str
    blob: Blob
    photo: Prepared | None = None
    page: Made | None = None
    rendition: str = SANITIZED


@dataclass(frozen=True, slots=True)
class Verdict:
    """`report`: JSON of `sanitizing.report.Report`. `made`: None where it was refused, or is `held` for somebody to approve of it."""

    report: bytes
    made: Made | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What files are taken apart with. `scratch`: a folder on the disk of the blobs; `zones`: from the least to the most
    trusted."""

    sanitizer: Sanitizer
    photos: Photos
    seals: Seals
    keys: Keys
    blobs: BlobStore = field(repr=False)
    scratch: Path
    zones: Sequence[str]


async def resume(tx: Tx) -> None:
    """At the start: what was under way or put off is due now; tries that were made stay counted."""
    await queries.hurry(tx)


async def due(reader: Reader, limit: int, but: Collection[int] = ()) -> list[Job]:
    """What may be tried now, organizations and their links in turn; `but`: links that have enough under way."""
    return await queries.due(reader, limit, but, link_news.PLUGIN)


async def begin(tx: Tx, job: Job, trust: Trust) -> Rules | None:
    """Count a try before it is made: a file that takes the machine down with it is not tried for ever. Answers the rules that hold;
    None where it is decided, or has had its tries and is refused now."""
    if job.tries >= TRIES:
        await deliver(tx, job, Verdict(_gave_up(job)), trust)
        return None
    if not await queries.count_try(tx, job, tx.now + _LEASE):
        return None
    return await zone_rules.rules(tx, job.org_id)


async def later(tx: Tx, job: Job) -> None:
    """This try came to nothing: again in a while."""
    await queries.postpone(tx, job.id, tx.now + _LATER[min(job.tries, len(_LATER) - 1)])


async def prepare(tools: Tools, rules: Rules, job: Job) -> Verdict:
    """Take it apart, and keep what was rebuilt. Raises `Problem` 8xxx, `SealBroken`, OSError: to be tried again. Then nothing was
    kept that the sweeper does not remove."""
    async with scratch_folder(tools.scratch) as folder:
        source, out = folder / "received", folder / "out"
        out.mkdir()
        await quarantine.open_sealed(
            tools.blobs, tools.seals, tools.keys, job.org_id, job.sealed, job.sha256, source
        )  # fmt: skip
        if job.held is not None:
            return await _handed_over(tools, job, source)
        formats = rules.formats((job.zone,), tools.zones)
        made = await tools.sanitizer.sanitize(
            source, job.name, out, formats, unasked(job.kinds), scanned=rules.scanned
        )  # fmt: skip
        source.unlink()
        if is_held(made, formats):
            return Verdict(made.report, held=True)
        return await _verdict(tools, job, made)


def is_held(made: Disarmed, formats: Mapping[str, str]) -> bool:
    """Whether a second person is to decide. The rules are asked once more: what the sanitizer says was found by programs that have
    read a stranger's file."""
    if made.output is not None:
        return False
    told = msgspec.json.decode(made.report, type=Report)
    return told.reason == approvals.NEEDS and formats.get(told.kind_found or "") == "approve"


async def _handed_over(tools: Tools, job: Job, source: Path) -> Verdict:
    """As it came: `open_sealed` has held its bytes against the hash of those that were received."""
    kept = await _kept(tools, job, source, job.name)
    assert job.report is not None
    return Verdict(approvals.passed(job.report, kept.name), replace(kept, rendition=PASSED))


def unasked(families: str) -> frozenset[str]:
    """Kinds that a link did not ask for. `families`: comma between; empty: it takes all."""
    wanted = set(filter(None, families.split(",")))
    other = frozenset(kind for family, kinds in FAMILIES.items() if family not in wanted for kind in kinds)
    if not wanted:
        return frozenset()
    return other if "documents" in wanted else other | frozenset(OTHERS)


async def _verdict(tools: Tools, job: Job, made: Disarmed) -> Verdict:
    if made.output is None:
        return Verdict(made.report)
    kept = await _kept(tools, job, made.output, made.name)
    if made.page is not None:
        kept = replace(kept, page=await _kept(tools, job, made.page, made.page.name))
    if kept.media_type not in PHOTOS:
        return Verdict(made.report, kept)
    try:
        photo = await prepare_kept_photo(tools.photos, tools.blobs, tools.scratch, job.org_id, kept.blob)
    except Problem as problem:
        if problem.fault not in _NO_PHOTO:
            raise
        return Verdict(_refused(made.report, _NO_PHOTO[problem.fault]))
    return Verdict(made.report, replace(kept, photo=photo))


async def _kept(tools: Tools, job: Job, path: Path, name: str) -> Made:
    with path.open("rb") as file:
        found = media_type(file.read(HEAD_BYTES), name)
    return Made(display_name(name, NAMELESS), found, await keep_large(tools.blobs, job.org_id, path))


_NO_PHOTO: Final = {NOT_A_PHOTO: "check_failed", PHOTO_BROKEN: "check_failed", PHOTO_TOO_MANY_PIXELS: "too_many_pixels"}


def _refused(report: bytes, reason: str) -> bytes:
    told = msgspec.json.decode(report, type=Report)
    without = {"sha256_after": None, "size_after": None, "output": None}
    return msgspec.json.encode(msgspec.structs.replace(told, action="refused", reason=reason, **without))


def _gave_up(job: Job) -> bytes:
    return msgspec.json.encode(
        Report(
            file=job.name,
            kind_found=None,
            kind_claimed=None,
            action="refused",
            reason="crashed",
            sha256_before=job.sha256,
            size_before=job.size,
            seconds=0.0,
        )
    )


async def deliver(tx: Tx, job: Job, verdict: Verdict, trust: Trust) -> bool:
    """The rows, once: what the room will see of it, why there is nothing, and the bot is told. False where it was decided before."""
    made = verdict.made
    state = HELD if verdict.held else REFUSED if made is None else RELEASED
    if not await queries.decide(tx, job, state, verdict.report):
        return False
    if verdict.held:
        await _hold(tx, job, verdict.report)
    elif made is not None:
        bot = Actor(job.bot, job.org_id, 0, job.account, "", BOT, job.title, job.zone, "")
        page = None if made.page is None else await _insert(tx, bot, made.page, trust)
        key = await _insert(tx, bot, made, trust)
        await queries.became(tx, job.id, key, page)
        await file_reports.insert(
            tx, key, job.org_id, verdict.report, link=job.link, held_id=job.held, received_at=job.received_at
        )
        if made.rendition == PASSED:
            detail = {"link": job.link, "sha256": made.blob.sha256, "size": made.blob.size}
            await audit.record(tx, job.org_id, job.account, "file.passed", job.public_id, detail, job.zone, "")
    await link_news.told(tx, await upload_links.by_id(tx, job.link_id))
    return True


async def _hold(tx: Tx, job: Job, report: bytes) -> None:
    told = msgspec.json.decode(report, type=Report)
    row = NewHeld(
        new_id(tx.now), job.org_id, job.id, None, job.asker, job.name, job.size, told.kind_found or "", job.zone, job.sha256,
        report, await approvals.ends(tx, job.org_id),
    )  # fmt: skip
    await approvals.hold(tx, row, job.link, {"link": job.link, "handed": job.public_id})


async def _insert(tx: Tx, bot: Actor, made: Made, trust: Trust) -> int:
    """It belongs to the bot until that posts it. Counted, and never refused any more: its sender has the receipt."""
    if made.photo is not None:
        wire = await insert_photo(tx, bot, made.photo, made.name, trust)
        await quota.count(tx, bot.org_id, bot.user_id, made.photo.size)
        added = await attachments.waiting(tx, bot.user_id, wire["id"])
        assert added is not None
        return added.id
    await quota.count(tx, bot.org_id, bot.user_id, made.blob.size)
    await add_blob(tx, bot.org_id, made.blob, bot.zone, trust)
    key = await attachments.insert(
        tx,
        NewAttachment(
            public_id=new_id(tx.now), org_id=bot.org_id, uploader_id=bot.user_id, kind=FILE, name=made.name,
            media_type=made.media_type, size=made.blob.size, width=None, height=None, color=None, taken_at=None,
            latitude=None, longitude=None, origin_zone=bot.zone,
        ),
    )  # fmt: skip
    whole = NewRendition(made.rendition, made.blob, made.media_type, None, None)
    await attachments.insert_rendition(tx, key, bot.org_id, whole, POLICY_VERSION)
    await previews.expect(tx, key, bot.org_id, made.media_type)
    return key
