"""One delivery: the name is resolved here, every address is checked, and the connection goes to one of those very addresses.

The request is addressed to the address itself, with the name in Host and in TLS. So there is no second resolution in which
the name could lead somewhere else (rebinding). A connection serves one delivery: another name with the same address must
not come by what was verified for this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Final

import httpx2

from chat_server.domain.errors import (
    HOOK_ADDRESS_REFUSED,
    HOOK_CUT,
    HOOK_REFUSED,
    HOOK_TIMEOUT,
    HOOK_TLS,
    HOOK_UNREACHABLE,
    HOOK_URL_REFUSED,
    Problem,
)
from chat_server.domain.webhooks import Hosts, Target
from chat_server.webhooks.resolving import Resolve, Resolver

SECONDS: Final = 10.0
"""For all of it: resolving, connecting, sending, the answer."""
CONNECT_SECONDS: Final = 3.0
"""To one address: a name may have one more, in the other protocol."""
ADDRESSES: Final = 3
ANSWER_BYTES: Final = 4 * 1024
ANSWER_SECONDS: Final = 1.0
"""What the other side says besides the status is taken off the line, so that it sees no reset, and not looked at."""
_HEADERS: Final = {"accept": "*/*", "accept-encoding": "identity", "connection": "close", "user-agent": "Renraku"}


class WebhookClient:
    """`ca`: see the setting `webhook_ca`. Raises OSError, ssl.SSLError where that file is none."""

    def __init__(self, hosts: Hosts, ca: str = "", resolve: Resolve | None = None) -> None:
        self._hosts = hosts
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._tls: ssl.SSLContext | None = None
        if hosts.allowed:  # reading the machine's authorities takes a moment that most servers need not spend
            self._tls = ssl.create_default_context()
            if ca:
                self._tls.load_verify_locations(ca)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """See `ports.Webhooks`."""
        try:
            target = self._hosts.target(url)
        except ValueError as error:
            raise Problem(HOOK_URL_REFUSED, field="url", reason=str(error)) from None
        try:
            async with asyncio.timeout(SECONDS):
                status = await self._post(target, await self._addresses(target), headers, body)
        except TimeoutError:
            raise Problem(HOOK_TIMEOUT) from None
        if not 200 <= status < 300:
            raise Problem(HOOK_REFUSED, status=status)

    async def close(self) -> None:
        self._resolver.close()

    async def _addresses(self, target: Target) -> list[str]:
        """Raises `Problem` 7010, 7011: one bad address among good ones is a name that cannot be trusted."""
        try:
            found = await self._resolve(target.host, target.port)
        except OSError:
            found = []
        if not found:
            raise Problem(HOOK_UNREACHABLE)
        if not all(self._hosts.may_dial(target, address) for address in found):
            raise Problem(HOOK_ADDRESS_REFUSED)
        return found[:ADDRESSES]

    async def _post(self, target: Target, addresses: list[str], headers: Mapping[str, str], body: bytes) -> int:
        """The status. As long as nothing was sent, the next address is tried."""
        problem = Problem(HOOK_UNREACHABLE)
        for address in addresses:
            try:
                return await self._post_to(address, target, headers, body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                problem = Problem(HOOK_TLS if _about_tls(error) else HOOK_UNREACHABLE)
            except httpx2.TransportError:
                raise Problem(HOOK_CUT) from None
        raise problem

    async def _post_to(self, address: str, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        assert self._tls is not None, "nothing is allowed without a host in the settings"
        timeout = httpx2.Timeout(SECONDS, connect=CONNECT_SECONDS)
        transport = httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
            request = client.build_request(
                "POST",
                httpx2.URL(scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode("ascii")),
                headers={**_HEADERS, **headers, "host": target.authority},
                content=body,
                extensions={"sni_hostname": target.host},
            )
            answer = await client.send(request, stream=True, follow_redirects=False, auth=None)
            try:
                await _take_off(answer)
            finally:
                await answer.aclose()
            return answer.status_code


async def _take_off(answer: httpx2.Response) -> None:
    taken = 0
    with contextlib.suppress(httpx2.TransportError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            async for chunk in answer.aiter_raw(ANSWER_BYTES):
                taken += len(chunk)
                if taken >= ANSWER_BYTES:
                    return


def _about_tls(error: BaseException) -> bool:
    """The library wraps what OpenSSL said."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
