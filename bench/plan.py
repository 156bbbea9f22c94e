"""How long the benchmark takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`seconds` of measuring in each of `rounds` rounds; the variants alternate within a round."""

    rounds: int = 5
    seconds: float = 2.0
    messages: int = 1_000_000
    """of the archive that is backed up; each has 10 kB of files"""
