"""Pushes to Google's phones by FCM's HTTP v1: data alone, so that the app decides what is shown (docs/mobile.md).

Google keeps at most four collapse keys for a phone that is away; the app fetches everything when it wakes, whichever came.
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

from mobile_api.providers.answers import answer, waiting
from mobile_api.providers.faults import Cut, NotSent
from mobile_api.providers.fcm_client import Client, Job, Reply
from mobile_api.providers.port import SECONDS, Answer, Outcome, Parcel, Platform

THREADS: Final = 24
"""The library blocks, and Google answers in 100 to 150 ms: so many are about 200 pushes a second. They start as they are needed."""
BOUND: Final = SECONDS - 2
DATA_BYTES: Final = 3_800
"""Google's limit is 4,096 for keys and values. What would pass it goes without the sealed part."""
LONGEST: Final = 28 * 24 * 3600
"""Seconds that Google keeps a push at most."""
QUOTA_SECONDS: Final = 60.0
"""Google's advice for 429 without `Retry-After`."""
SET_UP_SECONDS: Final = 60.0

log = structlog.get_logger()


class Fcm:
    """See `port.Provider`."""

    platform: Platform = "fcm"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(THREADS, "push-fcm")
        self._closed = False

    async def send(self, parcel: Parcel) -> Answer:
        job = Job()
        if self._closed:
            return answer(parcel, Outcome.LATER, "closing")
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._client.push, job, _message(parcel))
        try:
            async with asyncio.timeout(BOUND):
                # The thread cannot be stopped: it is told that nobody waits, and ends by its own bounds.
                return _read(parcel, await asyncio.shield(running))
        except NotSent as error:
            return answer(parcel, Outcome.LATER, str(error))
        except Cut as error:
            return answer(parcel, Outcome.UNKNOWN, str(error))
        except TimeoutError:
            sent = job.give_up()
            return answer(parcel, Outcome.UNKNOWN if sent else Outcome.LATER, "no answer in time")
        finally:
            job.give_up()
            running.add_done_callback(_looked_at)

    async def close(self) -> None:
        """Waits for what is under way: for as long as the bounds of a request."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        self._client.close()


def _looked_at(running: asyncio.Future[Any]) -> None:
    if not running.cancelled():
        running.exception()


def _message(parcel: Parcel) -> dict[str, Any]:
    """Arguments of pyfcm's `notify`."""
    data = {
        "id": parcel.id,
        "badge": str(parcel.badge),
        "collapse": parcel.collapse,
        "clears": "1" if parcel.clears else "",
    }
    if not parcel.clears:
        data["text"] = parcel.text
    if parcel.urgent:
        data["urgent"] = "1"
    if parcel.sealed:
        whole = data | {"s": urlsafe_b64encode(parcel.sealed).rstrip(b"=").decode("ascii")}
        if sum(len(key) + len(value.encode()) for key, value in whole.items()) <= DATA_BYTES:
            data = whole
    lives = min(max(parcel.expires // 1000 - int(time.time()), 0), LONGEST)
    android = {"priority": "NORMAL" if parcel.clears else "HIGH", "ttl": f"{lives}s", "collapse_key": parcel.collapse}
    return {"fcm_token": parcel.token, "data_payload": data, "android_config": android}


def _read(parcel: Parcel, reply: Reply) -> Answer:
    """Google's answers, as it documents them (ErrorCode of FCM's REST reference)."""
    found = _json(reply.body)
    if reply.status == 200:
        return answer(parcel, Outcome.ACCEPTED, "200", receipt=str(found.get("name", "")))
    status, code = _error(found)
    said = " ".join(filter(None, (str(reply.status), code or status)))
    if reply.status == 404 and (code == "UNREGISTERED" or status == "NOT_FOUND"):
        # Not a 404 of somebody in between, who knows nothing of tokens.
        return answer(parcel, Outcome.INVALID, said)
    if reply.status == 429:
        return answer(parcel, Outcome.LATER, said, retry_after=waiting(reply.retry_after) or QUOTA_SECONDS)
    if reply.status >= 500:
        return answer(parcel, Outcome.LATER, said, retry_after=waiting(reply.retry_after))
    if reply.status == 400 or code in ("SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"):
        return answer(parcel, Outcome.REFUSED, said)
    if reply.status == 401:
        return answer(parcel, Outcome.LATER, said, retry_after=1.0)
    log.error("push.fcm_refuses_us", status=reply.status, reason=code or status)
    return answer(parcel, Outcome.LATER, said, retry_after=SET_UP_SECONDS)


def _error(found: dict[str, Any]) -> tuple[str, str]:
    """Google's status, and FCM's own code."""
    error = found.get("error")
    if not isinstance(error, dict):
        return "", ""
    details = error.get("details")
    codes = [one.get("errorCode") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return str(error.get("status", "")), str(next(filter(None, codes), ""))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
