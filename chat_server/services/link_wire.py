"""Links and handed-in files in the wire form of docs/protocol.md: what staff see, and the little that people outside see."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.links import FAMILIES, state_of
from chat_server.ports import Reader
from chat_server.sanitizing.words import REASONS
from chat_server.storage.queries import organizations, people
from chat_server.storage.queries.handed_files import HandedFile
from chat_server.storage.queries.upload_links import Link

Wire = dict[str, Any]
COMING: Final = "coming"
HELD: Final = "held"
WAITING: Final = "waiting"
REFUSED: Final = "refused"


class _Verdict(msgspec.Struct):
    """As much of a report as tells why a file was refused."""

    reason: str | None = None


_verdict: Final = msgspec.json.Decoder(_Verdict).decode


def parts(text: str) -> list[str]:
    """Of a column with commas between."""
    return text.split(",") if text else []


def link(reader: Reader, link: Link) -> Wire:
    """For the members of its room; never a token."""
    state = state_of(
        reader.now,
        given=bool(link.is_given),
        ends_at=link.ends_at,
        opened_at=link.opened_at,
        files=link.files,
        done_at=link.done_at,
        revoked_at=link.revoked_at,
    )
    return {
        "id": link.public_id,
        "room": link.room,
        "state": state,
        "given": bool(link.is_given),
        "asker": {"id": link.asker, "name": link.asker_name},
        "recipient": link.recipient,
        "company": link.company,
        "email": link.email,
        "purpose": link.purpose,
        "expected": link.expected,
        "most_files": link.most_files,
        "most_bytes": link.most_bytes,
        "kinds": parts(link.kinds),
        "told": parts(link.told),
        "once": bool(link.is_once),
        "pin": link.pin_hash is not None,
        "pin_misses": link.pin_misses,
        "at": link.created_at,
        "ends": link.ends_at,
        "opened": link.opened_at,
        "done": link.done_at,
        "revoked": link.revoked_at,
        "received_files": link.files,
        "received_bytes": link.bytes,
    }


def file_for_staff(file: HandedFile) -> Wire:
    """What came in, and what became of it. `attachment`: what the room sees of it."""
    return file_for_sender(file) | {"state": file.state, "attachment": file.attachment, "decided": file.decided_at}


def file_for_sender(file: HandedFile) -> Wire:
    """A line of the receipt. How far a file has come is told by its bytes alone (`HEAD`): here it is known once it is whole. That
    somebody has to approve of it is not their business: it waits."""
    why = _why(file)
    return {
        "id": file.public_id,
        "name": file.name,
        "size": file.size,
        "offset": None if file.state == COMING else file.size,
        "state": WAITING if file.state == HELD else file.state,
        "sha256": file.sha256,
        "received": file.received_at,
        "reason": None if why is None else _both(why[0]),
        "instead": None if why is None else _both(why[1]),
    }


async def for_outside(reader: Reader, link: Link) -> Wire:
    """What whoever holds the link may know: who asks, for what, and how much."""
    [asker] = await people.by_ids(reader, [link.asker_id])
    organization = await organizations.by_id(reader, link.org_id)
    assert organization is not None
    return {
        "organization": organization.name,
        "department": asker.department,
        "asker": asker.name,
        "recipient": link.recipient,
        "company": link.company,
        "purpose": link.purpose,
        "expected": link.expected,
        "most_files": link.most_files,
        "most_bytes": link.most_bytes,
        "kinds": parts(link.kinds) or list(FAMILIES),
        "once": bool(link.is_once),
        "ends": link.ends_at,
    }


def _why(file: HandedFile) -> tuple[tuple[str, str], tuple[str, str]] | None:
    if file.state != REFUSED:
        return None
    code = None if file.report is None else _verdict(file.report).reason
    return REASONS.get(code or "", REASONS["no_output"])


def _both(words: tuple[str, str]) -> dict[str, str]:
    return {"ja": words[0], "en": words[1]}
