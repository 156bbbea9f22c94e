"""A hundred thousand messages in a room, in a second: rows beside those that the services wrote."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec

from chat_server.domain.ids import new_id

MINUTE: Final = 60_000
LINES: Final = (
    "見回りを終えました。異常はありません。",
    "側溝のふたがずれていたため、元に戻しました。\n周りの舗装に段差はありません。",
    "承知しました。",
    "通学路の横断歩道が薄くなっています。来月の補修に入れてください。現地の写真は明日の午前中に撮り直して、この部屋に送ります。",
)


def text_of(number: int) -> str:
    return f"{number}番 {LINES[number % len(LINES)]}"


def fill(folder: Path, room: str, count: int, *, until: int, apart: int = 5 * MINUTE) -> None:
    """Messages 1 to `count`, one each `apart` milliseconds, the last one at `until`; by the room's first two members."""
    base = sqlite3.connect(folder / "renraku.db")
    base.row_factory = sqlite3.Row
    with base:
        (place,) = base.execute("SELECT * FROM rooms WHERE public_id = ?", (room,))
        authors = base.execute(
            "SELECT u.id, u.name FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.room_id = ? ORDER BY m.id LIMIT 2",
            (place["id"],),
        ).fetchall()
        columns = (
            "public_id, org_id, room_id, seq, ordinal, author_id, author_name, author_department, author_post, kind,"
            " text, blocks, zone, created_at"
        )

        def row(number: int) -> tuple[Any, ...]:
            author, at, text = authors[number // 3 % len(authors)], until - (count - number) * apart, text_of(number)
            return (
                new_id(at), place["org_id"], place["id"], place["last_seq"] + number, place["last_ordinal"] + number,
                author["id"], author["name"], "道路課 維持係", "主事", "text", text,
                msgspec.msgpack.encode([{"type": "text", "text": text}]), "lgwan", at,
            )  # fmt: skip

        marks = ", ".join("?" * 14)
        base.executemany(f"INSERT INTO messages ({columns}) VALUES ({marks})", map(row, range(1, count + 1)))
        base.execute(
            "UPDATE rooms SET last_seq = last_seq + ?, last_ordinal = last_ordinal + ? WHERE id = ?",
            (count, count, place["id"]),
        )
    base.close()

    # The index need not read them: nothing is looked for.
    index = sqlite3.connect(folder / "search.db")
    with index:
        index.execute("UPDATE state SET value = value + ? WHERE name = 'messages'", (count,))
    index.close()
