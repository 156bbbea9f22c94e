"""Brute force: counted in the database, so that a restart forgives nothing, by account and by address.

An attempt is counted *before* its slow verification and given back if it succeeds: a thousand guesses sent at once
find the counter full, instead of a thousand times not yet counted.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import SIGN_IN_THROTTLED, Fault, Problem
from chat_server.domain.text import nfkc
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import sign_in as queries

FLOWS_PER_ADDRESS: Final = 2_000
"""Flows begun within the window from one address; a whole town hall may sit behind one."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that may fail `limit` times within `limits.FAILURE_WINDOW`."""

    key: str
    limit: int


def account(organization: str, login: str) -> Counter:
    """The account as it was typed, whether it exists or not. Hashed: people type passwords into the wrong field."""
    typed = f"{fold(organization)}\n{fold(login)}"
    return account_by_key("account:" + hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()[:40])


def account_by_key(key: str) -> Counter:
    """The same from the key that a flow remembers."""
    return Counter(key, limits.FAILURES_PER_ACCOUNT)


def address(text: str) -> Counter:
    return Counter("address:" + _network(text), limits.FAILURES_PER_ADDRESS)


def flows(text: str) -> Counter:
    """Flows begun from an address: the table of flows does not grow without bound."""
    return Counter("flows:" + _network(text), FLOWS_PER_ADDRESS)


def links(text: str) -> Counter:
    """Upload links that were tried from an address and are good for nothing."""
    return Counter("links:" + _network(text), limits.LINKS_MISSED)


def renewals(text: str) -> Counter:
    """Secrets of workers that were tried from an address and are good for nothing."""
    return Counter("renewals:" + _network(text), limits.PUSH_RENEWALS_MISSED)


async def count(tx: Tx, counters: Iterable[Counter], fault: Fault = SIGN_IN_THROTTLED) -> None:
    """Count one attempt on each. Raises `Problem` `fault` if one is full: nothing is counted then, so that the wait ends
    a quarter of an hour after the first failure, however often somebody tries meanwhile."""
    for counter in counters:
        failures, since = await queries.count(tx, counter.key, limits.FAILURE_WINDOW)
        if failures > counter.limit:
            wait = since + limits.FAILURE_WINDOW - tx.now
            raise Problem(fault, retry_after=max(1, -(-wait // limits.SECOND)))


async def failures(reader: Reader, counter: Counter) -> int:
    """Within the window that runs."""
    return await queries.failures(reader, counter.key, limits.FAILURE_WINDOW)


async def give_back(tx: Tx, counters: Iterable[Counter]) -> None:
    """The attempt was no failure. Only itself: a success must not forgive the address its other guesses."""
    for counter in counters:
        await queries.give_back(tx, counter.key)


async def reset(tx: Tx, counter: Counter) -> None:
    """The account's holder has come in."""
    await queries.forget(tx, counter.key)


def fold(text: str) -> str:
    """Organization codes and logins are compared like this: full-width forms and case make no difference."""
    return nfkc(text).strip().casefold()


def _network(text: str) -> str:
    """An IPv6 subscriber holds a whole /64 and could come from another address for every guess."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
