"""From a sender's hand to a thousand screens, at a pace that people write at."""

from __future__ import annotations

import statistics
from typing import Final

from bench import generator, servers
from bench.fanout import MEMBERS, text_bytes
from bench.plan import Plan
from bench.report import Figure, figure, spread

RATE: Final = 5
"""Messages a second."""


def run(plan: Plan) -> list[Figure]:
    """`latency.*`"""
    p50, p99 = [], []
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "one_room", MEMBERS)
        with servers.renraku(data) as server:
            text, event = text_bytes(server, data / "clients.txt")
            for _ in range(min(3, plan.rounds)):
                result = generator.run(
                    server, data / "clients.txt", "--rate", RATE, "--text-bytes", text, "--seconds", plan.seconds * 3
                )
                p50.append(result["p50_ms"])
                p99.append(result["p99_ms"])
    how = (
        f"{RATE} messages a second into 1 room of {MEMBERS}, events of {event} bytes, from send to receipt, all"
        f" deliveries; p50 {spread(p50, 1)} ms, p99 {spread(p99, 1)} ms over {len(p99)} runs."
    )
    return [figure("latency.p99_ms", statistics.median(p99), "ms", how)]
