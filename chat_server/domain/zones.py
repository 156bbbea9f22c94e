"""Zones, and the one function that decides who may read a file.

A zone is the network a connection or a file came in by, known by the listener and never by a header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_NAMES: Final = {"lgwan": "庁内網", "internet": "インターネット"}

POLICY_VERSION: Final = 1
"""Of the rules by which renditions are made. A rendition made by older rules does not cross a border."""

ORIGINAL: Final = "original"
SANITIZED: Final = "sanitized"
PREVIEW: Final = "preview"
THUMBNAIL: Final = "thumbnail"
TEXT: Final = "text"
PAGES: Final = 5
"""Pages of a document that become pictures: `preview`, then these."""
MORE_PAGES: Final = tuple(f"{PREVIEW}-{page}" for page in range(2, PAGES + 1))
PASSED: Final = "passed"
"""The bytes as they were received, let through by a second person: see `services.approvals`."""
FLATTENED: Final = "flattened"
"""A document that is nothing but pictures of its pages: see `services.flattening`."""
RENDITIONS: Final = (ORIGINAL, SANITIZED, PREVIEW, THUMBNAIL, TEXT, *MORE_PAGES, PASSED, FLATTENED)
"""Addresses hold a place in this list: new ones come at its end."""

_VIEWS: Final = frozenset({PREVIEW, *MORE_PAGES, THUMBNAIL, TEXT})
_ANY: Final = frozenset({"download", "cache"})
"""Devices that may have whatever else is allowed."""
REBUILT: Final = _VIEWS | {SANITIZED, FLATTENED}
"""Decoded and encoded anew: nothing of the received bytes is left. Text: characters to read, nothing to obey."""


OUTFLOWS: Final = ("text", "view", "approve", "download")
"""What may leave for a less trusted zone, each more than the one before it: no file; pictures of it; with a second person's approval
itself (`services.takeouts`); itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that the decision may look at.

    `photo`: whether it was sent as a photo; anything else is a file.
    `member`: the viewer may see the message's seq in its room now (or, before it is sent, is the uploader).
    `trust`: rank of the viewer's zone, `origin_trust`: of the file's; `least_trust`: of the least trusted
    zone by which the same bytes ever came in. An unknown zone has rank -1.
    `outflow`: what leaves for less trusted zones, of `OUTFLOWS`: the strictest of all rules (`outward`). `approved`: somebody let this
    viewer take it out, on this device and now.
    `access`: the organization's rule for the viewer's device: text, view, download, cache.
    """

    photo: bool
    member: bool
    trust: int
    origin_trust: int
    least_trust: int
    outflow: str
    rendition: str
    state: str
    policy_version: int
    withdrawn: bool
    access: str = "cache"
    approved: bool = False


ALLOWED: Final = ""
NOT_A_MEMBER: Final = "not_a_member"
WITHDRAWN: Final = "withdrawn"
NOT_READY: Final = "not_ready"
SEALED: Final = "sealed"
OLD_RULES: Final = "old_rules"
NO_ZONE: Final = "no_zone"
NOT_SANITIZED: Final = "not_sanitized"
OUTFLOW: Final = "outflow"
NOT_APPROVED: Final = "not_approved"
DEVICE: Final = "device"


def may_read(reading: Reading) -> str:
    """`ALLOWED` or the reason why not. Denies by default; this is the only gate to a file's bytes.

    The original of a photo is sealed for everybody: it carries the place. The original of a file is for its own zone,
    and for less trusted ones where the room lets it out; into a more trusted zone nothing goes whose bytes are as
    they were received, unless a second person let it through (`PASSED`), and nothing that older rules have made.
    """
    if not reading.member:
        return NOT_A_MEMBER
    if reading.withdrawn:
        return WITHDRAWN
    if min(reading.trust, reading.origin_trust, reading.least_trust) < 0:
        return NO_ZONE
    original = reading.rendition == ORIGINAL and not reading.photo
    passed = reading.rendition == PASSED and not reading.photo
    if not original and not passed and reading.rendition not in REBUILT:
        return SEALED
    if reading.state != "ready":
        return NOT_READY
    if original and reading.trust > reading.least_trust:
        return NOT_SANITIZED
    if reading.access not in _ANY and not (reading.access == "view" and reading.rendition in _VIEWS):
        return DEVICE
    crosses = not reading.trust == reading.origin_trust == reading.least_trust
    if crosses and not original and reading.policy_version != POLICY_VERSION:
        return OLD_RULES
    if reading.trust >= reading.origin_trust:
        return ALLOWED
    if reading.outflow == "download" or (reading.outflow in ("view", "approve") and reading.rendition in _VIEWS):
        return ALLOWED
    if reading.outflow == "approve":
        return ALLOWED if reading.approved else NOT_APPROVED
    return OUTFLOW


def zone_name(zone: str) -> str:
    """Its name in what the server itself writes into a room, which is Japanese; clients have names of their own for what they show."""
    return _NAMES.get(zone, zone)


def widens(before: str, after: str) -> bool:
    """Whether more leaves by `after` than by `before`."""
    return OUTFLOWS.index(after) > OUTFLOWS.index(outward(before))


def outward(*rules: str) -> str:
    """The strictest of them: of a room, of its organization for two zones, and what a copy carries along. Nothing leaves by a rule that
    nobody knows."""
    return min(rules, key=OUTFLOWS.index) if set(rules) <= set(OUTFLOWS) else "text"
