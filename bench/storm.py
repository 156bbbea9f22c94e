"""Everybody comes back at once, and somebody goes on writing."""

from __future__ import annotations

import statistics
from typing import Final

from bench import generator, servers
from bench.plan import Plan
from bench.report import Figure, figure, spread

CLIENTS: Final = 2000


def run(plan: Plan) -> list[Figure]:
    """`resume.*`"""
    stalls, calm, back = [], [], []
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "storm", CLIENTS)
        with servers.renraku(data) as server:
            for _ in range(min(3, plan.rounds)):
                result = generator.run(server, data / "clients.txt", "--storm")
                stalls.append(result["stall_ms"])
                calm.append(result["calm_ms"])
                back.append(result["back_after_s"])
    how = (
        f"{CLIENTS} clients in five rooms each drop, connect, authenticate, resume and pull what they missed, all at"
        f" once, while a bystander sends one message after the other: longest wait for an ack, median (range) of"
        f" {len(stalls)} storms {spread(stalls, 0)} ms; in calm {spread(calm, 0)} ms; all back after {spread(back, 1)} s."
    )
    return [figure("resume.storm_stall_ms", statistics.median(stalls), "ms", how)]
