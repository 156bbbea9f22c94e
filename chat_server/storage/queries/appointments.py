"""Which of somebody's appointments names their section and post, and how: one rule for labels, lists and receipts.

The fragments speak of `u` (users), `a` (the appointment), `d` and `p` (its department and the one above).
"""

from __future__ import annotations

from typing import Final

UNPLACED: Final = 1_000_000_000
"""Where people without an appointment stand: after every department."""
LOWEST_RANK: Final = 999

IN_FORCE: Final = "x.starts_at <= ? AND (x.ends_at IS NULL OR x.ends_at > ?)"
"""Takes `now` twice."""
MAIN_FIRST: Final = "CASE x.kind WHEN 'main' THEN 0 WHEN 'annual' THEN 1 ELSE 2 END, x.starts_at DESC, x.id"

JOIN_MAIN: Final = (
    " LEFT JOIN appointments a ON a.id = (SELECT x.id FROM appointments x WHERE x.user_id = u.id"  # noqa: S608 (our own words)
    f" AND {IN_FORCE} ORDER BY {MAIN_FIRST} LIMIT 1)"
    " LEFT JOIN departments d ON d.id = a.department_id LEFT JOIN departments p ON p.id = d.parent_id"
)
"""The main appointment in force. Takes `now` twice."""

SECTION: Final = "CASE WHEN p.parent_id IS NULL THEN d.name ELSE p.name || ' ' || d.name END"
"""The two lowest departments; one at the top of the tree is left out. NULL without an appointment."""

PLACE: Final = f"coalesce(d.position, {UNPLACED}), coalesce(a.rank, {LOWEST_RANK}), u.reading, u.id"
"""Department order, rank, reading (建制順, 職位順, ふりがな)."""
