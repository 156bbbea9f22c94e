"""What follows from a provider's answer: done, dropped, or again, and when."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Final

from chat_server.domain import limits
from chat_server.ports import Clock, Storage
from chat_server.services import push_loading
from mobile_api.ledger.port import ACCEPTED, BADGE, GIVEN_UP, INVALID, REFUSED, WAITING, Settled, Taken
from mobile_api.providers.port import REASON_CHARS, Answer, Outcome
from mobile_api.push.preparing import Ready

FIRST: Final = 1.0
"""Seconds before the second try; each later one waits twice as long, up to `LONGEST`."""
LONGEST: Final = 600.0
TRIES: Final = 200
"""More than fit into the time for which a push is wanted (`limits.PUSH_LIVES`)."""
_LONGEST_ASKED: Final = 3_600.0
"""Seconds; a provider that asks for more is asked again all the same."""
_ANGRY: Final = 3
"""So many refusals for their number, one after the other, and the whole lane rests: one alone may be about one device."""


class Judge:
    """Knows how each lane fares. `first`, `longest`: seconds of the back-off."""

    def __init__(
        self, storage: Storage, clock: Clock, chance: random.Random, *, first: float = FIRST, longest: float = LONGEST
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._chance = chance
        self._first = first
        self._longest = longest
        self._refused: Counter[str] = Counter()
        self._rests: dict[str, float] = {}

    def resting(self, lane: str) -> float:
        """Seconds that the provider asked to be left alone for."""
        left = self._rests.get(lane, 0.0) - time.monotonic()
        if left <= 0:
            self._rests.pop(lane, None)
        return max(0.0, left)

    def shortest_rest(self) -> float:
        """0 if no lane rests."""
        return min((self.resting(lane) for lane in list(self._rests)), default=0.0)

    async def settle(self, one: Ready, answer: Answer) -> Settled:
        """Drops the token if the provider says that it is good for nothing, and only then."""
        taken, reason = one.taken, answer.reason[:REASON_CHARS]
        self._listen(taken.lane, answer)
        match answer.outcome:
            case Outcome.ACCEPTED:
                rang = taken.kind != BADGE
                return Settled(taken.id, taken.tries, ACCEPTED, reason, answer.receipt[:REASON_CHARS], rang=rang)
            case Outcome.REFUSED:
                return Settled(taken.id, taken.tries, REFUSED, reason)
            case Outcome.INVALID:
                dropped = await self._storage.write(
                    lambda tx: push_loading.drop(tx, one.token, reason or "invalid", answer.gone_at),
                    org_id=one.token.org_id,
                )
                if dropped:
                    return Settled(taken.id, taken.tries, INVALID, reason)
                # the device has registered since: what is good now is looked up at the next try
                return self._again(one, f"{reason} (registered again since)", None, rang=False)
            case Outcome.LATER:
                return self._again(one, reason, answer.retry_after, rang=False)
            case Outcome.UNKNOWN:
                return self._again(one, reason, answer.retry_after, rang=taken.kind != BADGE)

    def not_prepared(self, taken: Taken) -> Settled:
        """The database was busy, say."""
        return self._wait(taken, "the server was busy", None, rang=False)

    def _again(self, one: Ready, reason: str, asked: float | None, *, rang: bool) -> Settled:
        return self._wait(one.taken, reason, asked, rang=rang)

    def _wait(self, taken: Taken, reason: str, asked: float | None, *, rang: bool) -> Settled:
        """Later, by doubling and by chance, so that what failed together does not come back together; finitely."""
        longest = min(self._longest, self._first * 2 ** min(taken.tries - 1, 30))
        wait = max(longest * self._chance.uniform(0.5, 1.0), min(asked or 0.0, _LONGEST_ASKED))
        due = self._clock.now() + int(wait * limits.SECOND)
        if due >= taken.expires or taken.tries >= TRIES:
            return Settled(taken.id, taken.tries, GIVEN_UP, reason, rang=rang)
        return Settled(taken.id, taken.tries, WAITING, reason, due=due, rang=rang)

    def _listen(self, lane: str, answer: Answer) -> None:
        if answer.outcome is not Outcome.LATER or answer.retry_after is None:
            self._refused.pop(lane, None)  # a lane is named by what clients bring: kept, they would pile up
            return
        self._refused[lane] += 1
        if self._refused[lane] >= _ANGRY:
            until = time.monotonic() + min(answer.retry_after, _LONGEST_ASKED)
            self._rests[lane] = max(self._rests.get(lane, 0.0), until)
