"""What an organization decides for itself: the rules, the values that each may have, and what holds until it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_type_hints

from chat_server.domain.actors import DEPARTMENT_ADMIN, MEMBER, ORGANIZATION_ADMIN

Who = Literal["member", "department_admin", "organization_admin"]
"""Who may do something: the lowest of those who may. Guests are no members."""

Named = Literal["author_and_owners", "everyone"]
"""Who is told by name who has read a message and who has not; counts are for everybody."""

Size = Literal["100MB", "500MB", "1GB", "2GB", "5GB"]
Quota = Literal["none", "1GB", "5GB", "10GB", "50GB", "100GB", "500GB", "1TB", "5TB", "10TB"]
"""Of bytes that are kept; none is no bound."""

MayHook = Literal["off", "member", "department_admin", "organization_admin"]
"""Who, among the owners of a room, may make webhooks; off: nobody, and those that are there do nothing."""

MayAskForFiles = Literal["off", "member", "department_admin", "organization_admin"]
"""Who may make links by which people outside hand in files; off: nobody, and those that are there are good for nothing."""

Keeping = Literal["allowed", "off"]
"""Whether clients may keep what was read on the device, to be read there without a line. A client that keeps to no rule
keeps what it likes: this is for ours, and for those who lose their phones."""

MemoPad = Literal["everywhere", "most_trusted"]
"""In which zones people have their memo pad. What is written there on a phone is at the desk, and the other way about: an
organization that wants no such bridge keeps it to the most trusted zone."""

Days = Literal["30", "90", "365", "1095"]
"""How long what was handed in by a link is kept sealed, as it was received."""

Rebuilding = Literal["rebuild", "approve", "refuse"]
Flattening = Literal["rebuild", "flatten", "approve", "refuse"]
"""What becomes of files of a family (`domain.links.FAMILIES`) that come from outside; flatten: their pages become pictures; approve:
they are handed over as they came, once a second person has approved of it."""
Passing = Literal["approve", "refuse"]
"""The same for what nobody can rebuild."""

MayApprove = Literal["department_admin", "organization_admin"]
"""Whose approval that takes."""

MayRelease = Literal["owner", "department_admin", "organization_admin"]
"""Whose approval it takes to take a file out of a room whose rule (`outflow`) is `approve`; owner: of the room. An organization's
administrators always may."""

Scanning = Literal["where_it_runs", "required"]
"""Whether a file from outside is refused while no virus scanner answers (setting `antivirus`)."""

NewDevices = Literal["open", "approval"]
"""Whether a new device may be used at once, or only once an administrator approved it."""

PerPerson = Literal["none", "1", "2", "3", "5", "10"]
"""How many devices somebody may be signed in on at once; none is no bound."""

MayDo = Literal["text", "view", "download", "cache"]
"""What a device may do with files, each more than the one before it: no file at all; look at it (previews); take it away;
and keep what was read on the device."""

DeviceZones = Literal["everywhere", "issued", "most_trusted"]
"""From which zones devices may come; issued: from a less trusted zone only those that the organization gave out."""

PushContent = Literal["none", "room", "sender_and_room", "all"]
"""What a notification may show, sealed for the device so that nobody on the way reads it; none: that there is something new."""

_UNITS: Final = {"MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def size_of(value: str) -> int | None:
    """Bytes of a `Size` or `Quota`; None for no bound."""
    return None if value == "none" else int(value[:-2]) * _UNITS[value[-2:]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one organization. Each is explained in docs/administration.md."""

    create_private: Who = "member"
    create_open: Who = "member"
    create_announcement: Who = "organization_admin"
    announce_urgent: Who = "organization_admin"
    announce_important: Who = "member"
    invite_guests: Who = "member"
    share_rooms: Who = "organization_admin"
    change_outflow: Who = "organization_admin"
    reader_names: Named = "author_and_owners"
    person_quota: Quota = "100GB"
    organization_quota: Quota = "none"
    file_size: Size = "5GB"
    webhooks: MayHook = "off"
    upload_links: MayAskForFiles = "member"
    device_cache: Keeping = "allowed"
    memo_pad: MemoPad = "everywhere"
    new_devices: NewDevices = "open"
    devices_per_person: PerPerson = "none"
    device_access_private: MayDo = "cache"
    device_access_issued: MayDo = "cache"
    device_zones: DeviceZones = "everywhere"
    quarantine_days: Days = "90"
    sanitize_photos: Rebuilding = "rebuild"
    sanitize_documents: Flattening = "rebuild"
    sanitize_drawings: Rebuilding = "rebuild"
    sanitize_films: Rebuilding = "rebuild"
    sanitize_archives: Rebuilding = "rebuild"
    sanitize_mail: Rebuilding = "rebuild"
    sanitize_others: Passing = "refuse"
    approve_files: MayApprove = "organization_admin"
    approve_takeouts: MayRelease = "owner"
    virus_scan: Scanning = "where_it_runs"
    push_content: PushContent = "none"


RULES: Final[dict[str, tuple[str, ...]]] = {rule: get_args(values) for rule, values in get_type_hints(Policy).items()}
"""Every rule with the values that it may have."""

SANITIZE: Final = {
    rule.removeprefix("sanitize_"): values for rule, values in RULES.items() if rule.startswith("sanitize_")
}
"""What may become of files from outside, by family. `others`: kinds that nobody can rebuild (`domain.links.OTHERS`)."""

STRICT: Final = ("rebuild", "flatten", "approve", "refuse")
"""The later, the stricter."""

_MAY: Final[dict[Any, frozenset[str]]] = {
    DEPARTMENT_ADMIN: frozenset((DEPARTMENT_ADMIN, ORGANIZATION_ADMIN)),
    ORGANIZATION_ADMIN: frozenset((ORGANIZATION_ADMIN,)),
}


def policy_of(own: Mapping[str, Any]) -> Policy:
    """An organization's `own` rules, and the defaults for the others. What a later version wrote is passed over."""
    return Policy(**{rule: value for rule, value in own.items() if rule in RULES})


def action(
    policy: Policy, pairs: Mapping[tuple[str, str, str], str], family: str, zone: str, zones: Sequence[str]
) -> str:
    """What becomes of a file of that family which came by `zone`. `pairs`: rules by (from, to, family), which hold instead of the
    organization's; `zones`: all, from the least to the most trusted.

    What is made of it is one file for every zone further in, so the strictest of their rules holds."""
    own = str(getattr(policy, f"sanitize_{family}"))
    inner = zones[zones.index(zone) + 1 :] if zone in zones else zones
    return max((pairs.get((zone, to, family), own) for to in inner), key=STRICT.index, default=own)


def has_memo_pad(policy: Policy, zone: str, most_trusted: str) -> bool:
    """Whether people have their memo pad in `zone`."""
    return policy.memo_pad == "everywhere" or zone == most_trusted


def allows(policy: Policy, act: str, roles: frozenset[str]) -> bool:
    """Whether a member (never a guest) with `roles` may do `act`. Unknown acts and values are refused."""
    needed = getattr(policy, act, None)
    return needed == MEMBER or not roles.isdisjoint(_MAY.get(needed, ()))
