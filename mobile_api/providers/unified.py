"""ntfy, and whatever else speaks UnifiedPush: pushes for phones without Google, over a server that a site runs itself.

An endpoint of UnifiedPush takes Web Push: the sealed part goes through as it is. A topic of ntfy that somebody subscribed
without an app of ours gets the fixed text.
"""

from __future__ import annotations

import json
from typing import Final

from mobile_api.providers.answers import answer, printable, waiting
from mobile_api.providers.faults import Cut, NotAllowed, NotSent
from mobile_api.providers.port import Answer, Outcome, Parcel, Platform
from mobile_api.providers.posting import Poster, Reply
from mobile_api.providers.web_push import Sign, headers_of

BODY_BYTES: Final = 4096
"""ntfy's limit, and that of UnifiedPush."""
SET_UP_SECONDS: Final = 60.0


class Unified:
    """See `port.Provider`."""

    platform: Platform = "unified"

    def __init__(self, poster: Poster, sign: Sign) -> None:
        self._poster, self._sign = poster, sign

    async def send(self, parcel: Parcel) -> Answer:
        if parcel.clears and not parcel.sealed:
            return answer(parcel, Outcome.REFUSED, "without a key of the device nothing silent can be said")
        if len(parcel.sealed) > BODY_BYTES:
            return answer(parcel, Outcome.REFUSED, "the sealed part is longer than 4,096 bytes")
        try:
            target = self._poster.target(parcel.token)
            headers = headers_of(parcel)
            # ntfy knows no urgency of Web Push; to a server of UnifiedPush its header is nothing.
            headers["priority"] = "5" if parcel.urgent else "2" if parcel.clears else "4"
            if parcel.sealed and (authorization := self._sign(parcel, f"{target.scheme}://{target.authority}")):
                headers["authorization"] = authorization
            if not parcel.sealed:
                headers["content-type"] = "text/plain; charset=utf-8"
            reply = await self._poster.post(target, headers, parcel.sealed or parcel.text.encode())
            return _read(parcel, reply)
        except (NotAllowed, ValueError) as error:  # ValueError: no signature
            return answer(parcel, Outcome.REFUSED, str(error))
        except NotSent as error:
            return answer(parcel, Outcome.LATER, str(error))
        except Cut as error:
            return answer(parcel, Outcome.UNKNOWN, str(error))

    async def close(self) -> None:
        await self._poster.close()


def _read(parcel: Parcel, reply: Reply) -> Answer:
    found = _json(reply.body)
    said = f"{reply.status} {printable(str(found.get('error', '')))}".strip()
    if 200 <= reply.status < 300:
        return answer(parcel, Outcome.ACCEPTED, str(reply.status), receipt=str(found.get("id", "")))
    if reply.status in (404, 410):
        return answer(parcel, Outcome.INVALID, said)
    wait = waiting(reply.headers.get("retry-after"))
    # 507: ntfy takes nothing for a topic whose phone has not been there for a while.
    if reply.status in (408, 425, 429) or reply.status >= 500:
        return answer(parcel, Outcome.LATER, said, retry_after=wait)
    if reply.status in (401, 403, 407):
        return answer(parcel, Outcome.LATER, said, retry_after=wait or SET_UP_SECONDS)
    return answer(parcel, Outcome.REFUSED, said)


def _json(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
