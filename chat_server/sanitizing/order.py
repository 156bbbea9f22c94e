"""What a confined child is asked to do, and where it says that the files of an archive lie. No library: the engine knows it, too."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

FILES: Final = 2000
BYTES: Final = 1 << 30
"""Of all files, unpacked; the child's RLIMIT_FSIZE may be below."""


class Order(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`kind`: what the content was found to be (see `kinds`); `flatten`: pages as pictures instead of a rebuild; `password`: of the
    file, empty where it has none."""

    kind: str
    flatten: bool = False
    password: str = ""


class Task(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is asked of a child, which takes no more than so many seconds of processor time for it."""

    task: Literal["find", "unlock", "rebuild", "check"]
    order: Order
    name: str = ""
    seconds: int = 0


class Member(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A file in the archive. `path`: safe; `size`: bytes of it in the output."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=2600)]
    size: Annotated[int, msgspec.Meta(ge=0, le=BYTES)]
