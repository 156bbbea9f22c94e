"""Which servers are believed."""

from __future__ import annotations

import ssl
from pathlib import Path

from chat_client.errors import ServerUntrusted


def context(ca_file: Path | None) -> ssl.SSLContext:
    """The system's authorities, or `ca_file`'s alone: inside a closed network the organization's own is the only one
    that may vouch for the server. There is no switch that turns verification off.

    Raises OSError (no such file) and ssl.SSLError (not certificates).
    """
    made = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def untrusted(error: BaseException | None) -> ServerUntrusted | None:
    """The typed error if a certificate check lies behind `error`."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return ServerUntrusted(error.verify_message)
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
