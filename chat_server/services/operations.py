"""What the operator may do, by name: JSON in, JSON out. Whoever reaches these owns the data folder already."""

from __future__ import annotations

from typing import Final

from chat_server.services import (
    operator_bots,
    operator_hooks,
    operator_people,
    operator_push,
    operator_rooms,
    operator_server,
    operator_staff,
)
from chat_server.services.operation import Deps, Operation

__all__ = ["OPERATIONS", "Deps", "Operation"]

OPERATIONS: Final[dict[str, Operation]] = {
    **operator_bots.OPERATIONS,
    **operator_hooks.OPERATIONS,
    **operator_people.OPERATIONS,
    **operator_push.OPERATIONS,
    **operator_staff.OPERATIONS,
    **operator_rooms.OPERATIONS,
    **operator_server.OPERATIONS,
}
