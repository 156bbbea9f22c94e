"""Every HTTP call that a server answers, wherever it is declared."""

from __future__ import annotations

from typing import Final

from chat_server.http import routes
from chat_server.http.calls import AnyCall
from mobile_api import calls as mobile

CALLS: Final[tuple[AnyCall, ...]] = (*routes.CALLS, *mobile.CALLS)
