"""What a committed command answers: the fields of `ack` (docs/protocol.md, section 4)."""

from __future__ import annotations

import msgspec


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """`seq` is absent where nothing changed; `replay` marks the first answer given again."""

    room: str | None = None
    id: str | None = None
    seq: int | None = None
    at: int | None = None
    upto: int | None = None
    replay: bool = False
