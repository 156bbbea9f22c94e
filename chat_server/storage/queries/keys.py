"""Rows of the signing keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Key:
    """`retires_at` (UTC milliseconds): signs nothing any more, and verifies until then."""

    kid: str
    purpose: str
    secret: bytes = field(repr=False)
    created_at: int
    retires_at: int | None


async def all_keys(reader: Reader) -> list[Key]:
    """Oldest first."""
    rows = await reader.all("SELECT kid, purpose, secret, created_at, retires_at FROM signing_keys ORDER BY id")
    return [Key(row[0], row[1], bytes(row[2]), row[3], row[4]) for row in rows]


async def insert(tx: Tx, kid: str, purpose: str, secret: bytes) -> None:
    await tx.run(
        "INSERT INTO signing_keys (kid, purpose, secret, created_at) VALUES (?, ?, ?, ?)", kid, purpose, secret, tx.now
    )


async def retire(tx: Tx, purpose: str, at: int) -> None:
    """All keys of `purpose` retire at `at`, or earlier where that was so."""
    await tx.run(
        "UPDATE signing_keys SET retires_at = ? WHERE purpose = ? AND (retires_at IS NULL OR retires_at > ?)",
        at, purpose, at,
    )  # fmt: skip


async def remove_retired(tx: Tx) -> None:
    await tx.run("DELETE FROM signing_keys WHERE retires_at <= ?", tx.now)
