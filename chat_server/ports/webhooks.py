"""Calls to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Webhooks(Protocol):
    """Telling other systems, over the network."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answers once the other side has taken it (2xx).

        MUST: send nothing to a host that the operator has not listed, nor to an address that `domain.webhooks.Hosts`
        refuses, whatever names resolve to in whatever moment; verify TLS for the name in `url`; follow no redirect; use
        no proxy; take at most ten seconds and a few kilobytes of answer. Raises `Problem` 7004, 7010–7015, nothing else.
        """
        ...

    async def close(self) -> None: ...
