"""Counters of pushes, for Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Counters:
    """Labels are words of ours: nobody outside can make new time series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decided = Counter(
            "renraku_push_decisions", "People a message was decided for, by the reason", ("why",), registry=registry
        )
        self._tries = Counter(
            "renraku_push_tries",
            "Pushes handed to a provider, by its answer",
            ("platform", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "renraku_push_seconds",
            "Time until the provider answered",
            ("platform",),
            buckets=_SECONDS,
            registry=registry,
        )

    def decided(self, why: str, people: int) -> None:
        self._decided.labels(why).inc(people)

    def answered(self, platform: str, outcome: str, seconds: float) -> None:
        self._tries.labels(platform, outcome).inc()
        self._seconds.labels(platform).observe(seconds)
