"""Figures, their goals, the table, and results.json."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.processes import ROOT

RESULTS: Final = ROOT / "bench" / "results.json"


@dataclass(frozen=True, slots=True)
class Goal:
    """At most or at least `bound`."""

    bound: float
    at_most: bool = True

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of results.json."""

    name: str
    value: float
    unit: str
    goal: str
    ok: bool
    how: str


GOALS: Final = {
    "fanout.w1_floor_ratio": Goal(1.8),
    "fanout.w8_floor_ratio": Goal(0.5),
    "fanout.w8_websockets_ratio": Goal(0.35),
    "acks.group_commit_ratio": Goal(0.5, at_most=False),
    "memory.kb_per_connection": Goal(40),
    "rooms.list_ms": Goal(10),
    "sync.ms": Goal(20),
    "sync.bytes": Goal(5000),
    "resume.storm_stall_ms": Goal(1000),
    "latency.p99_ms": Goal(50),
    "nodes.cross_latency_ms": Goal(50),
    "nodes.fanout_w1_floor_ratio": Goal(2.2),
    "photos.thumbnail_ms": Goal(120),
    "backup.p99_ack_ratio": Goal(2),
    "restore.minutes_10gb": Goal(5),
    "pg.acks_ratio": Goal(0.5, at_most=False),
    "files.upload_disk_ratio": Goal(0.7, at_most=False),
    "files.memory_mb": Goal(40),
    "search.newest50_ms": Goal(80),
    "search.pg_newest50_ms": Goal(150),
    "search.recall": Goal(1, at_most=False),
    "search.index_ms": Goal(0.3),
    "search.freshness_ms": Goal(500),
    "bots.latency_ms": Goal(20),
    "bots.flood_ack_ratio": Goal(1.2),
    "sanitize.active": Goal(0),
    "sanitize.delivered": Goal(0.95, at_most=False),
    "sanitize.size_ratio": Goal(1),
    "sanitize.pdf_text": Goal(0.99, at_most=False),
    "sanitize.page_difference": Goal(0.005),
    "sanitize.photo_s": Goal(0.7),
    "sanitize.pdf_s": Goal(2),
    "sanitize.office_s": Goal(2),
    "sanitize.legacy_s": Goal(10),
    "sanitize.beside_bombs_s": Goal(2),
    "upload_link.wrong_rounds": Goal(0),
    "push.expand_ms": Goal(50),
    "push.p95_ms": Goal(200),
    "push.ack_ratio": Goal(1.1),
    "push.apns_per_second": Goal(1000, at_most=False),
    "web.first_load_kb": Goal(120),
    "web.ready_ms": Goal(2000),
    "web.room_switch_ms": Goal(100),
    "web.long_task_ms": Goal(50),
    "web.memory_growth": Goal(1.2),
    "web.layout_shift": Goal(0.01),
}


def figure(name: str, value: float, unit: str, how: str) -> Figure:
    """A figure held against its goal."""
    goal = GOALS[name]
    return Figure(name, round(value, 3), unit, str(goal), goal.met(value), how)


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median and range: how noisy it was."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def table(figures: Iterable[Figure]) -> str:
    """For people."""
    lines = [f"{'figure':<28} {'value':>9} {'unit':<10} {'goal':<8} "]
    for found in figures:
        mark = "ok" if found.ok else "MISSED"
        lines.append(f"{found.name:<28} {found.value:>9g} {found.unit:<10} {found.goal:<8} {mark}")
    return "\n".join(lines)


def save(figures: Sequence[Figure], path: Path = RESULTS) -> None:
    """Replace the rows of these figures; those of other benchmarks, and of parts that did not run now, stay."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    fresh = {found.name: asdict(found) for found in figures}
    rows = [fresh.pop(row["name"], row) for row in kept] + list(fresh.values())
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
