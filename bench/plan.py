"""How long the benchmark takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`seconds` of measuring in each of `rounds` rounds; the variants alternate within a round."""

    rounds: int = 5
    seconds: float = 2.0
