"""The demonstration's data files, read strictly: what a file may say stands here and nowhere else.

People are written as their login; those of the neighbouring town as `kazamihara:takagi`. Lists of people and photos
are words with spaces between. In a text, `<@tanaka>`, `<@d:3010>` (a department's code) and `<@everyone>` are mentions,
and `{2日前}` and its like are dates (`dates.Calendar.fill`).
"""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from chat_server.demo.dates import Calendar, Kind

DATA: Final = Path(__file__).parent / "data"
T = TypeVar("T")


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Edited(_Strict, frozen=True):
    """`text` of the message is what it says now; `was` is what was sent, changed `after` minutes."""

    after: int
    was: str


class Later(_Strict, frozen=True):
    """Something done `after` minutes, by `by` (the author, if absent)."""

    after: int
    by: str | None = None


class Spoken(_Strict, frozen=True):
    """One message. `react`: a word of `REACTIONS`, or the reaction itself, and who gives it."""

    at: str
    by: str
    text: str = ""
    id: str | None = None
    photos: str = ""
    quote: str | None = None
    react: dict[str, str] = {}
    edited: Edited | None = None
    redacted: Later | None = None
    cancelled: Later | None = None
    pin: Later | None = None
    bookmark: str = ""


class Join(_Strict, frozen=True):
    at: str
    who: str
    by: str


class Day(_Strict, frozen=True):
    ago: int
    messages: list[Spoken]
    joins: list[Join] = []


class Room(_Strict, frozen=True):
    """A room. `created`: days before day 0. `unread`: for how many messages somebody's read marker is behind.

    Of the others, `read_share` per cent have read everything.
    """

    kind: Literal["private", "open", "announcement", "direct", "memo"]
    calendar: Kind
    created: int
    day: list[Day]
    name: str = ""
    topic: str = ""
    reading: str = ""
    history: Literal["all", "joined"] = "all"
    home: str = "midorino"
    shared_with: str | None = None
    owners: str = ""
    members: str = ""
    everyone: bool = False
    involvement: dict[Literal["nothing", "mentions"], str] = {}
    unread: dict[str, int] = {}
    read_share: int = 85
    archived_after: int | None = None
    """hours after the last message"""


class _Rooms(_Strict, frozen=True):
    room: list[Room]


class Guest(_Strict, frozen=True):
    login: str
    name: str
    reading: str
    sponsor: str
    last_day: str


class Organization(_Strict, frozen=True):
    code: str
    name: str
    administrator: str
    roles: dict[str, str]
    guest: list[Guest] = []


class SignIn(_Strict, frozen=True):
    """Somebody of the city who has a password: one of the people whom `make run` names, or a colleague."""

    who: str
    login: str


class Cast(_Strict, frozen=True):
    """Who takes part."""

    password: str
    organization: list[Organization]
    sign_in: list[SignIn]


class Manner(_Strict, frozen=True):
    """What a colleague does with a message that has one of `words` (none: with any), or with photos.

    `react`: a word of `REACTIONS`. One of `texts` is the answer.
    """

    react: Literal["ack", "seen", "act", "thanks"]
    texts: list[str]
    words: str = ""
    photos: bool = False

    def fits(self, text: str, photos: bool) -> bool:
        """Whether it is for such a message."""
        if self.photos:
            return photos
        return not self.words or any(word in text.lower() for word in self.words.split())


class Roadside(_Strict, frozen=True):
    """The photo that arrives while somebody looks on."""

    by: str
    room: str
    photo: str
    text: str


class Office(_Strict, frozen=True):
    """Who is at work while the demonstration runs. The last of `manner` fits every message."""

    colleague: list[SignIn]
    manner: list[Manner]
    roadside: Roadside

    def taking(self, text: str, photos: bool) -> Manner:
        """How a message with `text`, with or without photos, is taken."""
        return next(manner for manner in self.manner if manner.fits(text, photos))


REACTIONS: Final = {
    "ack": "承知しました",
    "seen": "確認しました",
    "act": "対応します",
    "thanks": "ありがとうございます",
}


@cache
def cast() -> Cast:
    """The organizations, their guests and roles, and the sign-ins."""
    return _read(DATA / "organizations.toml", Cast)


@cache
def office() -> Office:
    """The colleagues and their manners."""
    return _read(DATA / "colleagues.toml", Office)


@cache
def rooms() -> tuple[Room, ...]:
    """Every room, in the order of the files' names."""
    found: list[Room] = []
    for path in sorted((DATA / "rooms").glob("*.toml")):
        if "[[room]]" in path.read_text(encoding="utf-8"):
            found += _read(path, _Rooms).room
        else:
            found.append(_read(path, Room))
    return tuple(found)


def staff(organization: str, calendar: Calendar) -> list[dict[str, str]]:
    """The staff file's rows (docs/staff-csv.md) with their days filled in. What begins later than today is left out."""
    text = (DATA / f"{organization}.csv").read_text(encoding="utf-8")
    found = []
    for row in csv.DictReader(io.StringIO(text)):
        first = calendar.fiscal_date(row["開始日"])
        if first > calendar.today:
            continue
        last = calendar.fiscal_date(row["終了日"]).isoformat() if row["終了日"] else ""
        found.append({**row, "開始日": first.isoformat(), "終了日": last})
    return found


def staff_file(organization: str, calendar: Calendar) -> bytes:
    """The same as the file that `renraku import-staff` reads."""
    rows = staff(organization, calendar)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path.name}: {error}") from None
