"""The heart: one room of a thousand members, and what a delivery costs the server."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

from bench import generator, servers
from bench.plan import Plan
from bench.processes import Server
from bench.report import Figure, figure, spread

MEMBERS: Final = 1000
FRAME_BYTES: Final = 325
"""Of an event as it is delivered, header not counted: a short Japanese message."""
SHORTEST_TEXT: Final = 13
"""The time stamp alone."""


def text_bytes(server: Server, clients: Path) -> tuple[int, int]:
    """(bytes of text, bytes of the event) so that an event has FRAME_BYTES, or as few more as it can.

    The text stands twice in an event: in its block, and as the plain-text fallback.
    """
    shortest = _delivered(server, clients, SHORTEST_TEXT)
    text = SHORTEST_TEXT + max(0, FRAME_BYTES - shortest) // 2
    return text, _delivered(server, clients, text)


def _delivered(server: Server, clients: Path, text: int) -> int:
    result = generator.run(server, clients, "--window", 1, "--text-bytes", text, "--warm", 0, "--seconds", 0.2)
    return int(result["frame_bytes"])


def run(plan: Plan) -> list[Figure]:
    """`fanout.*`"""
    cost: dict[str, list[float]] = {}

    def measure(name: str, server: Server, clients: Path, window: int, text: int) -> None:
        result = generator.run(server, clients, "--window", window, "--text-bytes", text, "--seconds", plan.seconds)
        cost.setdefault(name, []).append(result["cpu_per_100k"])

    with servers.work_folder() as folder:
        data = servers.seeded(folder, "one_room", MEMBERS)
        members = data / "clients.txt"
        plain = generator.plain_clients(folder, MEMBERS)
        with servers.renraku(data) as renraku, servers.floor() as floor, servers.websockets() as websockets:
            text, event = text_bytes(renraku, members)
            for _ in range(plan.rounds):
                measure("floor w1", floor, plain, 1, event)
                measure("renraku w1", renraku, members, 1, text)
                measure("floor w8", floor, plain, 8, event)
                measure("renraku w8", renraku, members, 8, text)
                measure("websockets w8", websockets, plain, 8, event)

    seen = ", ".join(f"{name} {spread(values)}" for name, values in sorted(cost.items()))
    how = (
        f"CPU seconds of the server per 100,000 deliveries of {event} bytes, 1 room, {MEMBERS} members; medians (range)"
        f" of {plan.rounds} alternating rounds of {plan.seconds:g} s: {seen}. The ratio is the median of the rounds' ratios."
    )
    return [
        figure("fanout.w1_floor_ratio", _ratio(cost, "renraku w1", "floor w1"), "×", how),
        figure("fanout.w8_floor_ratio", _ratio(cost, "renraku w8", "floor w8"), "×", how),
        figure("fanout.w8_websockets_ratio", _ratio(cost, "renraku w8", "websockets w8"), "×", how),
    ]


def _ratio(cost: dict[str, list[float]], ours: str, theirs: str) -> float:
    """Median of the rounds' own ratios: what disturbs the machine for a while disturbs both sides of a round."""
    return statistics.median(our / their for our, their in zip(cost[ours], cost[theirs], strict=True))
