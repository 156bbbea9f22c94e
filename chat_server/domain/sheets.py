"""Tables that a desk's spreadsheet opens."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from typing import Final

_MARK: Final = b"\xef\xbb\xbf"
"""Without it Excel takes UTF-8 for CP932."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_JST: Final = datetime.timezone(datetime.timedelta(hours=9))


def sheet(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV in UTF-8. What people wrote must not run as a formula (OWASP, "CSV Injection"): such cells begin with a '."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return _MARK + out.getvalue().encode()


def day_and_minute(at: int) -> str:
    """UTC milliseconds as a cell that sorts, in Japan: `2026-11-26 09:00`."""
    return f"{datetime.datetime.fromtimestamp(at / 1000, _JST):%Y-%m-%d %H:%M}"
