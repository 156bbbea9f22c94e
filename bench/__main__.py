"""`python -m bench [NAME …] [--rounds N] [--seconds S]`: measure, print a table, write results.json.

NAME is a part (fanout, latency, acks, memory, rooms, resume, photos) or the name of a figure; without any, everything runs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

from bench import acks, fanout, latency, memory, photos, report, rooms, storm
from bench.plan import Plan
from bench.processes import BenchError, check_cores, raise_file_limit

PARTS: Final[dict[str, Callable[[Plan], list[report.Figure]]]] = {
    "fanout": fanout.run,
    "latency": latency.run,
    "acks": acks.run,
    "memory": memory.run,
    "rooms": rooms.run,
    "resume": storm.run,
    "photos": photos.run,
}
"""By the first word of the figures that they give."""


def chosen_parts(names: list[str]) -> list[str]:
    """Parts that give what was asked for. Raises `BenchError`."""
    asked = [name.split(".")[0] for name in names]
    for name in asked:
        if name not in PARTS:
            raise BenchError(f"there is no “{name}”; there are {', '.join(PARTS)}")
    return [part for part in PARTS if part in asked or not asked]


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME")
    arguments.add_argument("--rounds", type=int, default=Plan.rounds)
    arguments.add_argument("--seconds", type=float, default=Plan.seconds)
    chosen = arguments.parse_args()
    plan = Plan(max(1, chosen.rounds), chosen.seconds)
    # Ended from outside, the servers that were started must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        check_cores()
        raise_file_limit()
        parts = chosen_parts(chosen.names)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    figures, failed = measure(parts, plan)
    for each in dict.fromkeys(found.how for found in figures):
        print(f"\n{each}")
    print("\n" + report.table(figures))
    return 2 if failed else 0


def measure(parts: list[str], plan: Plan) -> tuple[list[report.Figure], bool]:
    """Every part, each saved as soon as it is there; whether any failed. One that fails does not take the others along."""
    figures: list[report.Figure] = []
    failed = False
    for part in parts:
        begun = time.monotonic()
        print(f"{part} …", end=" ", flush=True)
        try:
            found = PARTS[part](plan)
        except BenchError as error:
            print(f"failed: {error}", flush=True)
            failed = True
            continue
        print(f"{time.monotonic() - begun:.0f} s", flush=True)
        figures += found
        report.save(found)
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())
