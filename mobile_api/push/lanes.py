"""What shares a provider's limits, and what a provider's platform lets one send."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from mobile_api.providers.port import PLATFORMS, Platform

_APPLE: Final = "push.apple.com"


def lane_of(platform: str, token: str) -> str:
    """The platform; where the token is an address, with its host: one that is slow or angry holds up no other."""
    if platform not in ("web_push", "unified"):
        return platform
    try:
        host = urlsplit(token).hostname or ""
    except ValueError:  # an address that was one to an earlier version of the library
        host = ""
    return f"{platform}:{host}"


def platform_of(lane: str) -> Platform | None:
    """None for one that this version does not know."""
    name = lane.partition(":")[0]
    return next((platform for platform in PLATFORMS if platform == name), None)


def silent_badge(lane: str) -> bool:
    """Whether the number on the icon can be put right without a notification. A browser must show one for every push."""
    return not lane.startswith("web_push")


def silent_clear(lane: str) -> bool:
    """Whether something can be cleared without a notification. Chromium and Firefox allow it now and then; Safari takes the
    subscription away after three."""
    return not (lane.startswith("web_push:") and (lane == f"web_push:{_APPLE}" or lane.endswith(f".{_APPLE}")))
