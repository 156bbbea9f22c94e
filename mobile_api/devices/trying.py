"""「通知を試す」: one push to the device that asks, at once and past every rule but the provider's.

It goes beside the queue and the ledger, because whoever tries wants to see where it stops: the answer is the provider's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import RATE_LIMITED, Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Clock, Reader, Storage
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import PushToken
from mobile_api.providers.port import Parcel, Platform, Provider
from mobile_api.sync.gathering import badge

Seal = Callable[[bytes, str, str], bytes]
"""(plain, p256dh, auth) → the body by RFC 8291. Raises an exception of its own where the key is none."""

LIVES: Final = limits.MINUTE
APART: Final = 3 * limits.SECOND
"""Between two trials of one device: a provider counts what it is asked, and so do we."""
_REMEMBERED: Final = 1000
_WORDS: Final = {
    "ja": ("通知の確認", "この端末に通知が届きました。"),
    "en": ("Notifications work", "This device was reached."),
}
log = structlog.get_logger("renraku.push")


class Trial(msgspec.Struct, frozen=True):
    """`outcome`: accepted (by the provider: it is on its way), invalid, later, refused, unknown, or unregistered (there is
    nothing to push to), or off (this server pushes nobody that way). `id` is in the payload of what arrives."""

    id: str
    outcome: str
    reason: str = ""


class Trying:
    """Where this process pushes. `providers` by platform."""

    def __init__(
        self, storage: Storage, clock: Clock, providers: Mapping[Platform, Provider], seal: Seal, most_trusted: str
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._providers = providers
        self._seal = seal
        self._most_trusted = most_trusted
        self._tried: dict[int, int] = {}

    async def __call__(self, actor: Actor) -> Trial:
        """Push to the device of `actor`, if it is registered. Raises `Problem` 8005 (too soon), 8001."""

        async def find(reader: Reader) -> tuple[list[PushToken], int]:
            live = await push_tokens.live_of(reader, [actor.user_id], most_trusted=self._most_trusted)
            return [token for token in live if token.device_id == actor.device_id], await badge(reader, actor)

        now = self._clock.now()
        if now - self._tried.get(actor.device_id, 0) < APART:
            raise Problem(RATE_LIMITED, retry_after=APART // limits.SECOND)
        if len(self._tried) >= _REMEMBERED:
            self._tried.clear()
        self._tried[actor.device_id] = now
        trial = new_id(now)
        found, number = await self._storage.read(find)
        if not found:
            return Trial(trial, "unregistered")
        token = found[0]
        provider = next((one for name, one in self._providers.items() if name == token.platform), None)
        if provider is None:
            return Trial(trial, "off")
        try:
            parcel = self._parcel(trial, now, token, provider.platform, number)
        except Exception as error:
            # Whatever the key of the device does to the one who seals: the device hears of it, and nothing of the key.
            log.warning("a push could not be sealed", device=actor.device, error=type(error).__name__)
            return Trial(trial, "invalid", "the device's key cannot be used")
        answer = await provider.send(parcel)
        return Trial(trial, answer.outcome.name.lower(), answer.reason)

    def _parcel(self, trial: str, now: int, token: PushToken, platform: Platform, number: int) -> Parcel:
        title, body = _WORDS.get(token.language, _WORDS["ja"])
        sealed = b""
        if token.p256dh:
            said = msgspec.json.encode(
                {"v": 1, "id": trial, "kind": "test", "badge": number, "title": title, "body": body}
            )
            sealed = self._seal(said, token.p256dh, token.auth)
        return Parcel(
            id=trial,
            platform=platform,
            token=token.token,
            sealed=sealed,
            text=body,
            badge=number,
            collapse="test",
            urgent=True,
            clears=False,
            expires=now + LIVES,
            topic=token.topic,
        )
