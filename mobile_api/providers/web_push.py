"""Web Push (RFC 8030): what was sealed for the browser goes to the push service that the browser named.

pywebpush 2.5 itself is not asked to post: it seals and sends in one call (our part arrives sealed, so that the relay cannot
read it), follows redirects, keeps no rule about where it goes, and waits 10,000 seconds. Its sealing is used in
mobile_api/push, its signatures in `vapid`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from mobile_api.providers.answers import answer, printable, waiting
from mobile_api.providers.faults import Cut, NotAllowed, NotSent
from mobile_api.providers.port import Answer, Outcome, Parcel, Platform
from mobile_api.providers.posting import Poster, Reply

LONGEST: Final = 28 * 24 * 3600
"""Seconds that push services keep a push at most."""
SET_UP_SECONDS: Final = 60.0

Sign = Callable[[Parcel, str], str]
"""The header `Authorization` for a parcel to an origin; empty where there is none."""


class WebPush:
    """See `port.Provider`."""

    platform: Platform = "web_push"

    def __init__(self, poster: Poster, sign: Sign) -> None:
        self._poster, self._sign = poster, sign

    async def send(self, parcel: Parcel) -> Answer:
        try:
            target = self._poster.target(parcel.token)
            authorization = self._sign(parcel, f"{target.scheme}://{target.authority}")
            headers = headers_of(parcel)
            if authorization:
                headers["authorization"] = authorization
            reply = await self._poster.post(target, headers, parcel.sealed)
            return _read(parcel, reply)
        except (NotAllowed, ValueError) as error:  # ValueError: no signature
            return answer(parcel, Outcome.REFUSED, str(error))
        except NotSent as error:
            return answer(parcel, Outcome.LATER, str(error))
        except Cut as error:
            return answer(parcel, Outcome.UNKNOWN, str(error))

    async def close(self) -> None:
        await self._poster.close()


def headers_of(parcel: Parcel) -> dict[str, str]:
    headers = {
        "ttl": str(min(max(parcel.expires // 1000 - int(time.time()), 0), LONGEST)),
        "urgency": "high" if parcel.urgent else "low" if parcel.clears else "normal",
        "topic": parcel.collapse,
    }
    if parcel.sealed:
        headers |= {"content-encoding": "aes128gcm", "content-type": "application/octet-stream"}
    return headers


def _read(parcel: Parcel, reply: Reply) -> Answer:
    """RFC 8030 and 8292, and what the known services add."""
    said = f"{reply.status} {_words(reply.body)}".strip()
    if 200 <= reply.status < 300:
        return answer(parcel, Outcome.ACCEPTED, str(reply.status), receipt=_receipt(reply))
    if reply.status in (404, 410):
        return answer(parcel, Outcome.INVALID, said)
    wait = waiting(reply.headers.get("retry-after"))
    if reply.status in (408, 425, 429) or reply.status >= 500:
        return answer(parcel, Outcome.LATER, said, retry_after=wait)
    if reply.status in (401, 403, 407):
        # Our signature, or our rights: the subscription may be as good as ever.
        return answer(parcel, Outcome.LATER, said, retry_after=wait or SET_UP_SECONDS)
    return answer(parcel, Outcome.REFUSED, said)


def _words(body: bytes) -> str:
    """What the service says of it, unless that is a page."""
    text = printable(body[:300].decode("utf-8", "replace"))
    return "" if text.startswith("<") else text


def _receipt(reply: Reply) -> str:
    """Of the address of the push its last part alone: whoever has the whole could withdraw it."""
    return reply.headers.get("location", "").rstrip("/").rpartition("/")[2][:64]
