"""Ports that stay whose they are while nobody listens on them."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

_OWN: Final = random.SystemRandom()
"""Whatever a test seeds: the processes that share this machine must not draw the same ones."""


def free_port() -> int:
    """For a server that is killed and started again at its old address, or for an address at which nobody is.

    Never one of those that the kernel gives away by itself: between the two servers it would be the next best client's own port, and
    whoever dials it again and again meanwhile would at last have it as their own and reach themselves.
    """
    given_away = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    while True:
        # Where the kernel gives away nearly all of them, any is as good as another.
        port = _OWN.randrange(10_000, given_away if given_away > 12_000 else 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
