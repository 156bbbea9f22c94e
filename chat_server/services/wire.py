"""The wire form of events (docs/protocol.md, "Events"): the same maps for what is live and for what is replayed."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain.events import RoomEvent, Stub, UserEvent

Wire = dict[str, Any]
STUB: Final[Stub] = "stub"


def wire_event(event: RoomEvent) -> Wire:
    """An event of a room."""
    if event.kind == STUB:
        return stub(event.room, event.seq)
    return {
        "op": "event",
        "room": event.room,
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "by": event.by,
        **event.body,
    }


def stub(room: str, seq: int) -> Wire:
    """Keeps the stream dense and tells nothing: not who, not what, not when."""
    return {"op": "event", "room": room, "seq": seq, "kind": STUB}


def wire_own(seq: int, kind: str, at: int, body: Wire) -> Wire:
    """An event of the own stream."""
    return {"op": "me", "seq": seq, "kind": kind, "at": at, **body}


def wire_user_event(event: UserEvent) -> Wire:
    """The same, as it is committed."""
    return wire_own(event.seq, event.kind, event.at, event.body)
