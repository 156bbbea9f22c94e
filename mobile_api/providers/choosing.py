"""The providers of the settings. Nothing is connected here; files are read, so that a wrong one is said at start.

What speaks to Apple and to Google is loaded where the settings name them: it is a fifth of what every start and every
command would load. A platform without settings has no provider: its devices are not rung, and the ledger says why.
"""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path
from typing import Final, Protocol

from chat_server.domain.webhooks import Hosts
from mobile_api.providers.port import Platform, Provider
from mobile_api.providers.posting import Poster
from mobile_api.providers.proxy import Proxy, proxy_of
from mobile_api.providers.unified import Unified
from mobile_api.providers.vapid import CONTACT
from mobile_api.providers.web_push import Sign, WebPush

_PLACE: Final = re.compile(r"(?P<host>localhost|127\.0\.0\.1|\[::1\]):(?P<port>[0-9]{1,5})")


class WrongSetting(Exception):
    """A setting that cannot be used; the text names it and says what to do."""


class Names(Protocol):
    """The settings of whoever speaks to providers: the server's, or the relay's (chat_server/config.py)."""

    @property
    def push_contact(self) -> str: ...
    @property
    def push_proxy(self) -> str: ...
    @property
    def push_ca(self) -> str: ...
    @property
    def push_apns_key(self) -> str: ...
    @property
    def push_apns_key_id(self) -> str: ...
    @property
    def push_apns_team(self) -> str: ...
    @property
    def push_apns_topic(self) -> str: ...
    @property
    def push_apns_sandbox(self) -> bool: ...
    @property
    def push_apns_server(self) -> str: ...
    @property
    def push_fcm_account(self) -> str: ...
    @property
    def push_fcm_server(self) -> str: ...
    @property
    def push_web_hosts(self) -> tuple[str, ...]: ...
    @property
    def push_unified_hosts(self) -> tuple[str, ...]: ...
    @property
    def push_private_hosts(self) -> tuple[str, ...]: ...


def direct(names: Names, sign: Sign) -> dict[Platform, Provider]:
    """Those that speak to the providers themselves. Raises `WrongSetting`."""
    if not CONTACT.fullmatch(names.push_contact):
        raise WrongSetting(f"push_contact: “{names.push_contact}” is not a mailbox such as mailto:it@city.example.")
    proxy, tls = outgoing(names), trusted(names)
    found: dict[Platform, Provider] = {}
    if names.push_apns_key:
        found["apns"] = _apple(names, proxy)
    if names.push_fcm_account:
        found["fcm"] = _google(names, proxy)
    if names.push_web_hosts:
        hosts = Hosts(names.push_web_hosts, names.push_private_hosts)
        found["web_push"] = WebPush(Poster(hosts, tls, proxy), sign)
    if names.push_unified_hosts:
        hosts = Hosts(names.push_unified_hosts, names.push_private_hosts)
        found["unified"] = Unified(Poster(hosts, tls, proxy), sign)
    return found


def outgoing(names: Names) -> Proxy | None:
    """Raises `WrongSetting`."""
    try:
        return proxy_of(names.push_proxy)
    except ValueError as error:
        raise WrongSetting(f"push_proxy: {error}.") from None


def trusted(names: Names) -> ssl.SSLContext:
    """Raises `WrongSetting`."""
    context = ssl.create_default_context()
    if names.push_ca:
        try:
            context.load_verify_locations(names.push_ca)
        except (OSError, ssl.SSLError) as error:
            raise WrongSetting(f"push_ca: {names.push_ca} cannot be read as certificates ({_why(error)}).") from None
    return context


def _apple(names: Names, proxy: Proxy | None) -> Provider:
    from mobile_api.providers.apns import PRODUCTION, SANDBOX, Apns, Apple
    from mobile_api.providers.apns_token import SharedToken

    for name in ("push_apns_key_id", "push_apns_team", "push_apns_topic"):
        if not getattr(names, name):
            raise WrongSetting(f"{name}: it belongs to push_apns_key; Apple shows it where the key was made.")
    try:
        token = SharedToken(_text("push_apns_key", names.push_apns_key), names.push_apns_key_id, names.push_apns_team)
    except ValueError as error:
        raise WrongSetting(f"push_apns_key: {names.push_apns_key}: {error}.") from None
    tls = trusted(names)
    tls.set_alpn_protocols(["h2"])
    server = SANDBOX if names.push_apns_sandbox else PRODUCTION
    if names.push_apns_server:
        place = _PLACE.fullmatch(names.push_apns_server)
        if place is None:
            raise WrongSetting("push_apns_server: for tests, a server on this very machine such as localhost:8443.")
        server = place["host"].strip("[]"), int(place["port"])
    return Apns(Apple(token, names.push_apns_topic, server, tls, proxy))


def _google(names: Names, proxy: Proxy | None) -> Provider:
    from mobile_api.providers.fcm import Fcm
    from mobile_api.providers.fcm_client import SERVER, Client

    server = SERVER
    if names.push_fcm_server:
        if not names.push_fcm_server.startswith("http://") or not _PLACE.fullmatch(names.push_fcm_server[7:]):
            raise WrongSetting(
                "push_fcm_server: for tests, a server on this very machine such as http://127.0.0.1:8081."
            )
        server = names.push_fcm_server
    try:
        account = json.loads(_text("push_fcm_account", names.push_fcm_account))
        if not isinstance(account, dict):
            raise ValueError("it is no service account's key (JSON) of Google's")
        return Fcm(Client(account, server, proxy, trusted(names)))
    except json.JSONDecodeError:
        raise WrongSetting(f"push_fcm_account: {names.push_fcm_account} is not JSON.") from None
    except ValueError as error:
        raise WrongSetting(f"push_fcm_account: {names.push_fcm_account}: {error}.") from None


def _text(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSetting(f"{name}: {path} cannot be read ({_why(error)}).") from None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
