"""What keeps a server from its PostgreSQL is said in words, at the start, without the password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.postgresql import Cluster

PASSWORD = "Midorino-27-secret"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Lets everybody in but `locked`, who needs a password, and `nobody_knows`, whom it does not know."""
    made = Cluster()
    hba = made.data / "pg_hba.conf"
    hba.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
    made.start()
    made.execute(f"CREATE ROLE locked LOGIN PASSWORD '{PASSWORD[::-1]}'; CREATE ROLE reader LOGIN")
    yield made
    made.remove()


def started(database: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chat_server", "serve"],
        env={**os.environ, "RENRAKU_DATA": str(folder), "RENRAKU_DATABASE": database, "RENRAKU_PORT": "0"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def newer(cluster: Cluster) -> str:
    address = cluster.fresh()
    cluster.execute("INSERT INTO migrations VALUES (9999, 'future', 'x')", address.rpartition("/")[2])
    return address


def altered(cluster: Cluster) -> str:
    address = cluster.fresh()
    cluster.execute("UPDATE migrations SET digest = 'x' WHERE number = 1", address.rpartition("/")[2])
    return address


def other_encoding(cluster: Cluster) -> str:
    cluster.execute("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII'")
    return cluster.address("bytes")


def somebody(cluster: Cluster, name: str, database: str | None = None) -> str:
    database = database or cluster.empty().rpartition("/")[2]
    return f"postgresql://{name}:{PASSWORD}@127.0.0.1:{cluster.port}/{database}"


CASES: dict[str, tuple[Callable[[Cluster], str], str, str]] = {
    "password": (lambda cluster: somebody(cluster, "locked"), "does not let us in", "pg_hba.conf"),
    "role": (lambda cluster: somebody(cluster, "nobody_knows"), "does not let us in", "role"),
    "database": (lambda cluster: somebody(cluster, "renraku", "nowhere"), "no such database", "CREATE DATABASE"),
    "rights": (lambda cluster: somebody(cluster, "reader"), "may not make tables", "OWNER TO"),
    "encoding": (other_encoding, "encoding SQL_ASCII", "ENCODING 'UTF8'"),
    "newer": (newer, "newer Renraku", "9999"),
    "altered": (altered, "differs from the one", "unmodified release"),
    "away": (
        lambda _: f"postgresql://renraku:{PASSWORD}@127.0.0.1:{free_port()}/renraku", "cannot be used", "whether the server runs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_why_it_cannot_be_opened_is_said(cluster: Cluster, tmp_path: Path, case: str) -> None:
    address, why, what_to_do = CASES[case]
    refused = started(address(cluster), tmp_path)
    assert refused.returncode == 1
    assert why in refused.stderr
    assert what_to_do in refused.stderr
    assert "Traceback" not in refused.stderr
    assert PASSWORD not in refused.stdout + refused.stderr
