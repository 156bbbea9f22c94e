"""A mail (RFC 5322, MIME) as the files that are in it: its words as a text, and its attachments, for each to be sanitized by itself.

Of a body that is HTML alone only the words are kept: nothing of it is fetched, shown or followed. Runs confined, as `archive` does, and
writes the files one after another.
"""

from __future__ import annotations

import email
import email.errors
import email.policy
from email.message import EmailMessage
from typing import IO, Final

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing import names
from chat_server.sanitizing.order import BYTES, FILES, Member
from chat_server.sanitizing.rebuild.html import words

BODY: Final = "本文.txt"
_SHOWN: Final = (("Subject", "件名"), ("From", "差出人"), ("To", "宛先"), ("Cc", "写し"), ("Date", "日時"))
_PARTS: Final = 500
_MAIL_BYTES: Final = 256 << 20


def unpack(source: IO[bytes], target: IO[bytes]) -> list[Member]:
    """Write the files to `target`, in the order of the answer. Raises `Refused`: "broken", "too_large", "too_many", "empty"."""
    source.seek(0)
    data = source.read(_MAIL_BYTES + 1)
    if len(data) > _MAIL_BYTES:
        raise Refused("too_large")
    try:
        mail = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        files = [(BODY, _words(mail).encode()), *_attached(mail)]
    except Refused:
        raise
    except (email.errors.MessageError, LookupError, ValueError, AttributeError, TypeError, IndexError, RecursionError):
        # the parser trips over headers of a stranger's choice in ways of its own
        raise Refused("broken") from None
    if not any(name for name in ("Subject", "From", "Date") if mail[name]):
        raise Refused("broken")
    return written(files, target)


def written(files: list[tuple[str, bytes]], target: IO[bytes]) -> list[Member]:
    """Each under a name of its own. Raises `Refused`."""
    if len(files) > FILES:
        raise Refused("too_many")
    if sum(len(content) for _, content in files) > BYTES:
        raise Refused("too_large")
    taken: set[str] = set()
    found = []
    for name, content in files:
        path = names.free(names.file_name(name), taken)
        target.write(content)
        found.append(Member(path, len(content)))
    return found


def _words(mail: EmailMessage) -> str:
    """Who wrote what to whom, as it would be printed."""
    lines = [f"{label}: {' '.join(str(mail[name]).split())}" for name, label in _SHOWN if mail[name]]
    body = mail.get_body(preferencelist=("plain", "html"))
    said = ""
    if body is not None:
        said = body.get_content() if body.get_content_maintype() == "text" else ""
        if body.get_content_subtype() == "html":
            said = words(said)[0]
    return "\n".join([*lines, "", said])


def _attached(mail: EmailMessage) -> list[tuple[str, bytes]]:
    found = []
    for number, part in enumerate(mail.iter_attachments(), 1):
        if number > _PARTS:
            raise Refused("too_many")
        content = part.get_content()
        if isinstance(content, EmailMessage):
            content = content.as_bytes()
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes):
            raise Refused("broken")
        name = part.get_filename() or (
            f"添付{number}.eml" if part.get_content_type() == "message/rfc822" else f"添付{number}"
        )
        found.append((name, content))
    return found
