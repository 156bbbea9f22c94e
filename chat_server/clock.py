"""The real clock."""

from __future__ import annotations

import time


class SystemClock:
    """`ports.Clock` from the machine's time."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000
