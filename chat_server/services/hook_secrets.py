"""A webhook's secrets, and the bot in whose name it acts.

The secrets are not kept: they are made, whenever they are needed, of a key of the server and of the salt in the hook's row. So
neither the table nor the trail nor a kept answer can tell them.
"""

from __future__ import annotations

import hashlib
import hmac

from chat_server.domain.actors import BOT, Actor
from chat_server.ports import Reader
from chat_server.services.keys import HOOKS, Keys
from chat_server.storage.queries import hooks as queries
from chat_server.storage.queries.hooks import Hook


def secrets_of(keys: Keys, hook: Hook, now: int) -> list[bytes]:
    """Those that are good now, the newest first."""
    salts = [hook.salt]
    if hook.old_salt is not None and hook.old_until is not None and now < hook.old_until:
        salts.append(hook.old_salt)
    return [secret_of(keys, hook.public_id, salt) for salt in salts]


def secret_of(keys: Keys, public_id: str, salt: bytes) -> bytes:
    text = b"\0".join((b"hook", public_id.encode("ascii"), salt))
    return hmac.digest(keys.current(HOOKS).secret, text, hashlib.sha256)


def bot_of(hook: Hook, zone: str, address: str = "") -> Actor:
    """In whose name the hook acts."""
    return Actor(hook.bot_id, hook.org_id, 0, hook.bot, "", BOT, hook.name, zone, address)


async def newest(reader: Reader, keys: Keys, public_id: str) -> bytes | None:
    """The newest secret, for whoever just made it; None if the hook is gone again."""
    hook = await queries.find(reader, public_id)
    return None if hook is None else secret_of(keys, public_id, hook.salt)
