"""What the routes are built on. `app.py` fills it; nothing here looks for anything by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry

from chat_server.bot_api import Offer
from chat_server.domain.actors import Actor
from chat_server.domain.webhooks import Hosts
from chat_server.http.inflight import InFlight
from chat_server.http.peer import Network
from chat_server.http.uploading import Uploading
from chat_server.ports import BlobStore, Clock, NotePress, Passwords, Photos, PushRecord, Seals, SearchIndex, Storage
from chat_server.services.keys import Keys
from chat_server.services.sign_in import SignIn
from chat_server.services.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Site:
    """How the server is reached.

    `names`: host names besides literal addresses and localhost, lower case. `trusted_proxies`: networks whose
    `X-Forwarded-For` is believed. `https`: all of it is served over TLS (by a proxy or by us). `outside`: the origin by which people
    outside reach it, empty: by the same as staff.
    """

    names: frozenset[str] = frozenset()
    trusted_proxies: Sequence[Network] = ()
    https: bool = False
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a handler may need.

    `trust`: rank of a zone, -1 for an unknown one; `most_trusted`: the zone of the highest; `zones`: all, the least trusted
    first. `scratch`: a folder for decoders on the disk of the blobs. `web`:
    the built client. `webhook_hosts`: where webhooks may go. `draining`: the server is about to stop. `bus`: connected, cut, or none.
    `seals`: for the quarantine; `sanitizing`: strangers' files can be taken apart here, and may come in. `offers`: what people may ask of a bot, by the name of its folder.
    `pushes`: what became of them, None where nobody is pushed.
    """

    storage: Storage
    blobs: BlobStore
    index: SearchIndex
    photos: Photos
    passwords: Passwords
    clock: Clock
    press: NotePress
    keys: Keys
    tokens: Tokens
    sign_in: SignIn
    trust: Callable[[str], int]
    most_trusted: str
    zones: Sequence[str]
    site: Site
    data: Path
    scratch: Path
    web: Path
    version: str
    webhook_hosts: Hosts
    seals: Seals
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    draining: Callable[[], bool] = lambda: False
    bus: Callable[[], str] = lambda: "none"
    sanitizing: Callable[[], bool] = lambda: False
    offers: Mapping[str, Sequence[Offer]] = field(default_factory=dict)
    pushes: PushRecord | None = None
    try_push: Callable[[Actor], Awaitable[object]] | None = None
    """one push to the device that asks; None where this server pushes nobody"""
    in_flight: InFlight = field(default_factory=InFlight)
    uploading: Uploading = field(default_factory=Uploading)
    waiting: Counter[int] = field(default_factory=Counter)
    """calls of bots that wait for something to do, by the bot"""
