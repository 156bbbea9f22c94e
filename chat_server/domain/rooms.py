"""Room kinds, member roles, and the rules that need no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

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


DEFAULT_POLICY: Final[dict[str, Any]] = {
    "create_private": "member",
    "create_open": "member",
    "create_announcement": "organization_admin",
    "invite_guests": "member",
    "share_rooms": "organization_admin",
}
"""Who may do what in an organization: `member` or a role's name. An organization's own `policy` overrides it."""


def allows(policy: dict[str, Any], act: str, roles: frozenset[str]) -> bool:
    """Whether `policy` lets a member (never a guest) with `roles` do `act`. Unknown acts are refused."""
    needed = policy.get(act, DEFAULT_POLICY.get(act))
    return needed == "member" or (needed is not None and needed in roles)


def direct_key(a: int, b: int) -> str:
    """One room for each pair, whoever begins."""
    low, high = sorted((a, b))
    return f"direct:{low}:{high}"


def memo_key(user_id: int) -> str:
    return f"memo:{user_id}"
