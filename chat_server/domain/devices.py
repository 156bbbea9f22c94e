"""Installed clients: what they are, and which of them may come from where."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

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
WITHDRAWN: Final = "withdrawn"
"""The device itself took it back."""


def zone_allowed(rule: str, zone: str, most_trusted: str, ownership: str) -> bool:
    """Whether a device may come from `zone` under the organization's rule `device_zones`. Unknown rules allow nothing
    but the most trusted zone."""
    if zone == most_trusted or rule == "everywhere":
        return True
    return rule == "issued" and ownership == ISSUED


def token_hash(platform: str, token: str) -> str:
    """By which a push token is found again. Tokens are long and random: nothing to guess."""
    return hashlib.sha256(f"{platform}\0{token}".encode()).hexdigest()
