"""What has served its time: sign-in flows and failures after their window, refresh tokens and visits after their end,
push tokens long after theirs."""

from __future__ import annotations

from typing import Final

from chat_server.domain import limits
from chat_server.ports import Tx
from chat_server.storage.queries import hook_deliveries, link_visits, push_tokens, sweeping

PUSH_TOKENS_KEPT: Final = 90 * limits.DAY
"""Those that are good for nothing, for whoever asks why something did not ring."""

STEP: Final = 500
"""Rows a transaction removes of each kind: keeps the writer free (20 ms)."""


async def sweep(tx: Tx) -> bool:
    """One step; true if there may be more."""
    removed = [
        await sweeping.sign_ins(tx, tx.now, STEP),
        await sweeping.failures(tx, tx.now - limits.FAILURE_WINDOW, STEP),
        await sweeping.refresh_tokens(tx, tx.now, STEP),
        await hook_deliveries.drop_parked(tx, tx.now - limits.HOOK_KEPT, STEP),
        await push_tokens.sweep(tx, tx.now - PUSH_TOKENS_KEPT, STEP),
        await link_visits.drop_empty(tx, tx.now, STEP),
    ]
    return max(removed) == STEP
