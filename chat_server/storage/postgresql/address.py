"""The setting `database`, and the sessions that are opened with it.

The address may hold a password: what a person reads is `domain.addresses.without_secrets` of it. Not through a pooler in
transaction mode: prepared statements, LISTEN and advisory locks belong to a session.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

CONNECT_SECONDS: Final = 5.0

_ALWAYS: Final = {
    "application_name": "renraku",
    # A query that is planned in microseconds must not be compiled for milliseconds.
    "jit": "off",
    # A machine that is gone, or frozen, gives up what it holds (the writers' lock) within seconds.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "lock_timeout": "3s",
}
WRITER: Final = {
    **_ALWAYS,
    "default_transaction_isolation": "read committed",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "5s",
}
READER: Final = {
    **_ALWAYS,
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
}
MIGRATING: Final = {**_ALWAYS, "lock_timeout": "60s", "statement_timeout": "0"}


def options(address: str, session: dict[str, str] | None = None) -> dict[str, Any]:
    """What `asyncpg.connect` takes for one session of ours. Raises nothing: the settings were checked."""
    return {
        "dsn": address,
        "timeout": CONNECT_SECONDS,
        # With several hosts in the address: the one that may be written to. Reads go there too, so that whoever wrote
        # sees what they wrote.
        "target_session_attrs": "primary",
        "statement_cache_size": 1024,
        "max_cached_statement_lifetime": 0,
        "server_settings": _ALWAYS if session is None else session,
    }


async def dial(address: str, session: dict[str, str]) -> Any:
    """A connection. Raises what asyncpg raises, see `faults`."""
    # Our own limit lies above the server's, which ends a statement properly. It is for a server that says nothing more.
    seconds = int(session["statement_timeout"].rstrip("s")) + 5 if session["statement_timeout"] != "0" else None
    return await asyncpg.connect(**options(address, session), command_timeout=seconds)
