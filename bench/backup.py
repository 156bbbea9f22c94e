"""What a backup costs those who write meanwhile, and how long a restore takes.

The server and the load have a core each, as everywhere; the backup is a process like others and runs where there is room.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench import generator, servers
from bench.plan import Plan
from bench.processes import LOAD_CORE, ROOT, BenchError, Server, start_python
from bench.report import Figure, figure

RATE: Final = 4
"""Messages a second into each of 50 rooms."""
CALM: Final = 30.0
"""Seconds before the backup and after it."""


def run_large(plan: Plan) -> list[Figure]:
    """`backup.*`, `restore.*`: `plan.messages` messages, 10 kB of files for each."""
    with servers.work_folder() as folder:
        data, target = folder / "archive", folder / "backups"
        data.mkdir()
        if start_python("bench.seed", str(data), "archive", str(plan.messages), core=LOAD_CORE).wait():
            raise BenchError("seeding the archive failed")
        with servers.renraku(data) as server:
            before = _calm(server, data)
            with generator.Running(server, data / "clients.txt", "--rate", RATE) as load:
                backup_minutes = _timed("backup", target, data=data)
            after = _calm(server, data)
        size = _size(data / "blobs") / 1e9
        shutil.rmtree(data / "blobs")
        restore_minutes = _timed("restore", target, "--data", folder / "restored", data=data)
    calm = statistics.mean((before["p99_ms"], after["p99_ms"]))
    during = load.result["p99_ms"]
    archive = f"{plan.messages:,} messages and {size:.1f} GB of files"
    how = (
        f"{archive}, {50 * RATE} messages a second; from send to the sender's own screen, right behind the ack: 99th"
        f" percentile {during:.1f} ms (median {load.result['p50_ms']:.1f}, longest {load.result['max_ms']:.0f}) during"
        f" {backup_minutes:.1f} minutes of backup, {before['p99_ms']:.1f} and {after['p99_ms']:.1f} ms before and after it"
        f" (medians {before['p50_ms']:.1f} and {after['p50_ms']:.1f})."
    )
    restored = f"{archive}, checked wholly and restored to the same disk as the backup."
    return [
        figure("backup.p99_ack_ratio", during / calm, "×", how),
        figure("restore.minutes_10gb", restore_minutes * 10 / size, "min", restored),
    ]


def _calm(server: Server, data: Path) -> dict[str, Any]:
    return generator.run(server, data / "clients.txt", "--rate", RATE, "--seconds", CALM)


def _timed(command: str, target: Path, *options: str | Path, data: Path) -> float:
    """Minutes of `renraku COMMAND TARGET …`. Raises `BenchError`."""
    words = [sys.executable, "-m", "chat_server", command, str(target), *map(str, options)]
    begun = time.monotonic()
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "RENRAKU_DATA": str(data)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"renraku {command}: {done.stderr}")
    return (time.monotonic() - begun) / 60


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
