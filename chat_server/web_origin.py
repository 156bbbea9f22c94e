"""Which pages may speak to this server: one rule for HTTP and for the WebSocket.

A browser tells two things that a page cannot forge: `Host`, the name it used to reach the server, and `Origin`, the
page that asks. A foreign name that was made to resolve to this server (DNS rebinding) shows in the first, a foreign
page in the second (ASVS 4.4.2).
"""

from __future__ import annotations

import ipaddress
from typing import Final

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def host_allowed(host: str, names: frozenset[str]) -> bool:
    """Whether the `Host` header names this server: a literal address, localhost, or one of `names` (lower case).

    A literal address cannot be rebound, so it needs no configuration.
    """
    name, _ = _split(host)
    if name is None:
        return False
    if name == "localhost" or name in names:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def origin_allowed(origin: str | None, host: str, *, https: bool) -> bool:
    """Whether a page of `origin` may call the server that was reached as `host`; no origin means no browser.

    `https`: the site is served over TLS only, so a plain page of the same name is somebody in between.
    """
    if origin is None:
        return True
    scheme, separator, rest = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS or (https and scheme != "https"):
        return False
    page, page_port = _split(rest)
    name, port = _split(host)
    if page is None or page != name:
        return False
    default = _DEFAULT_PORTS[scheme]
    return (page_port or default) == (port or default)


def _split(host: str) -> tuple[str | None, str]:
    """Name (lower case; IPv6 in brackets) and port of `host`; None for what is not a host at all."""
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        name += bracket
    else:
        name, colon, port = host.partition(":")
        rest = colon + port
    if not name or (rest and not (rest[0] == ":" and rest[1:].isascii() and rest[1:].isdigit())):
        return None, ""
    return name, rest[1:]
