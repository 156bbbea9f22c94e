"""What was promised, held against what is on the disk."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path


class Ledger:
    """Every acknowledgement that any process ever gave, and the check that all of them still hold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.acked: dict[tuple[int, int], tuple[int, str]] = {}
        self.blobs: set[str] = set()

    def take(self, output: str) -> bool:
        """Lines of `storage_driver`; true if it came to its end."""
        for line in output.splitlines():
            kind, *rest = line.split()
            if kind == "ack":
                key, promise = (int(rest[0]), int(rest[1])), (int(rest[2]), rest[3])
                assert self.acked.setdefault(key, promise) == promise, f"{key} was promised twice, differently"
            elif kind == "blob":
                self.blobs.add(rest[0])
        return output.rstrip().endswith("end")

    def check(self) -> None:
        """No acknowledged message lost, doubled, reordered or gapped; no blob's row without its bytes."""
        with closing(sqlite3.connect(f"file:{self._folder}/renraku.db?mode=ro", uri=True)) as db:
            stored = self._messages(db)
            self._check_stream(db)
            rows = {row[0] for row in db.execute("SELECT sha256 FROM blobs")}
        for key, promise in self.acked.items():
            assert stored.get(key) == promise, (
                f"message {key} was acknowledged as {promise}, the disk has {stored.get(key)}"
            )
        for sender in {sender for sender, _ in stored}:
            numbers = sorted(n for s, n in stored if s == sender)
            assert numbers == list(range(len(numbers))), f"sender {sender} has holes: {numbers}"
            seqs = [stored[sender, n][0] for n in numbers]
            assert seqs == sorted(seqs), f"sender {sender} was reordered"
        assert rows >= self.blobs
        for sha256 in rows:
            data = (self._folder / "blobs" / "1" / sha256[:2] / sha256).read_bytes()
            assert hashlib.sha256(data).hexdigest() == sha256

    def _messages(self, db: sqlite3.Connection) -> dict[tuple[int, int], tuple[int, str]]:
        """By (sender, number), read off the text itself: what a person would see."""
        stored: dict[tuple[int, int], tuple[int, str]] = {}
        for text, seq, public_id in db.execute("SELECT text, seq, public_id FROM messages ORDER BY seq"):
            sender, n = text.split(" ")[0].split("/")
            key = (int(sender), int(n))
            assert key not in stored, f"message {key} is there twice"
            stored[key] = (seq, public_id)
        return stored

    def _check_stream(self, db: sqlite3.Connection) -> None:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for room_id, last_seq, last_ordinal in db.execute("SELECT id, last_seq, last_ordinal FROM rooms").fetchall():
            seqs = [row[0] for row in db.execute("SELECT seq FROM events WHERE room_id = ? ORDER BY seq", (room_id,))]
            assert seqs == list(range(1, last_seq + 1)), "the stream has holes"
            ordinals = [
                row[0] for row in db.execute("SELECT ordinal FROM messages WHERE room_id = ? ORDER BY seq", (room_id,))
            ]
            assert ordinals == list(range(1, last_ordinal + 1))
        unmatched = db.execute(
            "SELECT count(*) FROM sends s LEFT JOIN messages m ON m.public_id = s.message_id AND m.seq = s.seq"
            " WHERE m.id IS NULL"
        ).fetchone()
        assert unmatched == (0,)
