"""A mail of Outlook (.msg, MS-OXMSG) as the files that are in it, as `mail` does with others.

Its properties are streams of a compound file, named by their number and type (MS-OXPROPS). Mails within it come out as texts, with their
own attachments beside them.
"""

from __future__ import annotations

from typing import IO, Final

import olefile

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Member
from chat_server.sanitizing.rebuild.html import words
from chat_server.sanitizing.rebuild.mail import BODY, written

_SHOWN: Final = (("0037", "件名"), ("0C1A", "差出人"), ("0E04", "宛先"), ("0E03", "写し"))
_BODY, _HTML, _DATA, _INNER = "1000", "1013", "3701", "3701000D"
_NAMES: Final = ("3707", "3704", "3001")
_ATTACHED: Final = "__attach_version1.0_#"
_STREAM: Final = "__substg1.0_"
_DEPTH: Final = 3
_STREAM_BYTES: Final = 256 << 20

Path = tuple[str, ...]


def unpack(source: IO[bytes], target: IO[bytes]) -> list[Member]:
    """Write the files to `target`, in the order of the answer. Raises `Refused`: "broken", "too_large", "too_many", "too_deep"."""
    source.seek(0)
    try:
        with olefile.OleFileIO(source) as container:
            files = _Mail(container).files((), BODY, 0)
    except Refused:
        raise
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("broken") from None
    return written(files, target)


class _Mail:
    def __init__(self, container: olefile.OleFileIO) -> None:
        self._container = container
        self._streams = {tuple(path) for path in container.listdir(streams=True, storages=False)}

    def files(self, within: Path, name: str, depth: int) -> list[tuple[str, bytes]]:
        """The words of the mail `within` under `name`, and what is attached to it."""
        if depth > _DEPTH:
            raise Refused("too_deep")
        said = [f"{label}: {' '.join(text.split())}" for key, label in _SHOWN if (text := self._text(within, key))]
        body = self._text(within, _BODY)
        if not body and (html := self._bytes(within, f"{_HTML}0102") or self._text(within, _HTML).encode()):
            body = words(html.decode("utf-8", "replace"))[0]
        if not said and not body:
            raise Refused("broken")
        found = [(name, "\n".join([*said, "", body]).encode())]
        for number, attached in enumerate(self._attached(within), 1):
            inner = (*attached, f"{_STREAM}{_INNER}")
            if any(path[: len(inner)] == inner for path in self._streams):
                found += self.files(inner, f"添付{number}.txt", depth + 1)
            else:
                called = next((text for key in _NAMES if (text := self._text(attached, key))), f"添付{number}")
                found.append((called, self._bytes(attached, f"{_DATA}0102")))
        return found

    def _attached(self, within: Path) -> list[Path]:
        at = len(within)
        names = {path[at] for path in self._streams if len(path) > at + 1 and path[:at] == within}
        return [(*within, name) for name in sorted(names) if name.startswith(_ATTACHED)]

    def _text(self, within: Path, key: str) -> str:
        """Unicode, or what a Japanese Windows wrote before that."""
        wide = self._bytes(within, f"{key}001F")
        text = (
            wide.decode("utf-16-le", "replace")
            if wide
            else self._bytes(within, f"{key}001E").decode("cp932", "replace")
        )
        return text.rstrip("\0")

    def _bytes(self, within: Path, name: str) -> bytes:
        path = (*within, f"{_STREAM}{name}")
        if path not in self._streams:
            return b""
        if self._container.get_size(list(path)) > _STREAM_BYTES:
            raise Refused("too_large")
        data: bytes = self._container.openstream(list(path)).read()
        return data
