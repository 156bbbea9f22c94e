"""Room kinds, member roles, and the rules that need no database."""

from __future__ import annotations

from typing import Final, NamedTuple

PRIVATE: Final = "private"
OPEN: Final = "open"
ANNOUNCEMENT: Final = "announcement"
DIRECT: Final = "direct"
MEMO: Final = "memo"
KINDS: Final = (PRIVATE, OPEN, ANNOUNCEMENT, DIRECT, MEMO)
FIXED: Final = frozenset({DIRECT, MEMO})
"""Nobody joins, leaves or is removed."""

OWNER: Final = "owner"
WRITER: Final = "member"
READ_ONLY: Final = "read_only"


def can_post(kind: str, role: str, *, archived: bool) -> bool:
    """Few write into an announcement room; the others write unless they are read-only."""
    if archived or role == READ_ONLY:
        return False
    return kind != ANNOUNCEMENT or role == OWNER


def can_manage(kind: str, role: str, *, archived: bool) -> bool:
    return role == OWNER and kind not in FIXED and not archived


def can_invite(kind: str, role: str, *, archived: bool) -> bool:
    """Members of a private or open room bring colleagues in; announcement rooms are the owners'."""
    if archived or kind in FIXED or role == READ_ONLY:
        return False
    return role == OWNER or kind != ANNOUNCEMENT


class Standing(NamedTuple):
    """One person in one room, as of now: what a use case checks before it acts."""

    room_id: int
    room: str
    org_id: int
    kind: str
    history: str
    archived: bool
    members: int
    last_seq: int
    first_seq: int
    role: str
    membership_id: int
    visible_seq: int
    read_seq: int
    read_ordinal: int
    involvement: str

    @property
    def can_post(self) -> bool:
        return can_post(self.kind, self.role, archived=self.archived)

    @property
    def can_manage(self) -> bool:
        return can_manage(self.kind, self.role, archived=self.archived)

    @property
    def can_invite(self) -> bool:
        return can_invite(self.kind, self.role, archived=self.archived)


def direct_key(a: int, b: int) -> str:
    """One room for each pair, whoever begins."""
    low, high = sorted((a, b))
    return f"direct:{low}:{high}"


def memo_key(user_id: int) -> str:
    return f"memo:{user_id}"
