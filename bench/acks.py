"""Durable messages a second, against the same statements in a thread that does nothing else."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Final

from bench import generator, servers
from bench.plan import Plan
from bench.processes import SERVER_CORE, BenchError, start_python
from bench.report import Figure, figure, spread

SENDERS: Final = 50


def _record(data: Path, seconds: float) -> Path:
    """A file with the statements of some seconds of sends, in their order."""
    folder = servers.copied(data, "recorded")
    sends = data.parent / "sends.pickle"
    with servers.renraku(folder, "--record", str(sends)) as server:
        generator.run(server, folder / "clients.txt", "--acks", "--seconds", seconds)
    shutil.rmtree(folder)
    return sends


def _server_round(data: Path, seconds: float) -> tuple[float, float]:
    """(acks a second, use cases a commit) of the server."""
    folder = servers.copied(data, "served")
    counted = folder / "batches.json"
    with servers.renraku(folder, "--batches", str(counted)) as server:
        result = generator.run(server, folder / "clients.txt", "--acks", "--seconds", seconds)
    batches = json.loads(counted.read_text())
    shutil.rmtree(folder)
    return float(result["acks_per_second"]), batches["jobs"] / batches["commits"]


def _bare_round(data: Path, sends: Path, batch: float) -> float:
    """Sends a second of the bare writer thread."""
    folder = servers.copied(data, "bare")
    process = start_python(
        "bench.bare_writer", str(folder), str(sends), str(batch), core=SERVER_CORE, stdout=subprocess.PIPE
    )
    out, _ = process.communicate(timeout=120)
    shutil.rmtree(folder)
    if process.returncode:
        raise BenchError("the bare writer failed")
    return float(out)


def run(plan: Plan) -> list[Figure]:
    """`acks.*`"""
    served, batches, bare = [], [], []
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "senders", SENDERS)
        sends = _record(data, plan.seconds)
        for _ in range(plan.rounds):
            acks, batch = _server_round(data, plan.seconds)
            served.append(acks)
            batches.append(batch)
            bare.append(_bare_round(data, sends, batch))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(served, bare, strict=True))
    how = (
        f"{SENDERS} senders, each in its own room of three with one message in flight, SQLite at full synchronous:"
        f" {spread(served, 0)} acks a second in commits of {spread(batches, 1)}; the recorded statements of the same"
        f" sends in a bare writer thread, commits as large, {spread(bare, 0)} a second; {plan.rounds} alternating rounds."
    )
    return [figure("acks.group_commit_ratio", ratio, "×", how)]
