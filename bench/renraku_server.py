"""The server under test, with everything on: `python -m bench.renraku_server FOLDER [options]`.

Prints its port. `--batches` writes at the end how many use cases shared a commit; `--record` writes every statement of
every send, for `bare_writer.py`; `--warm-caches` reads the whole database before the start.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bench import observing
from bench.settings import settings, unhurried
from chat_server import logs, serving


def ready(addresses: list[str]) -> None:
    print(urlsplit(addresses[0]).port, flush=True)


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--database", default="")
    arguments.add_argument("--batches", type=Path)
    arguments.add_argument("--record", type=Path)
    arguments.add_argument("--bots", default="")
    arguments.add_argument("--warm-caches", action="store_true")
    chosen = arguments.parse_args()
    logs.set_up("json")
    unhurried()
    count, record = (
        (observing.count_postgres_batches, observing.record_postgres_sends)
        if chosen.database
        else (observing.count_batches, observing.record_sends)
    )
    batches = count() if chosen.batches else None
    sends = record() if chosen.record else None
    if chosen.warm_caches:
        observing.warm_caches()
    status = serving.run(settings(chosen.folder, chosen.database, chosen.bots), ready)
    if batches is not None:
        chosen.batches.write_text(json.dumps({"commits": batches.commits, "jobs": batches.jobs}))
    if sends is not None:
        observing.write_sends(sends, chosen.record)
    return status


if __name__ == "__main__":
    sys.exit(main())
