"""Counters of the HTTP door, for Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)


class Metrics:
    """Labels are templates and numbers of ours: a stranger cannot make new time series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "renraku_http_requests", "HTTP requests answered", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "renraku_http_seconds", "Time to answer an HTTP request", ("route",), buckets=_SECONDS, registry=registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
