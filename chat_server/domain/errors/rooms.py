"""3000–3999: rooms and their members."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

ROOM_NOT_FOUND: Final = Fault(
    3001,
    "room_not_found",
    404,
    "トークルームが見つかりません。",
    "There is no such room.",
)
ROOM_ARCHIVED: Final = Fault(
    3002,
    "room_archived",
    409,
    "このトークルームは保管済みのため、変更できません。",
    "This room is archived and cannot be changed.",
)
ROOM_READ_ONLY: Final = Fault(
    3003,
    "room_read_only",
    403,
    "このトークルームでは閲覧のみできます。",
    "You can only read in this room.",
)
ROOM_NOT_OWNER: Final = Fault(
    3004,
    "room_not_owner",
    403,
    "トークルームの管理者だけができる操作です。",
    "Only an owner of the room can do this.",
)
ROOM_KIND_FORBIDS: Final = Fault(
    3005,
    "room_kind_forbids",
    409,
    "この種類のトークルームではできない操作です。",
    "This kind of room does not allow this.",
)
LAST_OWNER: Final = Fault(
    3006,
    "last_owner",
    409,
    "最後の管理者です。先に別のメンバーを管理者にしてください。",
    "You are the last owner. Make somebody else an owner first.",
)
MEMBER_NOT_FOUND: Final = Fault(
    3007,
    "member_not_found",
    404,
    "その人はこのトークルームのメンバーではありません。",
    "That person is not a member of this room.",
)
ROOM_KIND_NOT_ALLOWED: Final = Fault(
    3008,
    "room_kind_not_allowed",
    403,
    "この種類のトークルームを作る権限がありません。",
    "You are not allowed to create this kind of room.",
)
GUEST_NOT_ALLOWED: Final = Fault(
    3009,
    "guest_not_allowed",
    403,
    "ゲストはこの操作をできません。",
    "Guests cannot do this.",
)
ORGANIZATION_NOT_OPEN: Final = Fault(
    3010,
    "organization_not_open",
    409,
    "このトークルームは、その団体とは共有されていません。トークルームの管理者に共有を依頼してください。",
    "This room is not shared with that organization. Ask an owner of the room to offer it.",
)
ROOM_FULL: Final = Fault(
    3011,
    "room_full",
    409,
    "メンバーは{limit}人までです。",
    "A room has at most {limit} members.",
)
OWNER_IS_HOME: Final = Fault(
    3012,
    "owner_is_home",
    409,
    "管理者にできるのは、このトークルームを作った団体のメンバーだけです。",
    "Only members of the organization that made the room can own it.",
)
