"""Where a request comes from. Only proxies that the operator named are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX = "unix"
"""The address of whoever came by a Unix socket: the file's permissions let them in."""


def peer_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The peer's address, or, when the peer is a trusted proxy, the right-most hop that is none.

    Everything left of that hop was written by the client itself (security.md, 28).
    """
    client = scope.get("client")
    peer = _parse(client[0]) if client else None
    if peer is None:
        return UNIX
    if not _is_in(peer, trusted):
        return str(peer)
    nearest = peer
    for hop in reversed(_hops(scope)):
        address = _parse(hop)
        if address is None:
            break
        nearest = address
        if not _is_in(address, trusted):
            break
    return str(nearest)


def is_direct_loopback(scope: Scope) -> bool:
    """Whether the peer is this machine itself and no proxy speaks for somebody else."""
    client = scope.get("client")
    peer = _parse(client[0]) if client else None
    if peer is not None and not peer.is_loopback:
        return False
    return not any(name in (b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip") for name, _ in scope["headers"])


def _hops(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",") if hop.strip()]


def _parse(text: str) -> Address | None:
    """An address, with or without a port, IPv4 in IPv6 taken out of its wrapping."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
