"""The benchmark itself: the generator counts right, the floor and the server deliver the same, rows are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import acks, generator, memory, nodes, report, servers
from bench.bare_writer import batches
from bench.plan import Plan
from bench.processes import BenchError, Server, raise_file_limit
from bench.report import Figure

MEMBERS = 12


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    raise_file_limit()
    with servers.work_folder() as made:
        yield made


@pytest.fixture(scope="module")
def room(folder: Path) -> Path:
    return servers.seeded(folder, "one_room", MEMBERS)


def _deliveries(server: Server, clients: Path, *options: str | float) -> dict[str, float]:
    return generator.run(server, clients, *options, "--warm", 0.1, "--seconds", 0.5)


def test_floor_and_websockets_deliver_each_message_to_every_member(folder: Path) -> None:
    plain = generator.plain_clients(folder, MEMBERS)
    with servers.floor() as floor, servers.websockets() as websockets:
        for server in (floor, websockets):
            for window in (1, 8):
                result = _deliveries(server, plain, "--window", window, "--text-bytes", 325)
                assert result["deliveries"] >= MEMBERS * 10
                assert result["frame_bytes"] == 325
                assert 0 < result["p50_ms"] <= result["p99_ms"] <= result["max_ms"] < 5000


def test_the_generator_speaks_the_protocol(room: Path) -> None:
    with servers.renraku(room) as server:
        result = _deliveries(server, room / "clients.txt", "--window", 8, "--text-bytes", 64)
        assert result["deliveries"] >= MEMBERS * 10
        assert result["frame_bytes"] > 2 * 64  # the text stands twice in an event
        assert result["acks_per_second"] * MEMBERS == pytest.approx(result["deliveries_per_second"], rel=0.5)
        assert result["cpu_seconds"] > 0


def test_two_nodes_share_the_members() -> None:
    """Latencies are of what was sent at one and is delivered at the other; it arrives, or the run would not end."""
    with servers.work_folder() as made, nodes.database() as found:
        data = servers.seeded(made, "one_room", MEMBERS, found.address)
        with nodes.two_nodes(data, found.address) as both:
            assert both.second is not None
            assert {both.process.pid, both.second.process.pid} <= set(both.pids)
            result = _deliveries(both, data / "clients.txt", "--window", 1, "--text-bytes", 64, "--across")
    assert result["deliveries"] >= MEMBERS * 3
    assert 0 < result["p50_ms"] <= result["max_ms"] < 5000


def test_a_bad_token_is_an_error_and_not_a_figure(room: Path, tmp_path: Path) -> None:
    strangers = tmp_path / "clients.txt"
    strangers.write_text("nobody somewhere\n")
    with servers.renraku(room) as server, pytest.raises(BenchError, match="1004"):
        generator.run(server, strangers, "--window", 1, "--seconds", 0.1)


def test_a_storm_comes_back(folder: Path) -> None:
    data = servers.seeded(folder, "storm", 100)
    with servers.renraku(data) as server:
        result = generator.run(server, data / "clients.txt", "--storm")
    assert result["clients"] == 100
    assert 0 < result["stall_ms"] < 10_000


def test_the_bare_writer_runs_the_statements_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acks, "SENDERS", 5)
    [found] = acks.run(Plan(rounds=1, seconds=0.5))
    assert found.name == "acks.group_commit_ratio"
    assert 0 < found.value < 10


def test_idle_connections_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WARM", 50)
    monkeypatch.setattr(memory, "COUNTED", 150)
    [found] = memory.run(Plan(rounds=1))
    assert 1 < found.value < 200


def test_batches_are_of_the_mean_size() -> None:
    sends = [[("SELECT ?", (number,))] for number in range(100)]
    cut = list(batches(sends, 3.3))
    assert [send for batch in cut for send in batch] == sends
    assert {len(batch) for batch in cut[:-1]} == {3, 4}
    assert len(cut) == round(100 / 3.3) + 1


def test_rows_of_other_benchmarks_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"name": "search.ms", "value": 1}, {"name": "rooms.list_ms", "value": 99}]))
    report.save([report.figure("rooms.list_ms", 3.0, "ms", "asked"), _new()], path)
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [row["name"] for row in rows] == ["search.ms", "rooms.list_ms", "new.figure"]
    assert rows[1] == {
        "name": "rooms.list_ms", "value": 3.0, "unit": "ms", "goal": "≤ 10", "ok": True, "how": "asked",
    }  # fmt: skip


def _new() -> Figure:
    return Figure("new.figure", 1.0, "×", "≤ 2", True, "")


def test_goals_point_the_right_way() -> None:
    assert not report.figure("fanout.w1_floor_ratio", 1.81, "×", "").ok
    assert report.figure("acks.group_commit_ratio", 0.5, "×", "").ok
    assert not report.figure("acks.group_commit_ratio", 0.49, "×", "").ok
