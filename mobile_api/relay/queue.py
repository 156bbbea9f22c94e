"""The relay's queue: one SQLite file. All that the relay ever stores.

    waiting -> sending -> answered -> (confirmed) -> forgotten
                  |
                  +- killed meanwhile: answered "unknown", for the provider may have it

What a parcel held is removed with its last answer. The answer stays until the closed side confirmed it, and a while longer:
whoever hands the same id again gets the same answer, and nobody is rung twice.

A kill takes nothing with it that was written; a power cut may take the last moment (`synchronous=NORMAL`), of which the
closed side has heard no answer: it hands those again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from mobile_api.providers.port import Answer, Outcome
from mobile_api.relay.wire import Hand

FILE, LOCK = "relay.db", "relay.lock"
MOST: Final = 100_000
"""Parcels that wait: about an hour's of a large city. What comes then stays on the closed side."""
_COUNTED: Final = 256
REMEMBERED: Final = 60 * 60 * 1000
"""ms that a confirmed answer is remembered: a crash over there may have lost it after all."""
UNFETCHED: Final = 3 * 24 * 60 * 60 * 1000
"""ms that an answer waits for the closed side."""
AGAIN: Final = frozenset({Outcome.LATER, Outcome.UNKNOWN})
"""Answers after which the closed side may try once more."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS parcels (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'answered')),
  hand BLOB NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  answer BLOB,
  confirmed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parcels_by_state ON parcels (state, confirmed, due);
"""
"""`due`, ms: of one that waits, when it may go; of one that is answered, since when."""


class Busy(Exception):
    """Another relay works on the folder, or it cannot be written; the text says what to do."""


class Queue:
    """Called from one thread; each call is one commit."""

    def __init__(self, folder: Path) -> None:
        """Raises `Busy`."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Busy(f"The folder {folder} cannot be used ({error.strerror}).") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._db = sqlite3.connect(folder / FILE, isolation_level=None)
        except (OSError, sqlite3.Error):
            os.close(self._lock)
            raise Busy(f"Another relay works on {folder}, or it cannot be written. Stop that one first.") from None
        self._db.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON; {_SCHEMA}"
        )
        self._room = 0

    def take(self, hand: Hand, now: int) -> Answer | None:
        """Put it in; the answer where one is known, None where one will come. Raises `Busy` where there is no room."""
        found = self._db.execute(
            "SELECT state, answer, confirmed FROM parcels WHERE id = ?", [hand.parcel.id]
        ).fetchone()
        if found is not None:
            state, answer, confirmed = found
            if state == "answered":
                known = msgspec.msgpack.decode(answer, type=Answer)
                if not (confirmed and known.outcome in AGAIN):
                    return known
            if state != "sending":
                # Whoever asks again has waited already.
                self._db.execute(
                    "UPDATE parcels SET state = 'waiting', hand = ?, due = ?, answer = NULL, confirmed = 0 WHERE id = ?",
                    [_packed(hand), now, hand.parcel.id],
                )
            return None
        if self._room <= 0:
            # Counted now and then: a count walks over all that wait.
            self._room = min(MOST - self.waiting(), _COUNTED)
            if self._room <= 0:
                raise Busy("the relay's queue is full")
        self._room -= 1
        self._db.execute(
            "INSERT INTO parcels (id, state, hand, due) VALUES (?, 'waiting', ?, ?)",
            [hand.parcel.id, _packed(hand), now],
        )
        return None

    def next(self, now: int, most: int) -> list[tuple[Hand, int]]:
        """Those that are due, with how often each was tried before; from now on they are being sent."""
        rows = self._db.execute(
            "UPDATE parcels SET state = 'sending', tries = tries + 1 WHERE id IN (SELECT id FROM parcels"
            " WHERE state = 'waiting' AND confirmed = 0 AND due <= ? ORDER BY due, id LIMIT ?) RETURNING hand, tries - 1",
            [now, most],
        ).fetchall()
        # RETURNING promises no order; ids are in that of their making.
        found = [(msgspec.msgpack.decode(hand, type=Hand), tries) for hand, tries in rows]
        return sorted(found, key=lambda one: one[0].parcel.id)

    def due(self) -> int | None:
        """When the next one may go, ms; None where none waits."""
        (found,) = self._db.execute("SELECT min(due) FROM parcels WHERE state = 'waiting' AND confirmed = 0").fetchone()
        return None if found is None else int(found)

    def later(self, id: str, due: int) -> None:  # noqa: A002 - the parcel's word
        """Tried in vain, and nobody there to tell: once more."""
        self._db.execute("UPDATE parcels SET state = 'waiting', due = ? WHERE id = ?", [due, id])

    def answer(self, id: str, answer: Answer, now: int) -> None:  # noqa: A002
        """The parcel's content goes with it."""
        self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ?, confirmed = 0 WHERE id = ?",
            [msgspec.msgpack.encode(answer), now, id],
        )

    def confirm(self, id: str, now: int) -> None:  # noqa: A002
        self._db.execute("UPDATE parcels SET confirmed = 1, due = ? WHERE id = ? AND state = 'answered'", [now, id])

    def recover(self, now: int) -> int:
        """At start: those that a kill left in the middle; how many."""
        unknown = Answer(Outcome.UNKNOWN, "the relay was stopped in the middle")
        return self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ? WHERE state = 'sending'",
            [msgspec.msgpack.encode(unknown), now],
        ).rowcount

    def forget(self, now: int) -> None:
        """What nobody asks for any more."""
        for confirmed, kept in ((1, REMEMBERED), (0, UNFETCHED)):
            self._db.execute(
                "DELETE FROM parcels WHERE state = 'answered' AND confirmed = ? AND due < ?", [confirmed, now - kept]
            )
        # What was removed still stands in the log of changes until it is emptied.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def waiting(self) -> int:
        (found,) = self._db.execute("SELECT count(*) FROM parcels WHERE state = 'waiting'").fetchone()
        return int(found)

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)


def _packed(hand: Hand) -> bytes:
    return msgspec.msgpack.encode(hand)
