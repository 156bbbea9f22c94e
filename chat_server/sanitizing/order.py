"""What a confined rebuilder is asked to do."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`kind`: what the content was found to be (see `kinds`); `flatten`: pages as pictures instead of a rebuild; `password`: of the
    file, empty where it has none."""

    kind: str
    flatten: bool = False
    password: str = ""
