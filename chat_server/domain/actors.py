"""Who does something: a signed-in person, and what they may do at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MEMBER: Final = "member"
GUEST: Final = "guest"
BOT: Final = "bot"

OPERATOR: Final = "operator"
"""Runs the server, sees no content. Not a row: whoever can reach the server's own socket."""
ORGANIZATION_ADMIN: Final = "organization_admin"
DEPARTMENT_ADMIN: Final = "department_admin"
AUDITOR: Final = "auditor"
RECORDS_OFFICER: Final = "records_officer"
ROLES: Final = (ORGANIZATION_ADMIN, DEPARTMENT_ADMIN, AUDITOR, RECORDS_OFFICER)


@dataclass(frozen=True, slots=True)
class Actor:
    """One signed-in person on one device, as of now (loaded anew for every request).

    `user_id`, `org_id`, `device_id` are the integer keys; `id` and `device` the public ids. `ends_at`: a guest's end,
    UTC milliseconds. `memo_pad`: whether they have it in this zone; where not, it does not exist here (`policy.has_memo_pad`).
    `access`: what this device may do with files (`policy.MayDo`).
    """

    user_id: int
    org_id: int
    device_id: int
    id: str
    device: str
    kind: str
    name: str
    zone: str
    address: str
    roles: frozenset[str] = frozenset()
    ends_at: int | None = None
    memo_pad: bool = True
    access: str = "cache"

    def until(self, expires: int) -> int:
        """When a session of theirs ends that is good until `expires`: a guest's own end may come before."""
        return expires if self.ends_at is None else min(expires, self.ends_at)

    @property
    def is_guest(self) -> bool:
        return self.kind == GUEST

    @property
    def is_organization_admin(self) -> bool:
        return ORGANIZATION_ADMIN in self.roles
