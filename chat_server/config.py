"""Settings: one TOML file, a few environment variables, checked before any I/O and frozen afterwards.

`config/renraku.example.toml` names every setting; a test fails when the two differ.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from chat_server.domain.webhooks import check_rule

ENVIRONMENT: Final = {
    "RENRAKU_CONFIG": "the settings file",
    "RENRAKU_DATA": "the data folder (instead of `data`)",
    "RENRAKU_DATABASE": "the database (instead of `database`)",
    "RENRAKU_BUS": "how nodes reach each other (instead of `bus`)",
    "RENRAKU_BLOBS": "where attachments lie (instead of `blobs`)",
    "RENRAKU_PORT": "the port of the first listener (instead of `listen[0].port`)",
    "RENRAKU_ADDRESS": "the address of the first listener (instead of `listen[0].address`)",
}

OPERATORS_SOCKET: Final = "renraku.sock"
"""In the data folder: the way of the command line to a running server."""

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.\-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")
Zone = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_-]{0,31}$")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class BadSettings(Exception):
    """The settings cannot be used; the text names the setting and says what to do."""


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A socket, and the zone that whoever comes in by it belongs to."""

    address: str = "127.0.0.1"
    port: Port = 8080
    zone: Zone = "lgwan"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an operator decides."""

    data: str = "data"
    """folder of the database and the attachments"""
    database: str = ""
    """address of a PostgreSQL database, with or without a password; empty: SQLite in the data folder"""
    bus: str = ""
    """address of a Valkey or Redis server that carries hints between nodes; empty: PostgreSQL itself does"""
    blobs: str = ""
    """where attachments lie: a folder that nodes share, or s3://bucket/prefix; empty: in the data folder"""
    listen: Annotated[tuple[Listener, ...], msgspec.Meta(min_length=1, max_length=16)] = (Listener(),)
    zones: Annotated[tuple[Zone, ...], msgspec.Meta(min_length=1, max_length=16)] = ("internet", "lgwan")
    """from the least to the most trusted"""
    hosts: tuple[str, ...] = ()
    """names under which browsers reach the server, besides addresses and localhost"""
    trusted_proxies: tuple[str, ...] = ()
    """networks whose X-Forwarded-For is believed"""
    outside_address: str = ""
    """where people outside reach the page by which they hand in files, for example https://files.city.example; empty: where staff do"""
    https: bool = False
    """whether browsers reach the server by TLS (through the proxy in front of it)"""
    decoders: Annotated[int, msgspec.Meta(ge=1, le=32)] = 2
    """processes that decode photos"""
    preview_decoders: Annotated[int, msgspec.Meta(ge=1, le=32)] = 1
    """processes that make previews and texts of files"""
    antivirus: str = ""
    """ClamAV's daemon, which looks at files from outside before they are rebuilt: unix:/path or host:port; empty: none"""
    bots: str = ""
    """a folder with bots of one's own, a folder each (docs/bots.md); empty: those that come with Renraku alone"""
    webhook_hosts: tuple[str, ...] = ()
    """servers that webhooks may tell of messages; empty: none"""
    webhook_private_hosts: tuple[str, ...] = ()
    """those of them whose address may be a private one"""
    webhook_ca: str = ""
    """file with certificates of one's own authority, for those servers"""
    webhook_plain_http: bool = False
    """http to this very machine, for tests"""
    push: Annotated[str, msgspec.Meta(pattern="^(off|direct|relay)$")] = "off"
    """how phones are woken: not at all, by this process, or by the relay on the Internet side (docs/push-relay.md)"""
    push_contact: str = ""
    """whom push services write to when something is wrong, for example mailto:it@city.example"""
    push_proxy: str = ""
    """the outgoing proxy for pushes, with or without a password, for example http://proxy.city.example:3128; empty: none"""
    push_ca: str = ""
    """file with certificates of one's own authority, for push servers of one's own"""
    push_apns_key: str = ""
    """file with Apple's key (.p8); empty: no pushes to Apple's phones"""
    push_apns_key_id: str = ""
    """Apple's id of that key"""
    push_apns_team: str = ""
    """Apple's id of the team"""
    push_apns_topic: str = ""
    """bundle id of the app"""
    push_apns_sandbox: bool = False
    """Apple's server for apps under development"""
    push_apns_server: str = ""
    """another server on this very machine in Apple's place, for tests"""
    push_fcm_account: str = ""
    """file with Google's service account (JSON); empty: no pushes to Google's phones"""
    push_fcm_server: str = ""
    """another server on this very machine in Google's place, for tests"""
    push_web_hosts: tuple[str, ...] = (
        "fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com",
    )  # fmt: skip
    """push services of browsers that may be spoken to"""
    push_unified_hosts: tuple[str, ...] = ()
    """servers of one's own for phones without Google (ntfy, UnifiedPush)"""
    push_private_hosts: tuple[str, ...] = ()
    """those of both whose address may be a private one"""
    push_relay: str = ""
    """the relay, for example relay.city.example:8600"""
    push_relay_keys: str = ""
    """the folder “closed” that `renraku push-relay keys` made"""
    log: Annotated[str, msgspec.Meta(pattern="^(json|text)$")] = "json"
    """one JSON object a line, or text for a terminal"""

    def trust(self, zone: str) -> int:
        """Rank of a zone, -1 for one that nobody declared."""
        return self.zones.index(zone) if zone in self.zones else -1

    @property
    def most_trusted(self) -> str:
        """The zone of the desks."""
        return self.zones[-1]

    @property
    def folder(self) -> Path:
        return Path(self.data)

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(network) for network in self.trusted_proxies)


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the file (`path`, RENRAKU_CONFIG, or nothing but defaults), then the environment. Raises `BadSettings`."""
    name = str(path) if path else environment.get("RENRAKU_CONFIG")
    raw: dict[str, Any] = _read(Path(name)) if name else {}
    if data := environment.get("RENRAKU_DATA"):
        raw["data"] = data
    if (database := environment.get("RENRAKU_DATABASE")) is not None:
        raw["database"] = database
    if (blobs := environment.get("RENRAKU_BLOBS")) is not None:
        raw["blobs"] = blobs
    if (bus := environment.get("RENRAKU_BUS")) is not None:
        raw["bus"] = bus
    listen = raw.setdefault("listen", [{}])
    if isinstance(listen, list) and listen and isinstance(listen[0], dict):
        if port := environment.get("RENRAKU_PORT"):
            listen[0]["port"] = _port("RENRAKU_PORT", port)
        if address := environment.get("RENRAKU_ADDRESS"):
            listen[0]["address"] = address
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{name or 'settings'}: {error}. See config/renraku.example.toml.") from None
    _check(settings)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"The settings file {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"The settings file {path} is not TOML: {error}.") from None


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise BadSettings(f"{name} must be a number from 0 to 65535, not “{text}”.")
    return int(text)


def _check(settings: Settings) -> None:
    if settings.database and (wrong := _wrong_database(settings.database)):
        raise BadSettings(f"database: {wrong}. Leave it empty for SQLite in the data folder.")
    if settings.bus and (wrong := _wrong_bus(settings)):
        raise BadSettings(f"bus: {wrong}.")
    if len(set(settings.zones)) != len(settings.zones):
        raise BadSettings("zones: a zone stands there twice.")
    for listener in settings.listen:
        if listener.zone not in settings.zones:
            raise BadSettings(f"listen: the zone “{listener.zone}” is not among zones {list(settings.zones)}.")
        try:
            ipaddress.ip_address(listener.address)
        except ValueError:
            raise BadSettings(f"listen: “{listener.address}” is not an IP address.") from None
    taken = [(listener.address, listener.port) for listener in settings.listen if listener.port]
    if len(set(taken)) != len(taken):
        raise BadSettings("listen: two listeners have the same address and port.")
    for name in (
        "webhook_hosts",
        "webhook_private_hosts",
        "push_web_hosts",
        "push_unified_hosts",
        "push_private_hosts",
    ):
        for rule in getattr(settings, name):
            if wrong := check_rule(rule):
                raise BadSettings(f"{name}: “{rule}”: {wrong}.")
    if settings.outside_address and not _ORIGIN.fullmatch(settings.outside_address):
        raise BadSettings(
            f"outside_address: “{settings.outside_address}” is not an address like https://files.city.example."
        )
    _check_push(settings)
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise BadSettings(f"trusted_proxies: “{network}” is not a network such as 10.0.0.0/24.") from None


def _check_push(settings: Settings) -> None:
    """What can be said without opening a file; the rest: mobile_api/providers/choosing.py."""
    if settings.push == "off":
        return
    if not settings.push_contact.startswith("mailto:"):
        raise BadSettings(
            "push_contact: push services want to know whom to write to when something is wrong: name a mailbox, as in "
            "mailto:it@city.example."
        )
    if settings.push == "relay" and not (settings.push_relay and settings.push_relay_keys):
        raise BadSettings(
            "push_relay, push_relay_keys: name the relay (relay.city.example:8600) and the folder “closed” that "
            "`renraku push-relay keys` made, or set push to direct or off."
        )


def _wrong_database(address: str) -> str | None:
    """What is wrong with it, without a word of it: it may hold a password."""
    try:
        parts = urlsplit(address)
        _ = parts.port if "," not in parts.netloc else None
    except ValueError:
        return "it is not an address such as postgresql://renraku@db.example:5432/renraku"
    if parts.scheme not in ("postgresql", "postgres"):
        return "it must begin with postgresql://"
    if not parts.path.strip("/"):
        return "it must name the database, as in postgresql://renraku@db.example:5432/renraku"
    return None


def _wrong_bus(settings: Settings) -> str | None:
    """What is wrong with it, without a word of it."""
    if not settings.database:
        return (
            "a bus joins several nodes, and SQLite serves one process alone. Leave it empty, or name a PostgreSQL "
            "database first (setting `database`; `renraku migrate-engine` moves the data)"
        )
    try:
        parts = urlsplit(settings.bus)
        _ = parts.port
    except ValueError:
        return "it is not an address such as valkey://10.0.0.5:6379/0"
    if parts.scheme not in ("valkey", "valkeys", "redis", "rediss") or not parts.hostname:
        return "it must be an address such as valkey://10.0.0.5:6379/0, or valkeys:// with TLS"
    return None
