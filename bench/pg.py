"""Durable messages a second on PostgreSQL, against the same statements on a connection that does nothing else."""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench import generator, servers
from bench.acks import SENDERS
from bench.nodes import database
from bench.plan import Plan
from bench.processes import SERVER_CORE, BenchError, start_python
from bench.report import Figure, figure, spread


def run(plan: Plan) -> list[Figure]:
    """`pg.*`"""
    served, batches, bare = [], [], []
    with servers.work_folder() as folder, database() as found:
        data = servers.seeded(folder, "senders", SENDERS, found.address)
        numbers = itertools.count()

        def copy() -> str:
            """The address of a database as it was seeded."""
            return found.copy(f"copy{next(numbers)}")

        sends = _record(data, copy, plan.seconds)
        for _ in range(plan.rounds):
            acks, batch = _server_round(data, copy, plan.seconds)
            served.append(acks)
            batches.append(batch)
            bare.append(_bare_round(copy(), sends, batch))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(served, bare, strict=True))
    how = (
        f"{SENDERS} senders, each in its own room of three with one message in flight, a PostgreSQL that fsyncs on the load's"
        f" core: {spread(served, 0)} acks a second in commits of {spread(batches, 1)}; the recorded statements of the same"
        f" sends on one bare asyncpg connection, with the same lock and savepoints and commits as large, {spread(bare, 0)} a"
        f" second; {plan.rounds} alternating rounds."
    )
    return [figure("pg.acks_ratio", ratio, "×", how)]


def _record(data: Path, copy: Callable[[], str], seconds: float) -> Path:
    folder = servers.copied(data, "recorded")
    sends = data.parent / "sends.pickle"
    with servers.renraku(folder, "--database", copy(), "--record", str(sends)) as server:
        generator.run(server, folder / "clients.txt", "--acks", "--seconds", seconds)
    shutil.rmtree(folder)
    return sends


def _server_round(data: Path, copy: Callable[[], str], seconds: float) -> tuple[float, float]:
    """(acks a second, use cases a commit) of the server."""
    folder = servers.copied(data, "served")
    counted = folder / "batches.json"
    with servers.renraku(folder, "--database", copy(), "--batches", str(counted)) as server:
        result = generator.run(server, folder / "clients.txt", "--acks", "--seconds", seconds)
    batches = json.loads(counted.read_text())
    shutil.rmtree(folder)
    return float(result["acks_per_second"]), batches["jobs"] / batches["commits"]


def _bare_round(address: str, sends: Path, batch: float) -> float:
    """Sends a second."""
    process = start_python(
        "bench.bare_postgres", address, str(sends), str(batch), core=SERVER_CORE, stdout=subprocess.PIPE
    )
    out, _ = process.communicate(timeout=180)
    if process.returncode:
        raise BenchError("the bare connection failed")
    return float(out)
