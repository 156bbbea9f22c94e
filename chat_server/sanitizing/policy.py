"""What is done with each kind of file."""

from __future__ import annotations

from typing import Literal

import msgspec

Wish = Literal["rebuild", "flatten", "approve", "refuse"]


class Policy(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`formats`: by kind (see `kinds.SUFFIXES`); `others` for what is not named there. "flatten" makes pictures of the pages of what
    has pages, and rebuilds what has none. "approve" takes a file apart to tell what is in it, and releases nothing of it: the reason is
    then `needs_approval`. `antivirus`: whether a file that no scanner has looked at is refused."""

    formats: dict[str, Wish] = {}
    others: Wish = "rebuild"
    antivirus: Literal["where_it_runs", "required"] = "where_it_runs"

    def action(self, kind: str) -> Wish:
        return self.formats.get(kind, self.others)
