"""What was taken out of a file that came from outside, or who let it through as it came, for whoever may read what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from chat_server.domain.actors import Actor
from chat_server.domain.errors import NO_REPORT, Problem
from chat_server.ports import Reader
from chat_server.sanitizing.report import Report
from chat_server.sanitizing.words import REASONS, WARNINGS, sentence
from chat_server.services.access import visible_attachment
from chat_server.services.approvals import NEEDS
from chat_server.storage.queries import file_reports as queries

Wire = dict[str, Any]


async def report(reader: Reader, actor: Actor, attachment: str) -> Wire:
    """Raises `Problem` 5001 (not there for them, or withdrawn), 5019 (nothing was done with it)."""
    one = await visible_attachment(reader, actor, attachment)
    found = await queries.of(reader, one.id)
    if found is None:
        raise Problem(NO_REPORT)
    told = msgspec.json.decode(found.report, type=Report)
    approval = None
    if found.approver is not None:
        approval = {"name": found.approver, "at": found.approved_at, "reason": found.approved_why}
    return {
        "attachment": attachment,
        "approval": approval,
        "link": found.link,
        "received": found.received_at,
        "decided": found.decided_at,
        "action": told.action,
        "kind_claimed": told.kind_claimed,
        "kind_found": told.kind_found,
        "sha256_before": told.sha256_before,
        "sha256_after": told.sha256_after,
        "size_before": told.size_before,
        "size_after": told.size_after,
        "files": list(_files(told, "")),
    }


def _files(told: Report, above: str) -> Iterator[Wire]:
    """The file, and those that lay in it, each below the other."""
    path = f"{above}{told.file}"
    why = REASONS.get(told.reason or "")
    waits = not above and told.reason == NEEDS  # there is nothing to be sent instead
    yield {
        "file": path,
        "action": told.action,
        "kind_found": told.kind_found,
        "removed": [
            {"object": one.object, "name": one.name, "count": one.count, "sha256": one.sha256} | _both(sentence(one))
            for one in told.removed
        ],
        "warnings": [{"code": one} | _both(WARNINGS[one]) for one in told.warnings],
        "reason": None if why is None else _both(why[0]),
        "instead": None if why is None or waits else _both(why[1]),
    }
    for part in told.parts:
        yield from _files(part, f"{path}/")


def _both(words: tuple[str, str]) -> Wire:
    return {"ja": words[0], "en": words[1]}
