"""Answers put into words: short, printable, without what was secret in the request."""

from __future__ import annotations

import email.utils
import re
import time
from typing import Final

from mobile_api.providers.port import REASON_CHARS, Answer, Outcome, Parcel

LONGEST_WAIT: Final = 3600.0
"""Seconds. A provider that asks for more is asked again earlier: a slip of its clock must not cost a day of pushes."""
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def answer(
    parcel: Parcel, outcome: Outcome, reason: str, *, receipt: str = "", retry_after: float | None = None,
    gone_at: int | None = None,
) -> Answer:  # fmt: skip
    """`reason` may hold anything that came from outside: an echo of the token is taken out, and all but ASCII."""
    for secret in (parcel.token, parcel.token.rpartition("/")[2]):
        if len(secret) >= 8:
            reason = reason.replace(secret, "…")
    return Answer(outcome, printable(reason), printable(receipt), retry_after, gone_at)


def printable(text: str) -> str:
    """Of what another system said: one line, no control characters, not long."""
    return _UNPRINTABLE.sub(" ", text.replace("…", "...")).strip()[:REASON_CHARS]


def waiting(header: str | None, now: float | None = None) -> float | None:
    """`Retry-After` in seconds, either form of RFC 9110, 10.2.3; None for none and for nonsense."""
    if header is None:
        return None
    header = header.strip()
    if _SECONDS.fullmatch(header):
        return min(float(header), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(until - (time.time() if now is None else now), 0.0), LONGEST_WAIT)
