"""Opening the database: reach, check, migrate. Whatever is wrong is said before anything is served."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import structlog

from chat_server.domain.addresses import without_secrets
from chat_server.storage.folder import CannotOpen, check_digests
from chat_server.storage.migrations import migrations
from chat_server.storage.postgresql.address import MIGRATING, dial
from chat_server.storage.postgresql.readers import hang_up
from chat_server.storage.postgresql.writer import LOCK

OLDEST: Final = 15
_ORDER: Final = "SELECT 'B' < 'a' AND 'a b' < 'aa' AND '-b' < 'a' AND 'z' < 'é' AND 'ん' < 'ア'"
"""True where text is ordered by its bytes, as it is on SQLite."""

log = structlog.get_logger("renraku.storage")


async def prepare(address: str) -> str:
    """Check the database and bring it to this release's schema; answers the server's version. Raises `CannotOpen`."""
    with explained(address):
        connection = await dial(address, MIGRATING)
        try:
            await check_server(connection, address)
            await _migrate(connection, address)
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await hang_up(connection)


async def inspect(address: str) -> bool:
    """Whether there is a database of ours already, found out by looking: nothing is changed. Raises `CannotOpen` as
    opening it would."""
    with explained(address):
        connection = await dial(address, MIGRATING)
        try:
            await check_server(connection, address)
            if await connection.fetchval("SELECT to_regclass('migrations')") is None:
                if not await connection.fetchval("SELECT has_schema_privilege(current_schema(), 'CREATE')"):
                    raise CannotOpen(_no_right(address))
                return False
            await _applied(connection, address)
            return True
        finally:
            await hang_up(connection)


async def present(address: str) -> bool:
    """Whether there is a database of ours, whatever its state. Raises `CannotOpen` if it cannot be reached."""
    with explained(address):
        connection = await dial(address, MIGRATING)
        try:
            return await connection.fetchval("SELECT to_regclass('migrations')") is not None
        finally:
            await hang_up(connection)


@contextlib.contextmanager
def explained(address: str) -> Iterator[None]:
    """What keeps us from opening, in words that say what to do."""
    where = without_secrets(address)
    try:
        yield
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise CannotOpen(
            f"PostgreSQL does not let us in to {where} ({error}). Check the role, its password (better in a password "
            f"file, PGPASSFILE, than in the setting) and pg_hba.conf."
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise CannotOpen(f"There is no such database: {where}. {_CREATE}") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise CannotOpen(_no_right(address)) from error
    except asyncpg.LockNotAvailableError as error:
        raise CannotOpen(f"Another program holds the database {where} for too long. Start again later.") from error
    except asyncpg.DiskFullError as error:
        raise CannotOpen(f"The disk of the PostgreSQL server of {where} is full. Make room and start again.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ssl.SSLError, TimeoutError) as error:
        raise CannotOpen(
            f"The PostgreSQL server of {where} cannot be used ({error or type(error).__name__}). Check the setting "
            f"`database`, and whether the server runs and lets this machine in."
        ) from error


_CREATE: Final = (
    "Make it, as PostgreSQL's administrator: CREATE DATABASE renraku OWNER renraku TEMPLATE template0 "
    "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';"
)


def _no_right(address: str) -> str:
    return f"The role of {without_secrets(address)} may not make tables in the database. It must own it: ALTER DATABASE … OWNER TO …;"


async def check_server(connection: Any, address: str) -> None:
    """Whether its version and the database's text suit us. Raises `CannotOpen`."""
    version = connection.get_server_version()
    if version.major < OLDEST:
        raise CannotOpen(
            f"The PostgreSQL server of {without_secrets(address)} is version {version.major}. "
            f"Renraku needs {OLDEST} or newer: move the database to one."
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise CannotOpen(f"The database {without_secrets(address)} has the encoding {encoding}. {_CREATE}")
    if not await connection.fetchval(_ORDER):
        raise CannotOpen(
            f"The database {without_secrets(address)} sorts text by a language's rules, and lists would differ with every update "
            f"of its locale. {_CREATE}"
        )
    for setting in ("fsync", "full_page_writes"):
        if await connection.fetchval(f"SHOW {setting}") == "off":
            log.warning("PostgreSQL may lose what it acknowledged when its machine fails", setting=f"{setting} = off")


async def _migrate(connection: Any, address: str) -> None:
    """All that is missing in one transaction, and no other node writes or migrates meanwhile."""
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
        )
        applied = await _applied(connection, address)
        for migration in migrations("postgresql"):
            if migration.number in applied:
                continue
            for text in migration.statements():
                await connection.execute(text)
            await connection.execute(
                "INSERT INTO migrations (number, name, digest) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.digest,
            )


async def _applied(connection: Any, address: str) -> set[int]:
    """The numbers of the migrations that made the database, all of them ours. Raises `CannotOpen`."""
    applied = {row[0]: row[1] for row in await connection.fetch("SELECT number, digest FROM migrations")}
    check_digests(applied, "postgresql", without_secrets(address))
    return set(applied)
