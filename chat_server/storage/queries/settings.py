"""The server's own facts."""

from __future__ import annotations

from chat_server.ports import Reader, Tx


async def find(tx: Reader, name: str) -> str | None:
    row = await tx.one("SELECT value FROM settings WHERE name = ?", name)
    return str(row[0]) if row else None


async def change(tx: Tx, name: str, value: str) -> None:
    """A fact that is there."""
    await tx.run("UPDATE settings SET value = ? WHERE name = ?", value, name)


async def add(tx: Tx, name: str, value: str) -> None:
    """A fact that was not there yet."""
    await tx.run("INSERT INTO settings (name, value) VALUES (?, ?)", name, value)


async def put(tx: Tx, name: str, value: str) -> None:
    """A fact, whether it was there or not."""
    await tx.run(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name, value,
    )  # fmt: skip
