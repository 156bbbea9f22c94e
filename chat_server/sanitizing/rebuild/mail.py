"""A mail (RFC 5322, MIME) as the files that are in it: its words as a text, and its attachments, for each to be sanitized by itself.

Of a body that is HTML alone only the words are kept: nothing of it is fetched, shown or followed. Runs confined, as `archive` does, and
writes the files one after another.
"""

from __future__ import annotations

import email
import email.errors
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, Message
from typing import IO, Final

from chat_server.decoders.outcome import Refused
from chat_server.documents import plain
from chat_server.sanitizing import names
from chat_server.sanitizing.order import BYTES, FILES, Member
from chat_server.sanitizing.rebuild.html import words

BODY: Final = "本文.txt"
_SHOWN: Final = (("Subject", "件名"), ("From", "差出人"), ("To", "宛先"), ("Cc", "写し"), ("Date", "日時"))
_PARTS: Final = 500
_BODIES: Final = ("text/plain", "text/html")
_JAPANESE: Final = dict.fromkeys(
    ("shift_jis", "shift-jis", "x-sjis", "sjis", "windows-31j", "ms_kanji", "cp932"), "cp932"
)
"""Names under which mails are written in what Windows calls Shift_JIS, with its circled numbers."""
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
        body = mail.get_body(preferencelist=("plain", "html"))
        assert body is None or isinstance(body, EmailMessage)
        files = [(BODY, _words(mail, body).encode()), *_attached(mail, body)]
    except Refused:
        raise
    except (
        email.errors.MessageError,
        LookupError,
        ValueError,
        AttributeError,
        TypeError,
        IndexError,
        AssertionError,
        RecursionError,
    ):
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


def _words(mail: EmailMessage, body: EmailMessage | None) -> str:
    """Who wrote what to whom, as it would be printed."""
    lines = [f"{label}: {' '.join(str(mail[name]).split())}" for name, label in _SHOWN if mail[name]]
    said = "" if body is None else _text(body)
    if body is not None and body.get_content_subtype() == "html":
        said = words(said)[0]
    return "\n".join([*lines, "", said])


def _text(part: EmailMessage) -> str:
    """In the encoding that it names, if it fits; else in the one that it is in."""
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    named = part.get_content_charset() or ""
    for encoding in (_JAPANESE.get(named, named), "iso2022_jp_ext" if named.startswith("iso-2022-jp") else ""):
        try:
            return data.decode(encoding) if encoding else plain.read(data)[0]
        except (UnicodeDecodeError, LookupError):
            continue
        except Refused:
            break
    # it is said by the characters themselves, which stand in for what cannot be read
    return data.decode("cp932", "replace")


def _attached(mail: EmailMessage, body: EmailMessage | None) -> list[tuple[str, bytes]]:
    """Every part that has bytes and is not the body or another form of it, however it is called and wherever it stands."""
    found: list[tuple[str, bytes]] = []
    for number, part in enumerate(_leaves(mail), 1):
        if number > _PARTS:
            raise Refused("too_many")
        assert isinstance(part, EmailMessage)
        if part is body or (
            part.get_filename() is None and part.get_content_type() in _BODIES and not part.is_attachment()
        ):
            continue
        inner = part.get_content_type() == "message/rfc822"
        content = _mail_in(part) if inner else part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise Refused("broken")
        found.append((part.get_filename() or f"添付{len(found) + 1}{'.eml' if inner else ''}", content))
    return found


def _mail_in(part: Message) -> bytes | None:
    payload = part.get_payload()
    first = payload[0] if isinstance(payload, list) and payload else None
    return first.as_bytes() if isinstance(first, Message) else None


def _leaves(part: Message) -> Iterator[Message]:
    """A mail within the mail is one."""
    payload = part.get_payload()
    if part.get_content_maintype() != "multipart" or not isinstance(payload, list):
        yield part
        return
    for inner in payload:
        assert isinstance(inner, Message)
        yield from _leaves(inner)
