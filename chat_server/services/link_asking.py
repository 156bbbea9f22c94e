"""What may be asked for by an upload link: by whom, in which room, within which bounds."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, LINKS_NOT_ALLOWED, ROOM_KIND_FORBIDS, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.links import FAMILIES
from chat_server.domain.policy import allows
from chat_server.domain.rooms import DIRECT, Standing
from chat_server.ports import Reader
from chat_server.services.access import check_can_post
from chat_server.services.blocks import clean_text
from chat_server.services.labels import clean_label
from chat_server.storage.queries import organizations
from chat_server.storage.queries import upload_links as queries


async def check_allowed(reader: Reader, actor: Actor, standing: Standing) -> None:
    """Raises `Problem` 3002, 3003, 3005, 7104. What comes in belongs to the room's home: nobody else asks for it."""
    check_can_post(standing)
    if standing.kind == DIRECT:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if actor.is_guest or actor.org_id != standing.org_id:
        raise Problem(LINKS_NOT_ALLOWED)
    if not allows(await organizations.policy(reader, standing.org_id), "upload_links", actor.roles):
        raise Problem(LINKS_NOT_ALLOWED)


def check_end(reader: Reader, ends: int) -> None:
    """Raises `Problem` 2001."""
    if not reader.now < ends <= reader.now + limits.LINK_LIVES:
        raise Problem(INVALID_FIELD, field="ends", reason=f"within {limits.LINK_LIVES // limits.DAY} days from now")


def check_numbers(most_files: int, most_bytes: int, kinds: Sequence[str]) -> None:
    """Bots ask here as well, so this is not left to the doors. Raises `Problem` 2001."""
    for field, value, most in (
        ("most_files", most_files, limits.LINK_FILES),
        ("most_bytes", most_bytes, limits.LINK_BYTES),
    ):
        if not 1 <= value <= most:
            raise Problem(INVALID_FIELD, field=field, reason=f"1–{most}")
    if not set(kinds) <= set(FAMILIES):
        raise Problem(INVALID_FIELD, field="kinds", reason=f"of {', '.join(FAMILIES)}")


async def members(reader: Reader, standing: Standing, users: Sequence[str]) -> list[str]:
    """Who is notified is in the room, and hears nothing that they could not read there. Raises `Problem` 2001."""
    wanted = list(dict.fromkeys(users))
    if len(wanted) > limits.LINK_TOLD:
        raise Problem(INVALID_FIELD, field="told", reason=f"at most {limits.LINK_TOLD} people")
    if len(await still_members(reader, standing, wanted)) < len(wanted):
        raise Problem(INVALID_FIELD, field="told", reason="members of the room only")
    return wanted


async def still_members(reader: Reader, standing: Standing, users: Sequence[str]) -> list[str]:
    """Those of `users` (public ids) who are in the room now, in their order."""
    there = await queries.members(reader, standing.room_id, [user for user in users if is_id(user)])
    return [user for user in users if user in there]


def words(field: str, text: str, most: int, *, needed: bool = False) -> str:
    """On one line. Raises `Problem` 2001 where nothing is left that is needed."""
    return _not_empty(field, clean_label(text, most), needed=needed)


def lines(field: str, text: str, *, needed: bool = False) -> str:
    """Several lines. Raises `Problem` 2001 where nothing is left that is needed."""
    return _not_empty(field, clean_text(text)[: limits.LINK_WORDS_CHARS].strip(), needed=needed)


def _not_empty(field: str, text: str, *, needed: bool) -> str:
    if needed and not text:
        raise Problem(INVALID_FIELD, field=field, reason="must not be empty")
    return text
