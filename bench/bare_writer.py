"""The least that a durable send costs: the server's own statements, savepoints and commits, in a thread that does
nothing else. `python -m bench.bare_writer FOLDER SENDS BATCH` prints sends a second.

Same pragmas (write-ahead log, full synchronous), same number of sends a commit as the server had; no sockets, no
sign-in, no validation, no Python of the use case.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.observing import Send, read_sends
from chat_server.storage.folder import lock_folder
from chat_server.storage.sqlite.checkpoints import Checkpoints
from chat_server.storage.sqlite.opening import open_writer


def batches(sends: list[Send], mean: float) -> Iterator[list[Send]]:
    """Consecutive slices whose sizes are `mean` on average."""
    done, due = 0, 0.0
    while done < len(sends):
        due += mean
        size = max(1, round(due) - done)
        yield sends[done : done + size]
        done += size


def replay(connection: sqlite3.Connection, sends: list[Send], mean: float) -> None:
    execute = connection.execute
    checkpoints = Checkpoints(connection)
    for batch in batches(sends, mean):
        execute("BEGIN IMMEDIATE")
        for send in batch:
            execute("SAVEPOINT job")
            for sql, values in send:
                execute(sql, values).fetchone()
            execute("RELEASE job")
        execute("COMMIT")
        if checkpoints.due(idle=True):
            checkpoints.run()


def main() -> None:
    sends = read_sends(Path(sys.argv[2]))
    folder = lock_folder(Path(sys.argv[1]))
    connection = open_writer(folder)
    with ThreadPoolExecutor(1) as thread:
        begun = time.perf_counter()
        thread.submit(replay, connection, sends, float(sys.argv[3])).result()
        took = time.perf_counter() - begun
    connection.close()
    folder.release()
    print(len(sends) / took)


if __name__ == "__main__":
    main()
