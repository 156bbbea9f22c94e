"""Every number in docs/protocol.md is the one in the code, and every limit that a client can meet is on the page."""

from __future__ import annotations

import typing
from typing import Any, Final

import pytest

from chat_server import serving
from chat_server.documents.rules import TEXT_BYTES
from chat_server.domain import limits
from chat_server.domain.limits import DAY, HOUR, MINUTE
from chat_server.domain.zones import PAGES
from chat_server.http import attachments, body, inflight
from chat_server.photos import rules
from chat_server.services import commands
from tests.support.page import PROTOCOL

KIB: Final = 1024
MIB: Final = 1024 * 1024

SENTENCES: Final[dict[str, str]] = {
    "FRAME_BYTES": f"A frame from a client is at most {limits.FRAME_BYTES // KIB} KiB",
    "FRAME_DEPTH": f"and {limits.FRAME_DEPTH} levels deep",
    "UNANSWERED": f"At most {limits.UNANSWERED} commands may be unanswered",
    "COMMANDS_PER_SECOND": f"Commands may come at {limits.COMMANDS_PER_SECOND} a second",
    "COMMAND_BURST": f"after a pause {limits.COMMAND_BURST} at once",
    "COMMANDS_REFUSED": f"the {limits.COMMANDS_REFUSED + 1}st closes the connection",
    "AUTH_SECONDS": f"authenticates, within {limits.AUTH_SECONDS} seconds",
    "QUEUE_BYTES": f"this reader fell behind {limits.QUEUE_BYTES // MIB} MiB",
    "REPLAY_EVENTS": f"too far behind (over {limits.REPLAY_EVENTS:,} events)",
    "PAGE_EVENTS": f"1–{limits.PAGE_EVENTS_MAX}, {limits.PAGE_EVENTS} if absent",
    "PAGE_EVENTS_MAX": f"`limit` is 1–{limits.PAGE_EVENTS_MAX}",
    "PAGE_BYTES": f"ends at about {limits.PAGE_BYTES // KIB} KiB",
    "TEXT_CHARS": f"together have up to {limits.TEXT_CHARS:,} characters",
    "NOTE_EXPORT_BYTES": f"up to {limits.NOTE_EXPORT_BYTES // MIB // 1024} GiB (error 4040)",
    "PHOTOS": f"| `photos` | `ids`: 1–{limits.PHOTOS} attachment ids",
    "BLOCKS": f"Blocks, 1–{limits.BLOCKS} in a message",
    "MENTIONS": f"at most {limits.MENTIONS} different ones in a message",
    "REACTION_CHARS": f"`key`: 1–{limits.REACTION_CHARS} characters",
    "REACTION_KINDS": f"at most {limits.REACTION_KINDS} different `key`s",
    "REACTION_USERS_SHOWN": f"`reactions[].users` lists at most {limits.REACTION_USERS_SHOWN}",
    "CANCEL_WITHIN": f"for the author within {limits.CANCEL_WITHIN // HOUR} hours of sending",
    "APP_VERSION_CHARS": f"`app_version` up to {limits.APP_VERSION_CHARS} characters",
    "DEVICES_SHOWN": f"`/api/organization/devices` (the first {limits.DEVICES_SHOWN})",
    "PUSH_TOKEN_CHARS": f"one token (up to {limits.PUSH_TOKEN_CHARS:,} characters) a device",
    "HOOKS": f"up to {limits.HOOKS} of a room (error 7003)",
    "HOOK_BYTES": f"at most {limits.HOOK_BYTES // 1024} kB, without a token",
    "HOOK_POSTS": f"{limits.HOOK_POSTS} a minute (error 8005)",
    "HOOK_OVERLAP": f"the one before is good for {limits.HOOK_OVERLAP // limits.HOUR} hours more",
    "HOOK_KEPT": f"what was given up in the last {limits.HOOK_KEPT // DAY} days",
    "PUSH_LIVES": f"not be delivered within {limits.PUSH_LIVES // HOUR} hours is given up",
    "PUSH_BYTES": f"at most {limits.PUSH_BYTES:,} bytes: JSON",
    "PUSH_KEPT": f"for {limits.PUSH_KEPT // DAY} days an administrator can ask",
    "SCHEDULED": f"up to {limits.SCHEDULED} of a person wait (error 4014)",
    "SCHEDULED_SOONEST": f"from a minute to {limits.SCHEDULED_LATEST // DAY} days ahead",
    "SCHEDULED_LATEST": f"from a minute to {limits.SCHEDULED_LATEST // DAY} days ahead",
    "UNREAD_CAP": f'"unread": n (up to {limits.UNREAD_CAP})',
    "RECEIPT_MEMBERS": f"by policy up to {limits.RECEIPT_MEMBERS} members",
    "ROOM_MEMBERS": f"A room has up to {limits.ROOM_MEMBERS:,} members",
    "INVITE_AT_ONCE": f"invite `{{users: [USER, up to {limits.INVITE_AT_ONCE}], role?}}`",
    "NAME_CHARS": f"a name up to {limits.NAME_CHARS} characters",
    "TOPIC_CHARS": f"a topic up to {limits.TOPIC_CHARS}",
    "WATCHED_USERS": f"`users`: up to {limits.WATCHED_USERS} ids",
    "NOTES": f"A room has up to {limits.NOTES} notes",
    "NOTE_TITLE_CHARS": f"a title up to {limits.NOTE_TITLE_CHARS} characters",
    "NOTE_BLOCKS": f"a note up to {limits.NOTE_BLOCKS} blocks",
    "NOTE_CHARS": f"and {limits.NOTE_CHARS:,} characters of text",
    "NOTE_CAPTION_CHARS": f"`after_caption`: up to {limits.NOTE_CAPTION_CHARS} characters",
    "NOTE_MESSAGES": f"`messages` (up to {limits.NOTE_MESSAGES} at once",
    "NOTE_COPIES": f"with up to {limits.NOTE_COPIES} photos and files, error 4035)",
    "BODY_BYTES": f"at most {limits.BODY_BYTES // MIB} MiB, within",
    "PHOTO_BYTES": f"HEIC; up to {limits.PHOTO_BYTES // MIB} MiB",
    "IDEMPOTENCY_KEPT": f"gives the first answer again for {limits.IDEMPOTENCY_KEPT // HOUR} hours",
    "ACCESS_LIVES": f"Access tokens live {limits.ACCESS_LIVES // MINUTE} minutes",
    "REFRESH_LIVES": f"refresh tokens {limits.REFRESH_LIVES // DAY} days",
    "REFRESH_REPEATED": f"gives the same session again, for {limits.REFRESH_REPEATED // MINUTE} minutes",
    "FLOW_LIVES": f"A flow lives {limits.FLOW_LIVES // MINUTE} minutes",
    "FAILURE_WINDOW": f"{limits.FAILURE_WINDOW // MINUTE} minutes give error 1002",
    "FAILURES_PER_ACCOUNT": f"{limits.FAILURES_PER_ACCOUNT} failures for an account",
    "FAILURES_PER_ADDRESS": f"or {limits.FAILURES_PER_ADDRESS} from one address",
    "PUSH_RENEWALS": f"moves its own device's pushes up to {limits.PUSH_RENEWALS} times within",
    "PUSH_RENEWALS_MISSED": f"one address may try up to {limits.PUSH_RENEWALS_MISSED} secrets",
    "PASSWORD_CHARS": f"a password has at least {limits.PASSWORD_CHARS} characters",
    "FILES": f"photos and files together up to {limits.FILES}",
    "FILE_BYTES": f"(bytes, up to {limits.FILE_BYTES // 1024 // MIB} GiB",
    "UPLOADS": f"A person has up to {limits.UPLOADS} uploads under way",
    "LINKS": f"A room has up to {limits.LINKS} links that are good",
    "LINK_LIVES": f"`ends` at most {limits.LINK_LIVES // DAY} days ahead",
    "LINK_FILES": f"`most_files` is up to {limits.LINK_FILES}",
    "LINK_TRIES": f"up to {limits.LINK_TRIES} times `most_files` in all",
    "LINK_BYTES": f"`most_bytes` (of all files together) up to {limits.LINK_BYTES // 1024 // MIB} GiB",
    "LINK_TOLD": f"`told`: up to {limits.LINK_TOLD} members of the room",
    "LINK_WORDS_CHARS": f"other words up to {limits.LINK_WORDS_CHARS}",
    "LINK_PIN_MISSES": f"{limits.LINK_PIN_MISSES} wrong PINs within",
    "FLATTENINGS_WAITING": f"error 8005 beyond {limits.FLATTENINGS_WAITING} that one waits for",
    "TAKEOUTS_WAITING": f"8005 beyond {limits.TAKEOUTS_WAITING} files that one waits to take out",
    "TAKEOUT_ASKED": f"asked (for up to {limits.TAKEOUT_ASKED // DAY} days)",
    "TAKEOUT_APPROVED": f"approved (then it has addresses, for {limits.TAKEOUT_APPROVED // HOUR} hours)",
    "LINK_VISITS": f"a link gives up to {limits.LINK_VISITS} visits",
    "LINKS_MISSED": f"one address may try up to {limits.LINKS_MISSED} links",
    "VISIT_LIVES": f"A visit lives {limits.VISIT_LIVES // HOUR} hours after its last use",
    "UPLOAD_LIVES": f"nothing was added to for {limits.UPLOAD_LIVES // DAY} days is removed",
    "UNSENT_KEPT": f"not sent within {limits.UNSENT_KEPT // DAY} days is removed",
    "ADDRESS_STEP": f"for {limits.ADDRESS_STEP // MINUTE}–{2 * limits.ADDRESS_STEP // MINUTE} minutes",
}
"""Name in `limits` -> how the page says it."""

UNITS: Final = {"SECOND", "MINUTE", "HOUR", "DAY"}


@pytest.mark.parametrize("name", sorted(name for name in vars(limits) if name.isupper() and name not in UNITS))
def test_a_limit_is_on_the_page(name: str) -> None:
    assert SENTENCES[name] in PROTOCOL


def test_the_numbers_that_stand_elsewhere_are_those_of_the_page() -> None:
    server = serving._config(_nothing)
    for sentence in (
        f"The server sends WebSocket pings every {server.ws_ping_interval:.0f} s",
        f"whose pong is missing for {server.ws_ping_timeout:.0f} s",
        f"MiB, within {body.WHOLE_SECONDS} s; a photo may take longer, as long as {body.BYTES_A_SECOND // KIB} KiB a second",
        f"no body pauses for {body.PAUSE_SECONDS} s",
        f"waits for its answer, {inflight.WAIT_SECONDS} s at most",
        f"`{{ids: [1–{attachments._IDS_AT_ONCE}]}}`",
        f"a WebP of up to {rules.THUMBNAIL_EDGE} pixels a side, `preview` a JPEG of up to {rules.PREVIEW_EDGE:,}",
        f"`pages` holds the addresses of the first pages' pictures in order (up to {PAGES}, the first one included)",
        f"its text in UTF-8, up to {TEXT_BYTES // MIB} MiB",
        f"with at most {_most(commands.Resume, 'rooms'):,} rooms",
    ):
        assert sentence in PROTOCOL


def _most(command: Any, field: str) -> int:
    """The most items that a field of a command takes."""
    (meta,) = typing.get_type_hints(command, include_extras=True)[field].__metadata__
    return int(meta.max_length)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("not called")
