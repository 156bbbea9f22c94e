"""Room kinds, member roles, and the rules that need no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRIVATE: Final = "private"
OPEN: Final = "open"
ANNOUNCEMENT: Final = "announcement"
DIRECT: Final = "direct"
MEMO: Final = "memo"
KINDS: Final = (PRIVATE, OPEN, ANNOUNCEMENT, DIRECT, MEMO)
CREATABLE: Final = (PRIVATE, OPEN, ANNOUNCEMENT)
FIXED: Final = frozenset({DIRECT, MEMO})
"""Nobody joins, leaves or is removed."""

OWNER: Final = "owner"
WRITER: Final = "member"
READ_ONLY: Final = "read_only"
MEMBER_ROLES: Final = (OWNER, WRITER, READ_ONLY)

INVOLVEMENTS: Final = ("nothing", "mentions", "everything")
HISTORIES: Final = ("all", "joined")


@dataclass(frozen=True, slots=True)
class Standing:
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
        """Few write into an announcement room; the others write unless they are read-only."""
        if self.archived or self.role == READ_ONLY:
            return False
        return self.kind != ANNOUNCEMENT or self.role == OWNER

    @property
    def can_manage(self) -> bool:
        return self.role == OWNER and self.kind not in FIXED and not self.archived

    @property
    def can_invite(self) -> bool:
        """Members of a private or open room bring colleagues in; announcement rooms are the owners'."""
        if self.archived or self.kind in FIXED or self.role == READ_ONLY:
            return False
        return self.role == OWNER or self.kind != ANNOUNCEMENT


def direct_key(a: int, b: int) -> str:
    """One room for each pair, whoever begins."""
    low, high = sorted((a, b))
    return f"direct:{low}:{high}"


def memo_key(user_id: int) -> str:
    return f"memo:{user_id}"
