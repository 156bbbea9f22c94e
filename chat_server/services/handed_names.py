"""Names of files that somebody outside announces: what will be refused in any case is refused before a byte of it is sent.

A name is only a claim. What passes here is decided by its content later; this saves a vendor an upload in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from chat_server.domain.errors import NAME_NOT_TAKEN, Problem
from chat_server.domain.links import FAMILIES, FAMILY_BY_ENDING, FAMILY_WORDS, NEVER
from chat_server.ports import Reader
from chat_server.services import zone_rules
from chat_server.services.zone_rules import KINDS
from chat_server.storage.queries.upload_links import Link


async def check(reader: Reader, link: Link, name: str, zone: str, zones: Sequence[str]) -> None:
    """`zone`: it comes in by; `zones`: from the least to the most trusted. Raises `Problem` 7121, with what to send instead."""
    formats = (await zone_rules.rules(reader, link.org_id)).formats((zone,), zones)
    wanted = set(filter(None, link.kinds.split(","))) or set(FAMILIES)
    taken = {
        family for family, kinds in KINDS.items()
        if (family if family in FAMILIES else "documents") in wanted and formats[kinds[0]] != "refuse"
    }  # fmt: skip
    ending = PurePath(name).suffix.lower().removeprefix(".")
    family = FAMILY_BY_ENDING.get(ending)
    if ending not in NEVER and (family is None or family in taken):
        return
    said = [FAMILY_WORDS[one] for one in FAMILIES if one in taken]
    raise Problem(
        NAME_NOT_TAKEN, field="Upload-Metadata", ending=f".{ending[:16]}", kinds="、".join(ja for ja, _ in said) or "—",
        kinds_en=", ".join(en for _, en in said) or "—",
    )  # fmt: skip
