"""Devices that can be rung: their tokens and keys, and what only they can read."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import NewToken
from tests.support.world import Someone, World


@dataclass
class Phone:
    """`key`: the device's own; without it it cannot decrypt."""

    token: str
    platform: str = "fcm"
    key: ec.EllipticCurvePrivateKey | None = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    def new_token(self, language: str = "ja") -> NewToken:
        if self.key is None:
            return NewToken(self.platform, self.token, language=language)
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return NewToken(self.platform, self.token, _text(point), _text(self.auth), language=language)

    def read(self, parcel: dict[str, Any]) -> dict[str, Any]:
        """What the parcel says to this device."""
        plain = http_ece.decrypt(
            bytes.fromhex(parcel["sealed"]), private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def give_phone(world: World, someone: Someone, phone: Phone, *, language: str = "ja") -> int:
    """Register it for the device that they are signed in on; answers the token's integer key."""
    who = someone.actor

    async def put(tx: Tx) -> int:
        return await push_tokens.put(
            tx, new_id(tx.now), who.org_id, who.user_id, who.device_id, phone.new_token(language)
        )

    return await world.server.app.storage.write(put)
