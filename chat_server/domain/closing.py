"""Close codes of the WebSocket. The range says whether to reconnect (docs/protocol.md, section 5)."""

from __future__ import annotations

from typing import Final

RESTARTING: Final = 4000
SLOW: Final = 4001
SILENT: Final = 4002
EXPIRED: Final = 4003
BUSY: Final = 4004

MALFORMED: Final = 4500
TOO_LARGE: Final = 4501
NOT_AUTHENTICATED: Final = 4502
BAD_TOKEN: Final = 4503
SIGNED_OUT: Final = 4504
DISABLED: Final = 4505
FLOOD: Final = 4506
DEVICE: Final = 4507
"""The device may do nothing here but ask how it stands."""

NAMES: Final = {
    RESTARTING: "restarting",
    SLOW: "slow",
    SILENT: "silent",
    EXPIRED: "expired",
    BUSY: "busy",
    MALFORMED: "malformed",
    TOO_LARGE: "too_large",
    NOT_AUTHENTICATED: "not_authenticated",
    BAD_TOKEN: "bad_token",
    SIGNED_OUT: "signed_out",
    DISABLED: "disabled",
    FLOOD: "flood",
    DEVICE: "device",
}


def reconnects(code: int) -> bool:
    """Whether a client should come back by itself."""
    return not 4500 <= code <= 4999
