"""The composition root: the only place that knows every adapter."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from chat_server import web_origin
from chat_server.blobs.opening import CannotKeep, open_blobs
from chat_server.bot_api import Offer
from chat_server.bot_runner import plugins
from chat_server.bot_runner.process import BotProcess
from chat_server.bus.postgresql import NotifyBus
from chat_server.clock import SystemClock
from chat_server.config import Settings
from chat_server.decoders.pool import Pool
from chat_server.documents import workers as documents
from chat_server.documents.office import Office
from chat_server.documents.workers import DocumentDecoders
from chat_server.domain.actors import Actor
from chat_server.domain.closing import RESTARTING
from chat_server.domain.ids import new_id
from chat_server.domain.webhooks import Hosts
from chat_server.fuse import Fuse
from chat_server.http.parts import Parts, Site
from chat_server.http.peer import peer_address
from chat_server.http.routes import build_http
from chat_server.passwords import Argon2Passwords
from chat_server.photos import workers as photos
from chat_server.photos.workers import PhotoDecoders, PhotosThrough
from chat_server.ports import AnyStorage, BlobStore, Bus, Clock, Reader, SearchIndex, Webhooks
from chat_server.printing.printer import Printer
from chat_server.realtime.dispatch import Dispatcher, Load
from chat_server.realtime.endpoint import Endpoint
from chat_server.realtime.hub import Hub
from chat_server.realtime.node import Node, serving
from chat_server.release import release
from chat_server.sanitizing.serving import ServerSanitizer
from chat_server.sealing import AgeSeals
from chat_server.search.opening import open_index
from chat_server.services import keys as keyring
from chat_server.services.actors import load_actor
from chat_server.services.bots import Place, Plugin
from chat_server.services.disarming import Tools
from chat_server.services.epoch import stream_epoch
from chat_server.services.keys import SENDS, WEB_PUSH, Keys
from chat_server.services.nodes import Self
from chat_server.services.sign_in import PasswordStep, SignIn
from chat_server.services.tokens import Tokens
from chat_server.storage import engines
from chat_server.storage.folder import CannotOpen
from chat_server.storage.postgresql.address import options as session_options
from chat_server.webhooks.client import WebhookClient
from chat_server.workers.bots import BotWorker
from chat_server.workers.confirmations import ConfirmationWorker
from chat_server.workers.disarming import DisarmingWorker
from chat_server.workers.file_sweeper import FileSweeper
from chat_server.workers.flattening import FlatteningWorker
from chat_server.workers.hooks import HookWorker
from chat_server.workers.indexer import Indexer
from chat_server.workers.inward import InwardWorker
from chat_server.workers.links import LinkWorker
from chat_server.workers.outbox import OutboxWorker
from chat_server.workers.previews import PreviewWorker
from chat_server.workers.scheduled import ScheduledWorker
from chat_server.workers.sweeper import Sweeper
from chat_server.workers.tidying import TidyingWorker
from mobile_api import calls as mobile_calls
from mobile_api.devices.trying import Trying
from mobile_api.ledger.opening import open_ledger
from mobile_api.ledger.port import Ledger
from mobile_api.providers.choosing import WrongSetting
from mobile_api.providers.port import Platform, Provider
from mobile_api.push.judging import FIRST
from mobile_api.push.payload import seal
from mobile_api.push.pushing import Pushing
from mobile_api.relay.opening import open_providers
from mobile_api.watching import watch


class Worker(Protocol):
    """What runs until it is cancelled, and is safe to be cut off anywhere."""

    async def run(self) -> None: ...


ASGI = Callable[[Any, Any, Any], Awaitable[None]]
WEB: Final = Path(__file__).parent / "web"
log = structlog.get_logger("renraku.app")


def webhook_hosts(settings: Settings) -> Hosts:
    """Where webhooks may go."""
    return Hosts(settings.webhook_hosts, settings.webhook_private_hosts, plain=settings.webhook_plain_http)


def open_webhooks(settings: Settings) -> WebhookClient:
    """Raises `storage.folder.CannotOpen`."""
    try:
        return WebhookClient(webhook_hosts(settings), settings.webhook_ca)
    except OSError as error:
        raise CannotOpen(f"The certificates of webhook_ca ({settings.webhook_ca}) cannot be read: {error}") from None


def open_sanitizer(settings: Settings, scratch: Path) -> ServerSanitizer:
    """Raises `storage.folder.CannotOpen`."""
    try:
        return ServerSanitizer(scratch, settings.preview_decoders, settings.antivirus)
    except ValueError as error:
        raise CannotOpen(f"The settings: {error}") from None


def open_bus(settings: Settings) -> Bus:
    if not settings.bus:
        return NotifyBus(**session_options(settings.database))
    from chat_server.bus.valkey import ValkeyBus  # its library is much to load for those who have no such server

    return ValkeyBus(settings.bus)


class App:
    """A running server without its sockets: storage open, workers running. `asgi(zone)` serves one listener."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        fuse: Fuse,
        storage: AnyStorage,
        blobs: BlobStore,
        index: SearchIndex,
        webhooks: Webhooks,
        passwords: Argon2Passwords,
        *,
        providers: Mapping[Platform, Provider] | None = None,
        push_again: float = FIRST,
        slow_path: bool,
        workers: bool,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.fuse = fuse
        self.storage = storage
        self.hub = Hub()
        self.keys = Keys()
        self.tokens = Tokens(self.keys, clock)
        self.passwords = passwords
        self.blobs = blobs
        self.photos = PhotoDecoders(settings.decoders)
        # of its own, and started by the first file: no upload of a photo waits for a document
        self.previewing = Pool(
            "previews", (photos.MODULE, *documents.MODULES), settings.preview_decoders, limits=documents.LIMITS,
            patience=600,
        )  # fmt: skip
        self.seals = AgeSeals()
        self.sanitizer: ServerSanitizer | None = None
        self.outbox = OutboxWorker(storage)
        self.webhooks = webhooks
        self.index = index
        self.indexer = Indexer(storage, index, blobs)
        self.ledger: Ledger | None = None
        self.providers: dict[Platform, Provider] = dict(providers or {})
        """of pushes; none: this process carries none"""
        self.pushing: Pushing | None = None
        self._push_again = push_again
        self.leadership = engines.leadership(settings.database)
        self.node: Node | None = None
        """where other processes may serve the same database"""
        self.offers: dict[str, Sequence[Offer]] = {}
        """what people may ask of a bot, by the name of its folder"""
        self.draining = False
        self.broken = asyncio.Event()
        self._slow_path = slow_path
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        passwords: Argon2Passwords | None = None,
        providers: Mapping[Platform, Provider] | None = None,
        push_again: float = FIRST,
        slow_path: bool = False,
        workers: bool = True,
    ) -> App:
        """Open the database and everything in `settings.folder`. Raises `storage.folder.CannotOpen`.

        `workers`: run what a server does beside serving (decoders, outbox, sweeping); a single operation needs none.
        `passwords`, `providers` (of pushes, in the place of those that the settings name): closed with the app.
        `push_again`: seconds before a push that failed is tried again.
        """
        clock, fuse = clock or SystemClock(), Fuse()
        webhooks = open_webhooks(settings)
        storage = await engines.open_storage(settings.database, settings.folder, clock, fuse)
        try:
            blobs = open_blobs(settings.blobs, settings.folder, fuse, owner=True)
        except CannotKeep as error:
            await storage.close()
            raise CannotOpen(str(error)) from None
        index = await open_index(session_options(settings.database) if settings.database else None, settings.folder)
        app = cls(
            settings, clock, fuse, storage, blobs, index, webhooks, passwords or Argon2Passwords(),
            providers=providers, push_again=push_again, slow_path=slow_path, workers=workers,
        )  # fmt: skip
        try:
            await app._start()
        except BaseException:
            await app.close()
            raise
        return app

    async def _open_pushes(self) -> None:
        """The ledger, and where this process serves, the providers. Raises `CannotOpen`."""
        if self.settings.push == "off" and not self.providers:
            return
        session = session_options(self.settings.database) if self.settings.database else None
        try:
            self.ledger = await open_ledger(session, self.settings.folder, self.fuse)
            if self._workers and not self.providers:
                self.providers = open_providers(self.settings, self.keys.current(WEB_PUSH).secret)
        except OSError as error:
            raise CannotOpen(f"The ledger of pushes cannot be opened: {error}") from None
        except WrongSetting as error:
            raise CannotOpen(f"The settings: {error}") from None

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self.fuse.on_blown = lambda cause: loop.call_soon_threadsafe(self._broke, cause)
        # The first photo must not pay for a process start: the decoders warm up beside everything else.
        warming = asyncio.create_task(self.photos.start() if self._workers else asyncio.sleep(0))
        await keyring.prepare(self.storage, self.keys)
        await self._open_pushes()
        self.hub.epoch = await stream_epoch(self.storage)
        self.sign_in = SignIn(self.storage, self.tokens, [PasswordStep(self.passwords)], self.settings.most_trusted)
        self.dispatcher = Dispatcher(
            self.storage, self.hub, self.clock, self._authenticate, self.keys.current(SENDS).secret
        )
        self.endpoint = Endpoint(self.dispatcher, slow_path=self._slow_path)
        self.storage.on_notes = self._committed
        scratch = self.settings.folder / "scratch"
        scratch.mkdir(mode=0o700, exist_ok=True)
        site = Site(
            names=frozenset(name.lower() for name in self.settings.hosts),
            trusted_proxies=self.settings.proxies,
            https=self.settings.https,
            outside=self.settings.outside_address,
        )
        self.site = site
        self.sanitizer = sanitizer = open_sanitizer(self.settings, scratch)
        self.parts = Parts(
            storage=self.storage,
            blobs=self.blobs,
            index=self.index,
            photos=self.photos,
            press=Printer(scratch),
            passwords=self.passwords,
            clock=self.clock,
            keys=self.keys,
            tokens=self.tokens,
            sign_in=self.sign_in,
            trust=self.settings.trust,
            most_trusted=self.settings.most_trusted,
            zones=self.settings.zones,
            site=site,
            data=self.settings.folder,
            scratch=scratch,
            web=WEB,
            version=release(),
            webhook_hosts=webhook_hosts(self.settings),
            draining=lambda: self.draining,
            seals=self.seals,
            sanitizing=lambda: sanitizer.possible,
            bus=lambda: "none" if self.node is None else self.node.bus_state,
            offers=self.offers,
            pushes=self.ledger,
            try_push=self._trying(),
        )
        if not self._workers:
            return
        files = FileSweeper(self.storage, self.blobs, scratch)
        await files.clear()
        if self.settings.database:
            if not self.settings.blobs and await serving(self.storage):
                raise CannotOpen(
                    "Another node serves this database, and the attachments of this one would lie in its own data "
                    "folder, where the other cannot read them. Set `blobs` at every node to a folder that all of them "
                    "mount, or to S3."
                )
            self.node = self._as_one_of_several()
            await self.node.start()
        once: list[Worker] = [
            self.outbox,
            self.indexer,
            Sweeper(self.storage),
            files,
            self._preview_worker(scratch),
            DisarmingWorker(self.storage, self._sanitizing(scratch), self.settings.trust),
            InwardWorker(self.storage, self._sanitizing(scratch), self.settings.trust),
            FlatteningWorker(self.storage, self._sanitizing(scratch), self.settings.trust),
            *self._robots(),
            ConfirmationWorker(self.storage),
            ScheduledWorker(self.storage, self.keys.current(SENDS).secret),
            TidyingWorker(self.storage),
            LinkWorker(self.storage),
            *self._pushers(),
        ]
        self._tasks = [
            asyncio.create_task(self.leadership.hold(partial(_all_of, once))),
            asyncio.create_task(files.run_here()),
            asyncio.create_task(self._tick()),
        ]
        await warming
        log.info("database", **engines.facts(self.storage))

    def _as_one_of_several(self) -> Node:
        started = self.clock.now()
        me = Self(new_id(started), socket.gethostname(), release(), started)
        bus = open_bus(self.settings)
        node = Node(me, self.storage, self.dispatcher, bus, self.keys, lambda: self.leadership.leads)
        node.neighbours.on_hint = self._wake
        node.neighbours.pushes = self.ledger is not None
        return node

    def _robots(self) -> list[Worker]:
        """Those that messages go to: a worker for each folder that is a bot, and one for webhooks."""
        place = Place(self.settings.most_trusted, self.keys.current(SENDS).secret, self.settings.trust)
        self.plugins: list[Plugin] = []
        hooks = HookWorker(self.storage, self.clock, self.webhooks, self.keys, place)
        found: list[BotWorker | HookWorker] = [hooks]
        for one in plugins.find(self.settings.bots):
            plugin = Plugin(one.name, one.bot.title, one.bot.reading, one.bot.everywhere)
            self.plugins.append(plugin)
            self.offers[one.name] = one.bot.offers
            process = BotProcess(one.module, self.settings.bots)
            found.append(BotWorker(self.storage, self.clock, plugin, process, self.blobs, place))

        def wake() -> None:
            for worker in found:
                worker.wake()

        self.outbox.on_bots = wake
        return list(found)

    def _pushers(self) -> list[Worker]:
        if self.ledger is None:
            return []
        self.pushing = Pushing(
            self.storage, self.ledger, self.providers, self.clock, self._looking, self.parts.registry,
            secret=self.keys.current(SENDS).secret, most_trusted=self.settings.most_trusted,
            origin=self.settings.outside_address, first=self._push_again,
        )  # fmt: skip
        watch(self.providers, self.parts.registry, self.pushing.engine.line_up)
        self.outbox.pushing = True
        self.outbox.on_messages = self.pushing.wake
        return [self.pushing]

    def _trying(self) -> Trying | None:
        if not self.providers:
            return None
        return Trying(self.storage, self.clock, self.providers, seal, self.settings.most_trusted)

    def _looking(self, room_id: int) -> set[int]:
        """Who has the room on a screen, here or at another node."""
        channel = self.hub.channels.get(room_id)
        here = set() if channel is None else {looker.actor.user_id for looker in channel.lookers}
        return here if self.node is None else here | self.node.neighbours.looking.at(room_id)

    def _preview_worker(self, scratch: Path) -> PreviewWorker:
        return PreviewWorker(
            self.storage,
            PhotosThrough(self.previewing),
            DocumentDecoders(self.previewing, lambda: Office.find(scratch)),
            self.blobs,
            scratch,
            self.settings.trust,
            # while one is with LibreOffice, another can be decoded
            at_once=self.settings.preview_decoders + 1,
        )

    def _sanitizing(self, scratch: Path) -> Tools:
        assert self.sanitizer is not None
        photos = PhotosThrough(self.previewing)
        return Tools(self.sanitizer, photos, self.seals, self.keys, self.blobs, scratch, self.settings.zones)

    # What the storage tells

    def _committed(self, notes: list[Any]) -> None:
        if self.node is None:
            self.hub.publish(notes)
        else:
            self.node.following.committed(notes)
        if self.pushing is not None and self.leadership.leads:
            self.pushing.committed(notes)
        self._wake()

    def _wake(self) -> None:
        self.outbox.wake()
        self.indexer.wake()

    def _broke(self, cause: BaseException) -> None:
        log.critical("the disk failed; stopping without touching it again", error=str(cause))
        self.hub.close_all(RESTARTING)
        self.broken.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.hub.expire(self.clock.now())

    def _authenticate(self, token: str, scope: MutableMapping[str, Any]) -> Load:
        presented = self.tokens.present(token, scope["renraku.zone"])
        address = scope.get("renraku.address") or peer_address(scope, self.settings.proxies)

        async def load(tx: Reader) -> tuple[Actor, int]:
            claims = await presented(tx)
            actor = await load_actor(tx, claims, address, self.settings.most_trusted)
            # A token issued before a guest's end was brought forward says more than the account has left.
            return actor, actor.until(claims.expires_at)

        return load

    # Serving

    @cached_property
    def http(self) -> ASGI:
        """Of all listeners: with the page packed and the document written, which takes a third of a second. A command that
        opens the data folder serves neither."""
        return build_http(self.parts, mobile_calls.CALLS)

    def asgi(self, zone: str) -> ASGI:
        """The application of a listener: everything that comes in by it belongs to `zone`."""
        _ = self.http  # made before anybody is let in

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            scope["renraku.zone"] = zone
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send)
            else:
                await self.http(scope, receive, send)

        return serve

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        """The handshake: a foreign page, a forged Host, a token in the address are refused before anything else."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        allowed = (
            scope["path"] == "/ws"
            and not scope["query_string"]
            and web_origin.host_allowed(host, self.site.names)
            and web_origin.origin_allowed(headers.get(b"origin"), host, https=self.site.https)
        )
        if allowed:
            await self.endpoint(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    # Stopping

    async def drain(self, seconds: float = 5.0) -> None:
        """Take nothing new, let what was accepted be committed and answered, then ask everybody to come back."""
        self.draining = self.endpoint.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.dispatcher.drain()
        self.hub.close_all(RESTARTING)

    async def close(self) -> None:
        """Stop the workers, then the storage."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.node is not None:
            await self.node.close()
        await self.photos.close()
        await self.previewing.close()
        if self.sanitizer is not None:
            await self.sanitizer.close()
        await self.webhooks.close()
        for provider in self.providers.values():
            await provider.close()
        if self.ledger is not None:
            await self.ledger.close()
        await self.index.close()
        await self.storage.close()
        await self.blobs.close()
        self.passwords.close()


async def _all_of(workers: Iterable[Worker]) -> None:
    """Until cancelled."""
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())
