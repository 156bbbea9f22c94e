"""What the environment may say, and what is said about what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.config import BadSettings, load


@pytest.mark.parametrize("port", ["0", "8080", "65535"])
def test_a_port_of_the_environment_is_taken(port: str) -> None:
    assert load(None, {"RENRAKU_PORT": port}).listen[0].port == int(port)


@pytest.mark.parametrize("port", ["65536", "-1", "８０", "http", "8080 ", "9" * 5000])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(BadSettings, match=r"^RENRAKU_PORT must be a number from 0 to 65535"):
        load(None, {"RENRAKU_PORT": port})


POSTGRESQL = {"RENRAKU_DATABASE": "postgresql://renraku@db.example/renraku"}


@pytest.mark.parametrize(
    "bus", ["", "valkey://10.0.0.5:6379/0", "redis://bus.example", "valkeys://:secret@bus.example:6380/1"]
)
def test_a_bus_joins_nodes_on_one_postgresql(bus: str) -> None:
    assert load(None, {**POSTGRESQL, "RENRAKU_BUS": bus}).bus == bus


def test_sqlite_with_a_bus_is_refused_and_told_what_to_do() -> None:
    with pytest.raises(BadSettings, match=r"^bus: .*SQLite serves one process alone.*migrate-engine"):
        load(None, {"RENRAKU_BUS": "valkey://10.0.0.5:6379/0"})


@pytest.mark.parametrize("bus", ["10.0.0.5:6379", "http://bus.example", "valkey://", "valkey://bus.example:secret/0"])
def test_a_bus_that_is_no_address_is_refused_without_a_word_of_it(bus: str) -> None:
    with pytest.raises(BadSettings, match=r"^bus: it ") as refused:
        load(None, {**POSTGRESQL, "RENRAKU_BUS": bus})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://files.city.example", True), ("http://127.0.0.1:8081", True), ("https://[fd00::1]:8443", True),
        ("files.city.example", False), ("https://files.city.example/", False), ("https://a@b.example", False),
        ("javascript://x", False), ("https://files.city.example#x", False),
    ],
)  # fmt: skip
def test_the_outside_address_is_a_scheme_and_a_host(tmp_path: Path, address: str, good: bool) -> None:
    path = tmp_path / "renraku.toml"
    path.write_text(f'outside_address = "{address}"\n', encoding="utf-8")
    if good:
        assert load(path, {}).outside_address == address
        return
    with pytest.raises(BadSettings, match=r"^outside_address: .*https://files\.city\.example"):
        load(path, {})
