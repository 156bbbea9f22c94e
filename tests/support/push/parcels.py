"""A parcel for a test, with what differs."""

from __future__ import annotations

import time
from typing import Any

from chat_server.domain.ids import new_id
from mobile_api.providers.port import Parcel, Platform

APNS_TOKEN = "0123456789abcdef" * 4
TEXT = "新しいメッセージがあります"


def parcel(platform: Platform, token: str, **differs: Any) -> Parcel:
    now = int(time.time() * 1000)
    fields: dict[str, Any] = {
        "id": new_id(now), "platform": platform, "token": token, "sealed": b"", "text": TEXT, "badge": 3,
        "collapse": "r0om_-A", "urgent": False, "clears": False, "expires": now + 3_600_000,
    }  # fmt: skip
    return Parcel(**{**fields, **differs})
