"""The interfaces that the services need. Adapters implement them; `app.py` alone knows which.

A port states its MUSTs. Everything here is structural (`typing.Protocol`): an adapter imports nothing from here
but the plain records.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from chat_server.domain.printed import Job

Row = Sequence[Any]
Value = str | int | float | bytes | None
T = TypeVar("T")


class Reader(Protocol):
    """One consistent view of the database: SELECT only. SQL is the dialect both engines share, `?` for parameters."""

    now: int
    """UTC milliseconds, the same for the whole view or use case."""

    async def one(self, sql: str, *values: Value) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        """Every row."""
        ...


class Tx(Reader, Protocol):
    """One transaction of one use case.

    A use case awaits nothing but its `Tx`: on SQLite a thread without an event loop drives it (see
    `storage/sqlite/writer.py`). What is emitted MUST reach the hub only after the commit.
    """

    async def run(self, sql: str, *values: Value) -> int:
        """Execute; answers the number of rows changed."""
        ...

    def emit(self, note: object) -> None:
        """Hand `note` (an event of `domain.events`) to the hub after the commit; dropped if the use case fails."""
        ...


class Storage(Protocol):
    """The database. MUST answer `write` only after the commit is on disk."""

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        """Run a reading use case on one consistent view."""
        ...

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        """Run a writing use case in its own transaction (or savepoint). `org_id` is whose turn it takes.

        Raises: whatever the use case raised (nothing is then left of it), `domain.errors.Problem` 8xxx when the
        disk is full or the database is busy, 9002 when it failed: the process stops, restarts and recovers.
        """
        ...


class AnyStorage(Storage, Protocol):
    """What the composition root holds: an engine."""

    on_notes: Callable[[list[Any]], None]
    """gets what committed transactions emitted, on the event loop, in the order of their commits"""
    engine: str
    """sqlite, postgresql"""

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """`write` without a future, for the way of one message; `on_done(result, error)` comes on the event loop."""
        ...

    async def close(self) -> None:
        """Commit and answer what was submitted, then let go of the database and of the data folder."""
        ...


class Leadership(Protocol):
    """What must run once, though several processes serve one database."""

    leads: bool
    """whether this process does it at the moment"""

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: run `work` whenever this process leads. MUST cancel it as soon as it cannot be sure to lead
        any more, and wait for its end before another process may begin; `work` is safe to do twice all the same."""
        ...


class Bus(Protocol):
    """Short items between the processes of one server: hints to look, and what is never stored (typing, presence).

    An item may be lost, doubled, late; it is never the truth. MUST: `publish` neither waits nor raises because of the
    other side, and a bus that is cut loses items rather than hold anybody up. MUST: a cut line is made again by itself,
    and `joined` tells of it, because what was said meanwhile is lost. MUST: one's own items do not come back.
    """

    heard: Callable[[bytes], None]
    """called on the event loop with each item of the other processes, in each one's order"""
    joined: Callable[[], None]
    """called on the event loop whenever the line stands (again)"""

    @property
    def state(self) -> str:
        """connected, or cut"""
        ...

    async def start(self) -> None:
        """Begin; does not wait for the other side."""
        ...

    def publish(self, item: bytes) -> None:
        """Tell every other process; `item` is one line of at most `ITEM_BYTES`. Raises `ValueError` for another."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


ITEM_BYTES: Final = 7_000
"""Of an item for the bus: with its envelope it fits into one notification of PostgreSQL (8 kB)."""


class Clock(Protocol):
    """Time, so that tests may own it."""

    def now(self) -> int:
        """UTC milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are safe on disk: addressed by organization and content."""

    sha256: str
    size: int


class Incoming(Protocol):
    """Bytes on their way in: hashed while they are written to a temporary file."""

    path: Path
    size: int

    async def write(self, chunk: bytes) -> None:
        """Append. Raises `Problem` 8002 (disk full), 9002 (disk failed); the temporary file is then gone."""
        ...

    async def flush(self) -> None:
        """Put everything so far into the file at `path`, for whoever reads it before it is kept. Raises as `write`."""
        ...

    async def discard(self) -> None:
        """Remove the temporary file. Safe to call twice and after `keep`."""
        ...


class Opened(Protocol):
    """A blob to read from. What another one removes meanwhile MUST either stay readable or end in an error: never in
    other bytes."""

    @property
    def size(self) -> int:
        """in bytes"""
        ...

    def pieces(self, first: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `first` on, in pieces of at most 1 MiB that are read as they are taken, off the event loop.
        Raises `Problem` 8xxx, 9002 and OSError."""
        ...


class Part(Protocol):
    """An unfinished upload, held: nobody else, at no node, writes to it meanwhile."""

    @property
    def size(self) -> int:
        """Bytes so far; after `flush` and at the beginning they are all safe."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Append. Raises `Problem` 8xxx, 9002; what was safe stays safe."""
        ...

    async def flush(self) -> None:
        """MUST make everything so far outlive a loss of power before it answers. Raises as `write`."""
        ...

    async def cut(self, size: int) -> None:
        """Back to `size`, which is not below what it was at the beginning: what came with a wrong checksum."""
        ...

    async def keep(self, org_id: int) -> Blob:
        """Make it a blob, like `BlobStore.keep`. Where its bytes came through several processes they are read again for
        their hash. Raises as `write`; then it is as it was.

        The unfinished upload stays, whole, until it is discarded: that is for after the commit of the row. Whoever is
        killed in between lost nothing; the next one keeps it again."""
        ...

    async def discard(self) -> None:
        """Remove it; missing is fine."""
        ...


BLOB_YOUNG: Final = 60 * 60 * 1000
"""Milliseconds. Bytes without a row may belong to an upload under way for this long after they were kept."""


SCRATCH: Final = "photo-"
"""How the name begins of every folder in which something is decoded or made, whatever it is: by it a killed server's leftovers
are known (`scratch.clear_scratch`)."""


class NotePress(Protocol):
    """Makes documents of notes."""

    async def print(self, job: Job, pictures: Sequence[Path]) -> bytes:
        """A PDF. `pictures`: files that stay meanwhile, by their number in the job.

        Raises `Problem` 8008 (too many before one), 4038 (too long for it), 4039 (the machine lacks what it needs)."""
        ...

    async def pack(self, target: Path, texts: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
        """A ZIP at `target` with all of these by their names, and the SHA-256 of each. Raises `Problem` 8008, 8002, 4040 (too
        large)."""
        ...


class Seals(Protocol):
    """Encrypting bytes that nothing but their own way out may read. Everything here blocks."""

    def seal(self, secret: bytes, source: Path, write: Callable[[bytes], None]) -> None:
        """Encrypt the file, in pieces, to the key of these 32 bytes. Raises OSError, and what `write` raises."""
        ...

    def open(self, secret: bytes, source: Path, target: Path) -> str:
        """Decrypt into a new file; answers the SHA-256 of what is in it. Raises OSError; `SealBroken` where it is not what was
        sealed to this key."""
        ...


class SealBroken(Exception):
    """The bytes are not what was sealed, or were sealed to another key."""


@dataclass(frozen=True, slots=True)
class Disarmed:
    """What became of a stranger's file. `report`: JSON of `sanitizing.report.Report`. `output`: the rebuilt file and its name;
    None: it was refused. `page`: a page that shows a drawing, under its name."""

    report: bytes
    output: Path | None
    name: str
    page: Path | None = None


class Sanitizer(Protocol):
    """Takes strangers' files apart and rebuilds them, in confined processes off the event loop."""

    @property
    def possible(self) -> bool:
        """Whether this machine can confine them at all; where not, every file is refused."""
        ...

    async def sanitize(
        self, source: Path, name: str, out: Path, formats: Mapping[str, str], unasked: Collection[str], *, scanned: bool
    ) -> Disarmed:
        """Rebuild `source`, which came under `name`, into the existing folder `out`. `formats`: rebuild, flatten or refuse, by the
        kinds of `sanitizing.kinds`; `unasked`: kinds that are refused because nobody asked for them; `scanned`: so is what no virus scanner
        has looked at.

        MUST: whatever goes wrong is a refusal, or one of these: `Problem` 8002 (disk full), 8003 (nobody had time; try again),
        OSError where `source` cannot be read.
        """
        ...


class BlobStore(Protocol):
    """Attachment bytes by (organization, sha256).

    `keep` MUST fsync the file, rename it and fsync its folder before it answers, so that a database row written
    afterwards never dangles. An orphan may exist; the sweeper (`workers/file_sweeper.py`) removes it.
    """

    def receive(self) -> Incoming:
        """A new temporary file."""
        ...

    async def keep(self, org_id: int, incoming: Incoming) -> Blob:
        """Make it permanent. Keeping the same bytes twice is one blob. Raises `Problem` 8002, 9002."""
        ...

    async def keep_bytes(self, org_id: int, data: bytes) -> Blob:
        """The same for bytes in memory."""
        ...

    def open(self, org_id: int, sha256: str) -> AbstractAsyncContextManager[Opened]:
        """For sending. Raises FileNotFoundError where the bytes are not there, ValueError on what is no SHA-256,
        `Problem` 8xxx where they cannot be asked for."""
        ...

    def local(self, org_id: int, sha256: str) -> AbstractAsyncContextManager[Path]:
        """A file with these bytes, to be read alone, while the context lasts: for decoders. Raises as `open`."""
        ...

    def unfinished(self, upload_id: str) -> AbstractAsyncContextManager[Part]:
        """Hold an upload that comes in parts, empty where nothing came yet. At the end of the context what was not flushed
        is lost. `upload_id`: 16 to 64 characters of a–z and 0–9.

        Raises `Problem` 8006 while somebody else holds it, at any node; 8xxx, 9002; ValueError on another id.
        """
        ...

    async def unfinished_old(self) -> list[str]:
        """Unfinished uploads to which nothing was added for `BLOB_YOUNG`, for whoever knows which are still wanted."""
        ...

    async def delete(self, org_id: int, sha256: str) -> None:
        """Remove; missing is fine."""
        ...

    async def sweep(self, older_than_ms: int) -> int:
        """Remove what interrupted uploads left, untouched for that long; MUST spare those under way. Answers how many."""
        ...

    def old(self) -> AsyncIterator[tuple[int, list[str]]]:
        """(organization, SHA-256s) of blobs that were last kept over `BLOB_YOUNG` ago, in pieces."""
        ...

    async def remove_old(self, org_id: int, sha256s: Sequence[str]) -> int:
        """Remove those of them that are still old: one that was kept in the last hour MUST be spared, whatever the
        clock on the wall says, and one that is kept at this very moment MUST be there afterwards. Answers how many."""
        ...

    async def close(self) -> None:
        """Wait for what is being written; let go of everything."""
        ...


@dataclass(frozen=True, slots=True)
class Derived:
    """One rendition made from a photo or a document: its bytes lie in `path` until they are kept."""

    kind: str
    """sanitized, preview (preview-2 and so on: further pages), thumbnail or text"""
    path: Path
    media_type: str
    width: int
    height: int
    """0 each for what is no picture"""
    size: int


@dataclass(frozen=True, slots=True)
class Photo:
    """What a decoder found in a photo, and what it made of it."""

    media_type: str
    """of the received bytes, decided by their content"""
    width: int
    height: int
    """upright: after the orientation is baked in"""
    color: str
    """average colour, #rrggbb, shown while the thumbnail loads"""
    taken_at: int | None
    """UTC milliseconds; a capture time without an offset is taken as Asia/Tokyo"""
    latitude: float | None
    longitude: float | None
    renditions: tuple[Derived, ...]


class Photos(Protocol):
    """Decoding, in limited processes off the event loop."""

    async def prepare(self, source: Path, out: Path) -> Photo:
        """Decode `source`, write the renditions into the existing folder `out`.

        Raises `domain.errors.Problem` 5002 (not a photo of an allowed format, by content), 5003 (broken or
        truncated), 5004 (over the pixel limit), 8003 (decoders busy or died; try again).
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """What was made of a document."""

    renditions: tuple[Derived, ...]
    failed: Mapping[str, str]
    """Why there is no rendition of a kind. broken, encrypted, not_text, too_large, empty: the file's own fault; crashed:
    it broke its decoder; no_helper: nothing here can read its format."""
    pages: int | None
    """how many it has, where that is known"""
    color: str | None
    """average colour of the first page, #rrggbb"""


class Documents(Protocol):
    """Pictures and text of documents, made in limited processes off the event loop."""

    async def prepare(self, source: Path, out: Path, media_type: str) -> Document:
        """Write what can be made of `source` into the existing folder `out`; every kind of
        `domain.previews.expected(media_type)` is then among the renditions or among the failed.

        Raises `domain.errors.Problem` 8002 (disk full), 8003 (decoders busy or died; try again).
        """
        ...


class Passwords(Protocol):
    """Slow hashes, computed off the event loop on a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """A hash with a salt of its own and today's parameters. Raises `Problem` 8001 if too many wait already."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one that was hashed. None (nobody, or no password): MUST take as long as for a
        hash of today's parameters, then answer False. Raises `Problem` 8001 if too many wait already."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        ...


class Webhooks(Protocol):
    """Telling other systems, over the network."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answers once the other side has taken it (2xx).

        MUST: send nothing to a host that the operator has not listed, nor to an address that `domain.webhooks.Hosts`
        refuses, whatever names resolve to in whatever moment; verify TLS for the name in `url`; follow no redirect; use
        no proxy; take at most ten seconds and a few kilobytes of answer. Raises `Problem` 7004, 7010–7015, nothing else.
        """
        ...

    async def close(self) -> None: ...


PARTS: Final = 256
"""Numbers of one message's texts in the index: `Text.id` is the message's key × this + which of them."""


NOTE_KEYS: Final = 1 << 40
"""A note's key in the index is its own and this: notes stand above all messages."""
MESSAGES, NOTES = "messages", "notes"
"""What the index takes in, each up to a position of its own."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something that can be found: one text, where it stands, and what narrows a search to it.

    `id`: newer texts have larger ones, and those of one message are neighbours (`services.indexing`). `kind`: message,
    photo, file (by its name), document (by its text), note. `text`: folded, see `domain.folding`.
    """

    id: int
    room_id: int
    seq: int
    author_id: int
    department: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Sought:
    """A question to the index. `words`: folded, all of them in one text. `rooms`: those that the seeker is in.
    `above` ≤ id < `below`."""

    words: Sequence[str]
    rooms: Sequence[int]
    kinds: Sequence[str]
    author_id: int | None
    department: str | None
    above: int
    below: int
    limit: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate: what the seeker may see of it, the caller decides."""

    id: int
    room_id: int
    seq: int


class SearchIndex(Protocol):
    """Grams of everything that was said, beside the database: never the truth, and made anew from it when it is lost.

    MUST: `find` answers every text that holds all of the words in its folded form, as a plain scan would.
    """

    async def belong(self, epoch: str) -> None:
        """Of another generation of the streams, after a restore, nothing stays: there, other messages have these keys."""
        ...

    async def position(self, of: str = MESSAGES) -> int:
        """Up to where the index has come, by `messages.id` or `note_versions.id`; 0: nothing is in it."""
        ...

    async def replace(self, keys: Sequence[int], texts: Sequence[Text], position: int, of: str = MESSAGES) -> None:
        """What there was of the messages and notes with these keys goes, `texts` come, and the position is kept, all in one
        step."""
        ...

    async def find(self, sought: Sought) -> list[Hit]:
        """The newest first."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PushEntry:
    """What became of one push to one device. `device_id`: integer key. `kind`: ring, badge, clear. `why`: `domain.push.Why`.
    `state`: waiting, sending, accepted, invalid, refused, given_up, replaced, read, no_device, withdrawn. Times: UTC ms."""

    id: str
    device_id: int
    lane: str
    kind: str
    why: str
    state: str
    tries: int
    answer: str
    receipt: str
    created_at: int
    tried_at: int | None
    due_at: int | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class PushDecided:
    """What was decided about a message for one person: `why` they were not rung, empty where they were; and for each of their
    devices what became of it. `at`: UTC ms."""

    at: int
    why: str
    entries: Sequence[PushEntry]


class PushRecord(Protocol):
    """The ledger of pushes, as those see it who ask why something did not ring."""

    async def decided(self, message_id: int, user_id: int) -> PushDecided | None:
        """None: the message has not been handed over, or so long ago that it is forgotten. Raises OSError."""
        ...

    async def waiting(self) -> tuple[int, int | None]:
        """How much is still to be carried, and when the oldest of it was handed over (UTC ms). Raises OSError."""
        ...
