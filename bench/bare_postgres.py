"""The least that a durable send costs on PostgreSQL: the server's own statements, lock, savepoints and commits on one bare
asyncpg connection. `python -m bench.bare_postgres ADDRESS SENDS BATCH` prints sends a second.

Same event loop (uvloop), same number of sends a commit as the server had; no sockets, no sign-in, no use case.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import asyncpg
import uvloop

from bench.bare_writer import batches
from bench.observing import read_sends
from chat_server.storage.postgresql.writer import LOCK


async def replay(address: str, path: Path, mean: float) -> float:
    """Seconds for all of them."""
    sends = read_sends(path)
    connection = await asyncpg.connect(address)
    try:
        begun = time.perf_counter()
        for batch in batches(sends, mean):
            await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); SAVEPOINT job")
            for number, send in enumerate(batch):
                if number:
                    await connection.execute("RELEASE SAVEPOINT job; SAVEPOINT job")
                for asked, values in send:
                    how, _, sql = asked.partition(" ")
                    await getattr(connection, how)(sql, *values)
            await connection.execute("COMMIT")
        return len(sends) / (time.perf_counter() - begun)
    finally:
        await connection.close()


if __name__ == "__main__":
    print(uvloop.run(replay(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
