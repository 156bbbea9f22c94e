"""The relay's queue: one SQLite file. All that the relay ever stores.

    waiting -> sending -> answered -> (confirmed) -> forgotten
                  |
                  +- killed meanwhile: answered "unknown", for the provider may have it

Of one place (a device and room) one is sending at a time, and one waits: the newest. A line that was cut leaves here what over
there has long been read or replaced, and that must not ring after what came later.

What a parcel held is removed with its last answer. The answer stays until the closed side confirmed it, and a while longer:
whoever hands the same id again gets the same answer, and nobody is rung twice.

A kill takes nothing with it that was written; a power cut may take the last moment (`synchronous=NORMAL`), of which the
closed side has heard no answer: it hands those again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from mobile_api.providers.port import Answer, Outcome, Parcel
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
  confirmed INTEGER NOT NULL DEFAULT 0,
  place TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parcels_by_state ON parcels (state, confirmed, due);
"""
"""`due`, ms: of one that waits, when it may go; of one that is answered, since when. `place`: empty once it is answered."""
_BY_PLACE: Final = "CREATE INDEX IF NOT EXISTS parcels_by_place ON parcels (place, state) WHERE place <> ''"
_MAY_GO: Final = (
    "FROM parcels p WHERE state = 'waiting' AND confirmed = 0 AND NOT EXISTS (SELECT 1 FROM parcels s"
    " WHERE s.place = p.place AND s.place <> '' AND s.state = 'sending')"
)
_REPLACED: Final = Answer(Outcome.REFUSED, "a newer one took its place")


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
        if not self._db.execute("SELECT 1 FROM pragma_table_info('parcels') WHERE name = 'place'").fetchone():
            self._db.execute("ALTER TABLE parcels ADD COLUMN place TEXT NOT NULL DEFAULT ''")  # of an earlier version
        self._db.execute(_BY_PLACE)
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
                    "UPDATE parcels SET state = 'waiting', hand = ?, due = ?, answer = NULL, confirmed = 0, place = ? WHERE id = ?",
                    [_packed(hand), now, _place(hand.parcel), hand.parcel.id],
                )
            return None
        if self._room <= 0:
            # Counted now and then: a count walks over all that wait.
            self._room = min(MOST - self.waiting(), _COUNTED)
            if self._room <= 0:
                raise Busy("the relay's queue is full")
        self._room -= 1
        place = _place(hand.parcel)
        # The closed side hands over one at a time of each place: what waits there it has given up or replaced.
        self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ?, place = '' WHERE place = ? AND place <> ''"
            " AND state = 'waiting'",
            [msgspec.msgpack.encode(_REPLACED), now, place],
        )
        self._db.execute(
            "INSERT INTO parcels (id, state, hand, due, place) VALUES (?, 'waiting', ?, ?, ?)",
            [hand.parcel.id, _packed(hand), now, place],
        )
        return None

    def next(self, now: int, most: int) -> list[tuple[Hand, int]]:
        """Those that are due, with how often each was tried before; from now on they are being sent."""
        rows = self._db.execute(
            f"UPDATE parcels SET state = 'sending', tries = tries + 1 WHERE id IN (SELECT id {_MAY_GO}"  # noqa: S608
            " AND due <= ? ORDER BY due, id LIMIT ?) RETURNING hand, tries - 1",
            [now, most],
        ).fetchall()
        # RETURNING promises no order; ids are in that of their making.
        found = [(msgspec.msgpack.decode(hand, type=Hand), tries) for hand, tries in rows]
        return sorted(found, key=lambda one: one[0].parcel.id)

    def due(self) -> int | None:
        """When the next one may go, ms; None where none waits for the time alone."""
        found = self._db.execute(f"SELECT due {_MAY_GO} ORDER BY due LIMIT 1").fetchone()
        return None if found is None else int(found[0])

    def later(self, id: str, due: int) -> None:  # noqa: A002 - the parcel's word
        """Tried in vain, and nobody there to tell: once more, unless a newer one waits in its place."""
        self._db.execute(
            "UPDATE parcels SET state = 'waiting', due = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM parcels n"
            " WHERE n.place = parcels.place AND n.place <> '' AND n.state = 'waiting')",
            [due, id],
        )
        self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ?, place = '' WHERE id = ? AND state = 'sending'",
            [msgspec.msgpack.encode(_REPLACED), due, id],
        )

    def answer(self, id: str, answer: Answer, now: int) -> None:  # noqa: A002
        """The parcel's content goes with it."""
        self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ?, confirmed = 0, place = '' WHERE id = ?",
            [msgspec.msgpack.encode(answer), now, id],
        )

    def confirm(self, id: str, now: int) -> None:  # noqa: A002
        self._db.execute("UPDATE parcels SET confirmed = 1, due = ? WHERE id = ? AND state = 'answered'", [now, id])

    def recover(self, now: int) -> int:
        """At start: those that a kill left in the middle; how many."""
        unknown = Answer(Outcome.UNKNOWN, "the relay was stopped in the middle")
        return self._db.execute(
            "UPDATE parcels SET state = 'answered', hand = x'', answer = ?, due = ?, place = '' WHERE state = 'sending'",
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


def _place(parcel: Parcel) -> str:
    """The device and room, as far as the relay can tell them apart."""
    return hashlib.sha256(f"{parcel.platform}\0{parcel.token}\0{parcel.collapse}".encode()).hexdigest()


def _packed(hand: Hand) -> bytes:
    return msgspec.msgpack.encode(hand)
