"""What a connection that does nothing keeps in memory."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

from bench import generator, servers
from bench.plan import Plan
from bench.processes import Server
from bench.report import Figure, figure, spread

WARM: Final = 100
"""Connections before the counting begins: threads, caches and the allocator's first pools are not theirs."""
COUNTED: Final = 1000


def _growth(server: Server, clients: list[str], folder: Path) -> float:
    """KB a connection, between 100 and 1,100 connections."""
    first, rest = folder / "first.txt", folder / "rest.txt"
    first.write_text("".join(clients[:WARM]))
    rest.write_text("".join(clients[WARM:]))
    with generator.Idle(server, first):
        server.settle()
        before = server.rss_kb()
        with generator.Idle(server, rest) as idle:
            server.settle()
            return (server.rss_kb() - before) / idle.count


def run(plan: Plan) -> list[Figure]:
    """`memory.*`"""
    grown = []
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "idle", WARM + COUNTED)
        clients = (data / "clients.txt").read_text().splitlines(keepends=True)
        for _ in range(min(3, plan.rounds)):
            # A new process each time: memory that a round before has freed would be used again and not be counted.
            with servers.renraku(data, "--warm-caches") as server:
                grown.append(_growth(server, clients, folder))
    how = (
        f"Growth of the server's resident memory from {WARM} to {WARM + COUNTED} connections that signed in, resumed and"
        f" do nothing, each in 20 rooms, deflate off, database caches filled before; median (range) of {len(grown)} starts: {spread(grown, 1)} KB."
    )
    return [figure("memory.kb_per_connection", statistics.median(grown), "KB", how)]
