"""Parcels for the ledger's tests."""

from __future__ import annotations

from chat_server.domain.ids import new_id
from mobile_api.ledger.looking import pack
from mobile_api.ledger.port import RING, Handed, Kind, Order

DAY = 24 * 60 * 60 * 1000
NOW = 1_800_000_000_000


def handed(message: int, *, room: int = 7, quiet: dict[str, list[int]] | None = None) -> Handed:
    """The message with this key, whose seq is the same."""
    return Handed(message, 1, room, message, pack(quiet or {}))


def order(
    device: int,
    message: int,
    *,
    room: int = 7,
    kind: Kind = RING,
    urgent: bool = False,
    lane: str = "fcm",
    expires: int = NOW + DAY,
) -> Order:
    """Device n belongs to person 100 + n."""
    return Order(
        new_id(NOW), 100 + device, device, room, message, message, lane, kind, "direct", urgent, expires
    )  # fmt: skip
