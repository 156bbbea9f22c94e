"""What a webhook is signed with, and where one may go. Standard Webhooks, version 1 (docs/webhooks.md).

An address is checked twice: its name when it is written down and before every delivery, and what the name resolves to
before every connection, which goes to the very address that was checked.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.domain import limits

TOLERANCE: Final = 5 * limits.MINUTE
"""A signature is good from so long before the time that it names to so long after."""
ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURES: Final = 10
"""Signatures that one header may offer."""
URL_CHARS: Final = 1_000


def written(secret: bytes) -> str:
    """A secret as people copy it."""
    return "whsec_" + b64encode(secret).decode("ascii")


def sign(secret: bytes, id: str, timestamp: str, body: bytes) -> str:  # noqa: A002 - the scheme's word
    """One entry of `webhook-signature`."""
    text = b".".join((id.encode("ascii"), timestamp.encode("ascii"), body))
    return "v1," + b64encode(hmac.digest(secret, text, hashlib.sha256)).decode("ascii")


def is_signed(secrets: Sequence[bytes], id: str, timestamp: str, body: bytes, signatures: str, now: int) -> bool:  # noqa: A002
    """Whether one of `signatures` was made with one of `secrets`, about now. Takes as long whatever is wrong with it."""
    well_formed = bool(ID.fullmatch(id) and _TIMESTAMP.fullmatch(timestamp))
    id, timestamp = (id, timestamp) if well_formed else ("-", "0")  # noqa: A001
    offered = [one.encode("utf-8", "replace") for one in signatures.split(" ", _SIGNATURES)[:_SIGNATURES]]
    good = False
    for secret in secrets:
        expected = sign(secret, id, timestamp, body).encode("ascii")
        for one in offered:
            good |= hmac.compare_digest(expected, one)
    return good & well_formed & (abs(now - int(timestamp) * limits.SECOND) <= TOLERANCE)


# Where one may go

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!$-;=?-Z\[\]_a-z|~]*)?"
)
"""Nothing in it that two readers could read differently: no user, no backslash, no fragment, no spaces, ASCII alone."""
_NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""Ends in a label that begins with a letter: `2130706433`, `0x7f.1` and `127.1` are numbers to a resolver."""
_RULE: Final = re.compile(r"(?P<host>(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_PORTS: Final = {"https": 443, "http": 80}

_WORLD: Final = ipaddress.ip_network("2000::/3")
"""Of IPv6 nothing else is given out; loopback, ULA, link-local, multicast, mapped and translated addresses lie outside."""
_NOT_WORLD: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
"""RFC 6890 and its registries, and what carries an IPv4 address inside (Teredo, 6to4)."""
_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "fe80::/10", "ff00::/8", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
    )
)  # fmt: skip
"""Not even for a private host: no machine of one's own, one that gives out keys to whoever asks (link-local), or another
address in disguise."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart. `host`: lower case; of IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The operator's rules. `allowed`, `private`: `hooks.city.example`, `*.city.example`, either with `:8443`; without a
    port it is that of the scheme. `private`: those whose address may be one of the inside. `plain`: http to loopback."""

    allowed: Sequence[str] = ()
    private: Sequence[str] = ()
    plain: bool = False

    def target(self, url: str) -> Target:
        """Raises `ValueError` with what is wrong with it."""
        match = _URL.fullmatch(url) if len(url) <= URL_CHARS else None
        if match is None:
            raise ValueError(
                "https://名前/…の形で、半角で書いてください / https://name/…, lower case, without a user or a fragment"
            )
        host = match["host"].strip("[]")
        if not (_is_address(host) or _NAME.fullmatch(host)):
            raise ValueError("サーバー名が正しくありません / no such host name")
        target = Target(match["scheme"], host, int(match["port"] or _PORTS[match["scheme"]]), match["path"] or "/")
        if not 0 < target.port < 65536:
            raise ValueError("ポート番号が正しくありません / no such port")
        if target.scheme != "https" and not self.plain:
            raise ValueError("httpsで始めてください / it must begin with https")
        if not _listed(self.allowed, target):
            raise ValueError(
                "このサーバーへの送信は許可されていません。運用者にご相談ください / the operator has not listed this host"
            )
        return target

    def may_dial(self, target: Target, address: str) -> bool:
        """Whether `address`, which the name resolved to, may be connected to."""
        parsed = ipaddress.ip_address(address)
        if target.scheme != "https" and not parsed.is_loopback:
            return False
        return is_of_the_world(address) or (_listed(self.private, target) and not _in(parsed, _NEVER))


def host_of(url: str) -> str:
    """Of an address that was looked at before; empty for none."""
    match = _URL.fullmatch(url)
    return match["host"].strip("[]") if match else ""


def is_of_the_world(address: str) -> bool:
    """Whether it is an address of the Internet at large. What is not known to be one is none."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6 and parsed not in _WORLD:
        return False
    return not _in(parsed, _NOT_WORLD)


def check_rule(rule: str) -> str | None:
    """What is wrong with an entry of the settings."""
    match = _RULE.fullmatch(rule)
    host = match["host"].strip("[]").removeprefix("*.") if match else ""
    if match is None or not (_is_address(host) or _NAME.fullmatch(host)) or not 0 < int(match["port"] or 1) < 65536:
        return "it must be a name such as hooks.city.example, *.city.example or hooks.city.example:8443, in lower case"
    return None


def _listed(rules: Iterable[str], target: Target) -> bool:
    return any(_fits(rule, target) for rule in rules)


def _fits(rule: str, target: Target) -> bool:
    match = _RULE.fullmatch(rule)
    if match is None or int(match["port"] or _PORTS[target.scheme]) != target.port:
        return False
    host = match["host"].strip("[]")
    return target.host.endswith(host[1:]) if host.startswith("*.") else target.host == host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _in(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> bool:
    return any(address.version == network.version and address in network for network in networks)
