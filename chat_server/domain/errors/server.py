"""9000–9999: a fault of the server. Show the number to the administrator."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

INTERNAL: Final = Fault(
    9001,
    "internal",
    500,
    "サーバーで問題が起きました。番号{trace}を管理者にお知らせください。",
    "Something went wrong in the server. Tell your administrator the number {trace}.",
)
STORAGE_BROKEN: Final = Fault(
    9002,
    "storage_broken",
    503,
    "保存先に異常があるため停止します。管理者にお知らせください。",
    "The storage has failed and the server stops. Tell your administrator.",
)
