"""Reading files: addresses for those who may read, and the check again when one is used. `may_read` decides alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.devices import access_of
from chat_server.domain.errors import (
    ADDRESS_EXPIRED,
    ATTACHMENT_NOT_FOUND,
    FILE_HELD,
    FILE_NEEDS_APPROVAL,
    FILE_NOT_SANITIZED,
    FILE_REFUSED_BY_DEVICE,
    FILE_REFUSED_BY_ZONE,
    Fault,
    Problem,
)
from chat_server.domain.media import ending_in
from chat_server.domain.zones import (
    ALLOWED,
    DEVICE,
    FLATTENED,
    MORE_PAGES,
    NOT_A_MEMBER,
    NOT_APPROVED,
    NOT_READY,
    NOT_SANITIZED,
    ORIGINAL,
    PASSED,
    PREVIEW,
    SANITIZED,
    TEXT,
    THUMBNAIL,
    WITHDRAWN,
    Reading,
    may_read,
)
from chat_server.ports import Reader
from chat_server.services.actors import in_good_standing
from chat_server.services.approvals import NEEDS
from chat_server.services.capabilities import Capability, next_expiry, seal
from chat_server.services.keys import Keys
from chat_server.services.photo_upload import PHOTO
from chat_server.services.takeouts import NEVER, state_at, takes_approval
from chat_server.storage.queries import attachments as queries
from chat_server.storage.queries import file_reports, takeouts
from chat_server.storage.queries.attachments import Rendition, Seen

FILES: Final = "/files/"
_OFFERED: Final = (THUMBNAIL, PREVIEW, *MORE_PAGES, SANITIZED, TEXT, ORIGINAL, PASSED, FLATTENED)
_HIDDEN: Final = frozenset({NOT_A_MEMBER, WITHDRAWN, NOT_READY})
"""Reasons that answer like what does not exist; the others say that there is a file but not here."""

Trust = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Bytes that may be sent now. `org_id`, `sha256`: where they lie."""

    org_id: int
    sha256: str
    media_type: str
    name: str


async def addresses(reader: Reader, actor: Actor, ids: Sequence[str], keys: Keys, trust: Trust) -> list[dict[str, Any]]:
    """Addresses of every rendition that the actor may read from here, in the order of `ids`.

    Attachments that the actor may not see are absent, like those that do not exist. A photo without an address
    here, and a file that cannot be downloaded here, say why in `refused`.
    """
    seen = await queries.seen_by(reader, actor, ids)
    members = [one.id for one in seen.values() if one.member]
    made, reported = await queries.renditions(reader, members), await file_reports.reported(reader, members)
    asked = await takeouts.states(reader, members, actor)
    expires = next_expiry(reader.now)
    items = []
    for public_id in dict.fromkeys(ids):
        one = seen.get(public_id)
        if one is None or not one.member or one.withdrawn:
            continue
        verdicts = {
            kind: _verdict(one, made.get(one.id, {}).get(kind), kind, actor.zone, actor.access, trust)
            for kind in _OFFERED
        }
        waits = _waits(made.get(one.id, {}).get(SANITIZED))
        item = _item(one, actor, verdicts, keys, expires, waits=waits)
        if one.id in reported:
            item["report"] = True
        if takes_approval(one, actor, trust):
            item["takeout"] = state_at(reader.now, *asked.get(one.id, NEVER))
        items.append(item)
    return items


async def readable(reader: Reader, actor: Actor, ids: Sequence[str], kind: str, trust: Trust) -> dict[str, OpenFile]:
    """The renditions of that kind which the actor may read from here, by the attachments' public ids."""
    seen = await queries.seen_by(reader, actor, ids)
    made = await queries.renditions(reader, [one.id for one in seen.values() if one.member])
    found = {}
    for public_id, one in seen.items():
        rendition = made.get(one.id, {}).get(kind)
        if rendition is None or rendition.sha256 is None:
            continue
        if _verdict(one, rendition, kind, actor.zone, actor.access, trust) == ALLOWED:
            found[public_id] = OpenFile(
                rendition.org_id, rendition.sha256, rendition.media_type, _called(one, rendition)
            )
    return found


@dataclass(frozen=True, slots=True)
class Best:
    """The best rendition that somebody may read from here. `rendition`: which; None, with `refused`, where there is none.
    `original`: SHA-256 of what was handed in, sealed or not; None where nothing of it may be read from here: a hash is enough to
    know a document again."""

    kind: str
    name: str
    taken_at: int | None
    rendition: str | None
    file: OpenFile | None
    refused: dict[str, str] | None
    original: str | None


async def best_of(
    reader: Reader, actor: Actor, ids: Sequence[str], kinds: Sequence[str], trust: Trust
) -> dict[str, Best]:
    """Of each attachment the first of `kinds` that the actor may read from here, in the order of `ids`. What they may not see, or
    what was withdrawn, is absent."""
    seen = await queries.seen_by(reader, actor, ids)
    made = await queries.renditions(reader, [one.id for one in seen.values() if one.member])
    found = {}
    for public_id in ids:
        one = seen.get(public_id)
        if one is None or not one.member or one.withdrawn:
            continue
        own = made.get(one.id, {})
        allowed = (
            kind for kind in kinds if _verdict(one, own.get(kind), kind, actor.zone, actor.access, trust) == ALLOWED
        )
        chosen = next((kind for kind in allowed if own[kind].sha256 is not None), None)
        file, refused, original = None, None, None
        if chosen is not None:
            original = own[ORIGINAL].sha256 if ORIGINAL in own else None
            sha256 = own[chosen].sha256
            assert sha256 is not None
            file = OpenFile(own[chosen].org_id, sha256, own[chosen].media_type, _called(one, own[chosen]))
        else:
            whole = SANITIZED if one.kind == PHOTO else ORIGINAL
            told = Problem(_fault(_verdict(one, own.get(whole), whole, actor.zone, actor.access, trust))).as_dict()
            refused = {"ja": told["ja"], "en": told["en"]}
        found[public_id] = Best(one.kind, one.name, one.taken_at, chosen, file, refused, original)
    return found


async def open_file(reader: Reader, capability: Capability, trust: Trust) -> OpenFile:
    """What an address stands for, checked as if nobody had checked before (ASVS 7.4.2: a disabled user's links are dead).

    Raises `Problem` 5006 (the person or the device may not use it any more), 5001 (nothing there for them), 5005, 5016.
    """
    viewer = await queries.viewer(reader, capability.user, capability.device)
    if (
        viewer is None
        or viewer.revoked_at is not None
        or viewer.zone != capability.zone
        or not in_good_standing(viewer.disabled_at, viewer.ends_at, reader.now)
        or viewer.approved_at is None
        or viewer.wipe_asked_at is not None
    ):
        raise Problem(ADDRESS_EXPIRED)
    one = (await queries.seen_by(reader, viewer, [capability.attachment])).get(capability.attachment)
    if one is None:
        raise Problem(ATTACHMENT_NOT_FOUND)
    rendition = (await queries.renditions(reader, [one.id])).get(one.id, {}).get(capability.rendition)
    verdict = _verdict(
        one, rendition, capability.rendition, capability.zone, access_of(viewer.rules, viewer.ownership), trust
    )
    if verdict in _HIDDEN or rendition is None or rendition.sha256 is None:
        raise Problem(ATTACHMENT_NOT_FOUND)
    if verdict != ALLOWED:
        raise Problem(_fault(verdict))
    return OpenFile(rendition.org_id, rendition.sha256, rendition.media_type, _called(one, rendition))


def _called(one: Seen, rendition: Rendition) -> str:
    """What was rebuilt may be of another type than what came."""
    rebuilt = rendition.kind in (SANITIZED, FLATTENED) and one.kind != PHOTO
    return ending_in(one.name, rendition.media_type) if rebuilt else one.name


_FAULTS: Final = {
    NOT_SANITIZED: FILE_NOT_SANITIZED,
    DEVICE: FILE_REFUSED_BY_DEVICE,
    NOT_APPROVED: FILE_NEEDS_APPROVAL,
}


def _fault(verdict: str) -> Fault:
    return _FAULTS.get(verdict, FILE_REFUSED_BY_ZONE)


def _verdict(one: Seen, rendition: Rendition | None, kind: str, zone: str, access: str, trust: Trust) -> str:
    origin = trust(one.origin_zone)
    # The same bytes may have come in by another way as well, which takes nothing from what the first one forbids.
    least = origin if rendition is None or rendition.blob_zone is None else min(origin, trust(rendition.blob_zone))
    return may_read(
        Reading(
            photo=one.kind == PHOTO,
            member=bool(one.member),
            trust=trust(zone),
            origin_trust=origin,
            least_trust=least,
            outflow=one.outward,
            rendition=kind,
            state=rendition.state if rendition else "missing",
            policy_version=rendition.policy_version if rendition else 0,
            withdrawn=bool(one.withdrawn),
            access=access,
            approved=bool(one.approved),
        )
    )


def _waits(rebuilt: Rendition | None) -> bool:
    """Whether somebody has to approve before it may go inward."""
    return rebuilt is not None and rebuilt.reason == NEEDS


def _item(
    one: Seen, actor: Actor, verdicts: Mapping[str, str], keys: Keys, expires: int, *, waits: bool
) -> dict[str, Any]:
    allowed = [kind for kind, verdict in verdicts.items() if verdict == ALLOWED]
    item: dict[str, Any] = {"id": one.public_id, "name": one.name}
    if one.taken_at is not None:
        item["taken_at"] = one.taken_at
    if one.latitude is not None and one.longitude is not None and _may_know_the_place(one, actor):
        item["place"] = {"latitude": one.latitude, "longitude": one.longitude}
    made = {
        kind: FILES + seal(keys, Capability(one.public_id, kind, actor.id, actor.device, actor.zone, expires))
        for kind in allowed
    }
    pages = [made.pop(kind) for kind in MORE_PAGES if kind in made]
    if pages:
        item["pages"] = [made[PREVIEW], *pages]
    item["addresses"] = made
    item["expires"] = expires
    whole = SANITIZED if one.kind == PHOTO else ORIGINAL
    if not allowed or (one.kind != PHOTO and not {ORIGINAL, SANITIZED, PASSED} & set(allowed)):
        fault = _fault(verdicts[whole])
        refusal = Problem(FILE_HELD if waits and fault is FILE_NOT_SANITIZED else fault).as_dict()
        item["refused"] = {"ja": refusal["ja"], "en": refusal["en"]}
    return item


def _may_know_the_place(one: Seen, actor: Actor) -> bool:
    """Where a photo was taken may be somebody's home: for the home organization's own staff alone."""
    return not actor.is_guest and actor.org_id == one.org_id
