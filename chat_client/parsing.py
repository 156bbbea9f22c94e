"""From frames to typed events. What is not understood becomes an unknown event, never an error: servers get younger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chat_client import events as e
from chat_client.fields import Fields, flag, maybe_text, number, section, text
from chat_client.models import Attachment, Message, Person, RoomInfo

_UNREADABLE: Final = (KeyError, TypeError, ValueError)
_Base = tuple[str, int, int, str | None]


def room_event(room: str, seq: int, frame: Fields) -> e.RoomEvent:
    """The event at `seq` of `room`."""
    kind = str(frame.get("kind", ""))
    base: _Base = (room, seq, _time(frame), _user(frame))
    read = _ROOM.get(kind)
    if read is not None:
        try:
            return read(base, frame)
        except _UNREADABLE:
            pass
    return e.UnknownRoomEvent(*base, kind, dict(frame))


def me_event(seq: int, frame: Fields) -> e.MeEvent:
    """The event at `seq` of the user's own stream."""
    kind = str(frame.get("kind", ""))
    base = (seq, _time(frame))
    read = _ME.get(kind)
    if read is not None:
        try:
            return read(base, frame)
        except _UNREADABLE:
            pass
    return e.UnknownMeEvent(*base, kind, dict(frame))


def transient_event(frame: Fields) -> e.TransientEvent | None:
    """A frame of no stream; None for an operation of a later version."""
    read = _TRANSIENT.get(str(frame.get("op", "")))
    if read is None:
        return None
    try:
        return read(frame)
    except _UNREADABLE:
        return None


def _time(frame: Fields) -> int:
    try:
        return number(frame, "at", 0)
    except TypeError:
        return 0


def _user(frame: Fields) -> str | None:
    try:
        return maybe_text(frame, "by")
    except TypeError:
        return None


def _pairs(frame: Fields) -> tuple[tuple[int, int], ...]:
    return tuple((int(seq), int(count)) for seq, count in frame["upto"])


_ROOM: Final[Mapping[str, Callable[[_Base, Fields], e.RoomEvent]]] = {
    "message": lambda b, f: e.MessagePosted(*b, Message.from_wire(section(f, "message"))),
    "edit": lambda b, f: e.MessageEdited(*b, number(f, "target"), Message.from_wire(section(f, "message"))),
    "redaction": lambda b, f: e.MessageRedacted(*b, number(f, "target"), text(f, "id"), text(f, "how", "redacted")),
    "reaction": lambda b, f: e.Reacted(
        *b, number(f, "target"), text(f, "id"), text(f, "user"), text(f, "key"), flag(f, "on")
    ),
    "pin": lambda b, f: e.Pinned(*b, number(f, "target"), text(f, "id"), flag(f, "on")),
    "membership": lambda b, f: e.MembershipChanged(
        *b, Person.from_wire(section(f, "user")), text(f, "change"), maybe_text(f, "role")
    ),
    "room": lambda b, f: e.RoomChanged(*b, RoomInfo.from_wire(section(f, "room_info"))),
    "attachment": lambda b, f: e.AttachmentChanged(
        *b, number(f, "target"), text(f, "id"), Attachment.from_wire(section(f, "attachment"))
    ),
    "note": lambda b, f: e.NoteChanged(*b, text(f, "id"), text(f, "title"), number(f, "version"), text(f, "what")),
    "stub": lambda b, f: e.Stub(*b),
}

_ME: Final[Mapping[str, Callable[[tuple[int, int], Fields], e.MeEvent]]] = {
    "room_gained": lambda b, f: e.RoomGained(*b, text(f, "room")),
    "room_lost": lambda b, f: e.RoomLost(*b, text(f, "room")),
    "read": lambda b, f: e.ReadElsewhere(*b, text(f, "room"), number(f, "upto")),
    "involvement": lambda b, f: e.InvolvementChanged(*b, text(f, "room"), text(f, "involvement")),
    "bookmark": lambda b, f: e.BookmarkChanged(*b, text(f, "room", ""), text(f, "message"), flag(f, "on")),
    "devices": lambda b, f: e.DevicesChanged(*b),
    "directory": lambda b, f: e.DirectoryChanged(*b, number(f, "version", 0)),
    "profile": lambda b, f: e.ProfileChanged(*b),
}

_TRANSIENT: Final[Mapping[str, Callable[[Fields], e.TransientEvent]]] = {
    "typing": lambda f: e.Typing(text(f, "room"), text(f, "user"), text(f, "name", "")),
    "receipt": lambda f: e.Receipt(text(f, "room"), text(f, "user"), number(f, "upto")),
    "receipts": lambda f: e.Receipts(text(f, "room"), _pairs(f)),
    "presence": lambda f: e.Presence(text(f, "user"), text(f, "state")),
}
