"""The relay's settings: a file of its own, for the Internet side has no other (config/push-relay.example.toml)."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from chat_server.domain.webhooks import check_rule


class BadRelaySettings(Exception):
    """The settings cannot be used; the text names the setting and says what to do."""


class RelaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the relay's operator decides. The names that begin with `push_` mean what they mean to the server."""

    address: str = "127.0.0.1"
    """where the closed side dials"""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8600
    data: str = "relay-data"
    """folder of the queue"""
    keys: str = "relay"
    """the folder “relay” that `renraku push-relay keys` made"""
    log: Annotated[str, msgspec.Meta(pattern="^(json|text)$")] = "json"
    """one JSON object a line, or text for a terminal"""
    push_contact: str = ""
    push_proxy: str = ""
    push_ca: str = ""
    push_apns_key: str = ""
    push_apns_key_id: str = ""
    push_apns_team: str = ""
    push_apns_topic: str = ""
    push_apns_sandbox: bool = False
    push_apns_server: str = ""
    push_fcm_account: str = ""
    push_fcm_server: str = ""
    push_web_hosts: tuple[str, ...] = (
        "fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com",
    )  # fmt: skip
    push_unified_hosts: tuple[str, ...] = ()
    push_private_hosts: tuple[str, ...] = ()


def load(path: Path) -> RelaySettings:
    """Raises `BadRelaySettings`."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), RelaySettings)
        ipaddress.ip_address(found.address)
    except OSError as error:
        raise BadRelaySettings(f"The settings file {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRelaySettings(f"The settings file {path} is not TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise BadRelaySettings(f"{path}: {error}. See config/push-relay.example.toml.") from None
    except ValueError:
        raise BadRelaySettings("address: it is not an IP address such as 192.0.2.10.") from None
    for name in ("push_web_hosts", "push_unified_hosts", "push_private_hosts"):
        for rule in getattr(found, name):
            if wrong := check_rule(rule):
                raise BadRelaySettings(f"{name}: “{rule}”: {wrong}.")
    return found
