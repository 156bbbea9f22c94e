"""One POST to an address that a client gave: where it may go is looked at twice, as for webhooks (domain/webhooks.py).

The name is checked when the push goes, and every address that it resolves to; the connection goes to one of those very
addresses. Connections are kept a while, each for one name alone. Through the outgoing proxy it is the proxy that resolves:
there the list of names is the whole rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from chat_server.domain.webhooks import Hosts, Target
from chat_server.webhooks.resolving import Resolve, Resolver
from mobile_api.providers.faults import Cut, NotAllowed, NotSent
from mobile_api.providers.proxy import Proxy

RESOLVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 4.0
ANSWER_SECONDS: Final = 15.0
BOUND: Final = 27.0
"""For all of it, whatever trickles in, from looking up the name to the last byte of the answer."""
ADDRESSES: Final = 2
BODY_BYTES: Final = 4 * 1024
NAMES: Final = 64
"""Names to which connections are kept at once."""
_HEADERS: Final = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "Renraku"}
_LIMITS: Final = httpx2.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=20)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """names in lower case"""
    body: bytes


class Poster:
    """`hosts`: where it may go; `tls`: what it trusts."""

    def __init__(
        self, hosts: Hosts, tls: ssl.SSLContext, proxy: Proxy | None = None, resolve: Resolve | None = None
    ) -> None:
        self._hosts, self._tls, self._proxy = hosts, tls, proxy
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._clients: dict[tuple[str, int], httpx2.AsyncClient] = {}
        self._in_use: Counter[tuple[str, int]] = Counter()
        self._closed = False

    def target(self, url: str) -> Target:
        """Raises `NotAllowed`."""
        try:
            return self._hosts.target(url)
        except ValueError as error:
            raise NotAllowed(str(error).rpartition(" / ")[2]) from None

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises `NotAllowed`, `NotSent`, `Cut`."""
        if self._closed:
            raise NotSent("closing")
        key = target.host, target.port
        self._in_use[key] += 1
        try:
            return await self._post(target, headers, body)
        finally:
            self._in_use[key] -= 1
            await self._tidy()

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        until = asyncio.get_running_loop().time() + BOUND
        hosts = [target.host] if self._proxy is not None else await self._addresses(target)
        problem = NotSent("no connection")
        for host in hosts:
            try:
                return await self._post_to(host, target, headers, body, until)
            except NotSent as error:  # as long as nothing was sent, the next address is tried
                problem = error
        raise problem

    async def _addresses(self, target: Target) -> list[str]:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await self._resolve(target.host, target.port)
        except (OSError, TimeoutError):
            found = []
        if not found:
            raise NotSent("the name cannot be resolved")
        if not all(self._hosts.may_dial(target, address) for address in found):
            raise NotAllowed("the name leads to an address of the inside")
        return found[:ADDRESSES]

    async def _post_to(self, host: str, target: Target, headers: Mapping[str, str], body: bytes, until: float) -> Reply:
        """`until`: of the loop's clock."""
        client = self._client(target)
        url = httpx2.URL(scheme=target.scheme, host=host, port=target.port, raw_path=target.path.encode("ascii"))
        sent = False

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            """The proxy's CONNECT is a request of its own; only with ours may the service have anything."""
            nonlocal sent
            sent = sent or (event.endswith("send_request_headers.started") and info["request"].method == b"POST")

        request = client.build_request(
            "POST", url, headers={**_HEADERS, **headers, "host": target.authority}, content=body,
            extensions={"sni_hostname": target.host, "trace": trace},
        )  # fmt: skip
        try:
            async with asyncio.timeout_at(until):
                answer = await client.send(request, stream=True, follow_redirects=False, auth=None)
                try:
                    return Reply(answer.status_code, _lower(answer.headers), await _body(answer))
                finally:
                    await answer.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise (Cut if sent else NotSent)(type(error).__name__) from None

    def _client(self, target: Target) -> httpx2.AsyncClient:
        key = target.host, target.port
        client = self._clients.pop(key, None)  # and in again, at the end: the first one is the longest unused
        if client is None:
            proxy = None
            if self._proxy is not None:
                authorization = self._proxy.authorization
                proxy = httpx2.Proxy(
                    self._proxy.url, headers={"proxy-authorization": authorization} if authorization else None
                )
            transport = httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=_LIMITS, proxy=proxy)
            timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
            client = httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False)
        self._clients[key] = client
        return client

    async def _tidy(self) -> None:
        """Keep no more than `NAMES` names: a list with `*.` could be led to ever new ones."""
        self._in_use = +self._in_use
        for key in [key for key in self._clients if not self._in_use[key]]:
            if len(self._clients) <= NAMES:
                return
            if (client := self._clients.pop(key, None)) is not None:
                await client.aclose()

    async def close(self) -> None:
        self._closed = True
        self._resolver.close()
        while self._clients:
            await self._clients.popitem()[1].aclose()


def _lower(headers: httpx2.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _body(answer: httpx2.Response) -> bytes:
    """The beginning; the status has been said, so a cut in the rest changes nothing."""
    taken = b""
    with contextlib.suppress(httpx2.HTTPError):
        async for chunk in answer.aiter_raw():
            taken += chunk
            if len(taken) >= BODY_BYTES:
                break
    return taken[:BODY_BYTES]
