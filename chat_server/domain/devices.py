"""Installed clients: what they are, and which of them may come from where."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from chat_server.domain.policy import Policy

System = Literal["web", "android", "ios", "desktop"]
"""What a client runs on."""

ISSUED: Final = "issued"
"""Given out by the organization. A device only claims it; an administrator says so."""
PRIVATE: Final = "private"
"""One's own (BYOD)."""
Ownership = Literal["", "issued", "private"]

PushPlatform = Literal["apns", "fcm", "web_push", "unified"]
"""By which provider a device is woken."""

MOVED: Final = "moved"
"""Why a push token was dropped: it was registered again elsewhere."""
REPLACED: Final = "replaced"
"""The device registered a newer one."""
SIGNED_OUT: Final = "signed_out"
RESTORED: Final = "restored"
"""The database was put back to an earlier time."""
WITHDRAWN: Final = "withdrawn"
"""The device itself took it back."""


READY: Final = "ready"
WAITING: Final = "waiting"
"""For an administrator's approval."""
WIPE: Final = "wipe"
"""It has yet to clear its data."""
ELSEWHERE: Final = "elsewhere"
"""It may not come from this zone."""
State = Literal["ready", "waiting", "wipe", "elsewhere"]
"""How a device that is signed in stands. Unless it is ready, it can do nothing but see that."""


def state_of(
    rules: Policy, most_trusted: str, *, zone: str, ownership: str, approved_at: int | None, wipe_asked_at: int | None
) -> State:
    """How it stands under its organization's rules. A wipe comes before everything: it must be told wherever it is."""
    if wipe_asked_at is not None:
        return "wipe"
    if approved_at is None:
        return "waiting"
    return "ready" if zone_allowed(rules.device_zones, zone, most_trusted, ownership) else "elsewhere"


def access_of(rules: Policy, ownership: str) -> str:
    """What it may do with files: a `policy.MayDo`. What nobody marked as issued counts as private."""
    return rules.device_access_issued if ownership == ISSUED else rules.device_access_private


def approved_at_once(rules: Policy, zone: str, most_trusted: str) -> bool:
    """Whether a device that signs in now need not wait. Where only issued devices may come from, somebody has to say
    that it is one."""
    return rules.new_devices == "open" and zone_allowed(rules.device_zones, zone, most_trusted, "")


def zone_allowed(rule: str, zone: str, most_trusted: str, ownership: str) -> bool:
    """Whether a device may come from `zone` under the organization's rule `device_zones`. Unknown rules allow nothing
    but the most trusted zone."""
    if zone == most_trusted or rule == "everywhere":
        return True
    return rule == "issued" and ownership == ISSUED


def renewal_hash(secret: str) -> str:
    """How the secret of a worker is kept: of 256 random bits there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def token_hash(platform: str, token: str) -> str:
    """By which a push token is found again. Tokens are long and random: nothing to guess."""
    return hashlib.sha256(f"{platform}\0{token}".encode()).hexdigest()
