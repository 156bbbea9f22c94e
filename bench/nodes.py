"""Two nodes on one PostgreSQL: how long a message takes from the one to the other, and what a delivery costs both."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import generator, servers
from bench.fanout import MEMBERS, text_bytes
from bench.plan import Plan
from bench.processes import LOAD_CORE, Server, cpu_of, descendants, on_core
from bench.report import Figure, figure, spread
from tests.support.postgresql import Cluster

FEW: Final = 40
"""Members of the room whose latencies are measured: people in one room, not a hall."""
RATE: Final = 20
"""Messages a second."""


class Database:
    """A PostgreSQL server on the load's core, as it comes (its commits reach the disk), with one database of ours."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.address = cluster.fresh()

    def copy(self, name: str) -> str:
        """The address of a new database that is as ours is now; nobody may be connected to ours."""
        ours = self.address.rpartition("/")[2]
        self._cluster.execute(f"CREATE DATABASE {name} TEMPLATE {ours}")
        return self._cluster.address(name)

    def cpu(self) -> float:
        """Seconds so far, of the sessions that are open and of everything else of the server."""
        postmaster = int((self._cluster.data / "postmaster.pid").read_text().split()[0])
        return sum(cpu_of(pid) for pid in [postmaster, *descendants(postmaster)])


@contextlib.contextmanager
def database() -> Iterator[Database]:
    with on_core(LOAD_CORE):
        cluster = Cluster("fsync=on")
        cluster.start()
    try:
        yield Database(cluster)
    finally:
        cluster.remove()


@contextlib.contextmanager
def two_nodes(folder: Path, address: str) -> Iterator[Server]:
    """Both on the server's core; the first one's data folder was seeded."""
    second = folder.parent / f"{folder.name}-second"
    second.mkdir()
    with servers.renraku(folder, "--database", address) as one, servers.renraku(second, "--database", address) as other:
        yield Server(one.port, one.process, one.speaks, other)


def run(plan: Plan) -> list[Figure]:
    """`nodes.*`"""
    found = []
    for measured in (_latency, _fanout):
        with servers.work_folder() as folder:
            found.append(measured(folder, plan))
    return found


def _latency(folder: Path, plan: Plan) -> Figure:
    p50, p99 = [], []
    with database() as found:
        data = servers.seeded(folder, "one_room", FEW, found.address)
        with two_nodes(data, found.address) as nodes:
            for _ in range(min(3, plan.rounds)):
                options = ("--rate", RATE, "--across", "--text-bytes", 64, "--seconds", plan.seconds * 3)
                result = generator.run(nodes, data / "clients.txt", *options)
                p50.append(result["p50_ms"])
                p99.append(result["p99_ms"])
    how = (
        f"{RATE} messages a second into 1 room of {FEW}, half of them at each of two nodes on one PostgreSQL with NOTIFY; from"
        f" send to receipt of what was sent at the other node; p50 {spread(p50, 1)} ms, p99 {spread(p99, 1)} ms over"
        f" {len(p99)} runs."
    )
    return figure("nodes.cross_latency_ms", statistics.median(p99), "ms", how)


def _fanout(folder: Path, plan: Plan) -> Figure:
    ours, theirs, engine = [], [], []
    with database() as found:
        data = servers.seeded(folder, "one_room", MEMBERS, found.address)
        plain = generator.plain_clients(folder, MEMBERS)
        with two_nodes(data, found.address) as nodes, servers.floor() as floor:
            text, event = text_bytes(nodes, data / "clients.txt")
            for _ in range(plan.rounds):
                lasts = ("--window", 1, "--seconds", plan.seconds)
                theirs.append(generator.run(floor, plain, *lasts, "--text-bytes", event)["cpu_per_100k"])
                before = found.cpu()
                result = generator.run(nodes, data / "clients.txt", *lasts, "--text-bytes", text)
                engine.append((found.cpu() - before) * 1e5 / max(1, result["deliveries"]))
                ours.append(result["cpu_per_100k"])
    how = (
        f"CPU seconds of both nodes per 100,000 deliveries of {event} bytes, 1 room, {MEMBERS} members, half of them at each of"
        f" two nodes on one PostgreSQL, the next message sent when everybody has the last; medians (range) of {plan.rounds}"
        f" alternating rounds of {plan.seconds:g} s: floor {spread(theirs)}, two nodes {spread(ours)}. The ratio is the median"
        f" of the rounds' ratios. PostgreSQL's own processes are not in it: {spread(engine)} (connecting included)."
    )
    ratio = statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
    return figure("nodes.fanout_w1_floor_ratio", ratio, "×", how)
