"""The password that a new account begins with, chosen by the administrator who makes it."""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.ports import Passwords, Storage
from chat_server.services import password_policy
from chat_server.services.accounts import clean_login
from chat_server.services.authority import require_administrator
from chat_server.storage.queries import organizations


async def hash_first(storage: Storage, passwords: Passwords, actor: Actor, login: str, password: str) -> str:
    """Its hash. Raises `Problem` 2008, 2001 (login), 6003, 8001."""
    require_administrator(actor)
    organization = await storage.read(lambda reader: organizations.by_id(reader, actor.org_id))
    password_policy.check(password, clean_login(login), organization.code if organization else "")
    return await passwords.hash(password)
