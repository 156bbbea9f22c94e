"""What the server makes of its line to the relay: how it fares, on the server's own page of figures (it tells them over the line,
so that nothing listens out there), and when it stands again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mobile_api.providers.port import PLATFORMS, Outcome, Platform, Provider
from mobile_api.relay.client import Line, RelayProvider


def watch(
    providers: Mapping[Platform, Provider], registry: CollectorRegistry, on_up: Callable[[], None] = lambda: None
) -> None:
    """Where they go through a relay: once, for they share its line. `on_up`: it stands (again)."""
    for line in {provider.line for provider in providers.values() if isinstance(provider, RelayProvider)}:
        line.on_up = on_up
        registry.register(_Figures(line))


class _Figures(Collector):
    def __init__(self, line: Line) -> None:
        self._line = line

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("renraku_push_relay_up", "Whether the line to the relay stands", self._line.stands)
        figures = self._line.figures
        if figures is None:
            return
        yield GaugeMetricFamily("renraku_push_relay_waiting", "Parcels that wait at the relay", figures.waiting)
        yield CounterMetricFamily(
            "renraku_push_relay_refused", "Connections that the relay refused, since its start", figures.refused
        )
        answers = CounterMetricFamily(
            "renraku_push_relay_answers", "What the providers answered the relay", labels=("platform", "outcome")
        )
        for platform in PLATFORMS:
            # Words of ours alone: whoever took the relay must not make new time series here.
            for outcome in Outcome:
                if number := figures.answers.get(platform, {}).get(outcome.value):
                    answers.add_metric((platform, outcome.value), number)
        yield answers
