"""The providers of this server, in the mode that its settings name: none, those themselves, or the relay's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Protocol

from chat_server.domain.webhooks import Hosts
from mobile_api.providers import choosing
from mobile_api.providers.choosing import WrongSetting
from mobile_api.providers.port import Platform, Provider
from mobile_api.providers.vapid import Signer
from mobile_api.relay import keys
from mobile_api.relay.client import Line, Place, relayed

_PLACE: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")


class Names(choosing.Names, Protocol):
    """The server's settings (chat_server/config.py)."""

    @property
    def push(self) -> str: ...
    @property
    def push_relay(self) -> str: ...
    @property
    def push_relay_keys(self) -> str: ...


def open_providers(settings: Names, web_push_key: bytes) -> dict[Platform, Provider]:
    """By platform; one that is missing is not served. Nothing is connected yet; whoever opens them closes each.

    `web_push_key`: the current key of purpose `services.keys.WEB_PUSH`. Raises `WrongSetting`.
    """
    if settings.push == "off":
        return {}
    try:
        signer = Signer(web_push_key, settings.push_contact)
    except ValueError as error:
        raise WrongSetting(f"push_contact: {error}.") from None
    if settings.push == "direct":
        return choosing.direct(settings, lambda _, origin: signer.sign(origin))
    place = _PLACE.fullmatch(settings.push_relay)
    if place is None or not 0 < int(place["port"]) < 65536:
        raise WrongSetting(f"push_relay: “{settings.push_relay}” is not an address such as relay.city.example:8600.")
    proxy = choosing.outgoing(settings)
    try:
        line = Line(Place(place["host"].strip("[]"), int(place["port"]), Path(settings.push_relay_keys), proxy))
    except keys.NoKeys as error:
        raise WrongSetting(f"push_relay_keys: {error}") from None
    hosts: dict[Platform, Hosts] = {
        "web_push": Hosts(settings.push_web_hosts, settings.push_private_hosts),
        "unified": Hosts(settings.push_unified_hosts, settings.push_private_hosts),
    }
    return relayed(line, hosts, lambda _, origin: signer.sign(origin))
