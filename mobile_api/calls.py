"""Every HTTP call that phones need beyond those of `chat_server.http`, in one list."""

from __future__ import annotations

from typing import Final

from chat_server.http.calls import AnyCall
from mobile_api.devices import keeping, own, renewing
from mobile_api.sync import calls as sync

MODULES: Final = (own, renewing, keeping, sync)

CALLS: Final[tuple[AnyCall, ...]] = tuple(call for module in MODULES for call in module.CALLS)
