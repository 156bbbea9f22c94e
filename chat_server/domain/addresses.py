"""Addresses of other servers in the settings: they may hold a password, so they are never shown as they are."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def without_secrets(address: str) -> str:
    """The address for people, logs and error texts: no password, wherever it stands in it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "…"
    user, at, hosts = parts.netloc.rpartition("@")
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if "password" not in key.lower()])
    return urlunsplit((parts.scheme, f"{user.partition(':')[0]}{at}{hosts}", parts.path, query, ""))
