"""`python -m bench [NAME …] [--large [--messages N]] [--rounds N] [--seconds S]`: measure, print a table, write results.json.

NAME is a part (fanout, latency, acks, pg, nodes, memory, rooms, resume, photos, files, search, bots, sanitize, upload_link, push, sync, web; large: backup, files, search) or the name of a figure; without any,
everything runs. `--large`: the figures that take gigabytes and many minutes instead; `--messages` tries them with a smaller archive,
and writes nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from bench import (
    acks,
    backup,
    bots,
    fanout,
    files,
    latency,
    links,
    memory,
    nodes,
    pg,
    photos,
    pushing,
    report,
    rooms,
    sanitizing,
    search,
    storm,
    syncing,
    web,
)
from bench.plan import Plan
from bench.processes import BenchError, check_cores, raise_file_limit

PARTS: Final[dict[str, Callable[[Plan], list[report.Figure]]]] = {
    "fanout": fanout.run,
    "latency": latency.run,
    "acks": acks.run,
    "pg": pg.run,
    "nodes": nodes.run,
    "memory": memory.run,
    "rooms": rooms.run,
    "resume": storm.run,
    "photos": photos.run,
    "files": files.run,
    "search": search.run,
    "bots": bots.run,
    "sanitize": sanitizing.run,
    "upload_link": links.run,
    "push": pushing.run,
    "sync": syncing.run,
    "web": web.run,
}
"""By the first word of the figures that they give."""
LARGE: Final[dict[str, Callable[[Plan], list[report.Figure]]]] = {
    "backup": backup.run_large,
    "files": files.run_large,
    "search": search.run_large,
}
"""The same for those that take gigabytes."""


def chosen_parts(names: list[str], parts: Iterable[str] = PARTS) -> list[str]:
    """Parts that give what was asked for. Raises `BenchError`."""
    asked = [name.split(".")[0] for name in names]
    for name in asked:
        if name not in parts:
            raise BenchError(f"there is no “{name}”; there are {', '.join(parts)}")
    return [part for part in parts if part in asked or not asked]


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME")
    arguments.add_argument("--large", action="store_true", help="the figures that take gigabytes")
    arguments.add_argument("--rounds", type=int, default=Plan.rounds)
    arguments.add_argument("--seconds", type=float, default=Plan.seconds)
    arguments.add_argument("--messages", type=int, default=Plan.messages, help="of the archive that is backed up")
    chosen = arguments.parse_args()
    plan = Plan(max(1, chosen.rounds), chosen.seconds, chosen.messages)
    # Ended from outside, the servers that were started must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        check_cores()
        raise_file_limit()
        runs = LARGE if chosen.large else PARTS
        parts = chosen_parts(chosen.names, runs)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    figures, failed = measure({part: runs[part] for part in parts}, plan)
    for each in dict.fromkeys(found.how for found in figures):
        print(f"\n{each}")
    print("\n" + report.table(figures))
    return 2 if failed else 0


def measure(parts: Mapping[str, Callable[[Plan], list[report.Figure]]], plan: Plan) -> tuple[list[report.Figure], bool]:
    """Every part, each saved as soon as it is there; whether any failed. One that fails does not take the others along."""
    figures: list[report.Figure] = []
    failed = False
    for part, measured in parts.items():
        begun = time.monotonic()
        print(f"{part} …", end=" ", flush=True)
        try:
            found = measured(plan)
        except BenchError as error:
            print(f"failed: {error}", flush=True)
            failed = True
            continue
        print(f"{time.monotonic() - begun:.0f} s", flush=True)
        figures += found
        if plan.messages == Plan.messages:
            report.save(found)
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())
