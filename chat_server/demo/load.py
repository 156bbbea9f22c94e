"""The first start: an organization to look at, made once in the data folder.

An interruption at any moment (kill -9, power) must not leave half an organization, and must not cost the folder:

- While a file `demo.making` lies in the folder, the demonstration is not finished, and the next start goes on with it.
- People come by steps that can be repeated. The whole history is one transaction: it is there or it is not.
- Photos are kept before that transaction; those of an attempt that came to nothing are orphans, which the sweeper removes.
- Then the file becomes `demo.made`, by a rename.

A folder of its own, renamed at the end, would do too, but not where the data folder is a mount point or holds something
already. A folder with a database and neither file is somebody's real one: it is refused, not added to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from chat_server.app import App
from chat_server.config import Settings
from chat_server.demo import draw, script, story
from chat_server.demo.dates import Calendar
from chat_server.demo.people import Company, gather
from chat_server.demo.stage import Stage, Troupe
from chat_server.domain.actors import Actor
from chat_server.domain.addresses import without_secrets
from chat_server.ports import Tx
from chat_server.services import room_list
from chat_server.services.keys import SENDS
from chat_server.services.photo_upload import Prepared, prepare_photo
from chat_server.storage.engines import present
from chat_server.storage.folder import CannotOpen

MAKING: Final = "demo.making"
MADE: Final = "demo.made"
_BEFORE_SENDING: Final = 3 * story.MINUTE
"""How long before its message a photo was taken."""
log = structlog.get_logger("renraku.demo")


def ensure(settings: Settings, tell: Callable[[str], object] = log.info) -> None:
    """Make the demonstration in the data folder unless it is there. Call it before serving. `tell` hears why it takes
    a while.

    Raises `CannotOpen`: the folder cannot be used, or holds something else.
    """
    folder = settings.folder
    if not (folder / MADE).exists():
        if present(settings.database, folder) and not (folder / MAKING).exists():
            raise CannotOpen(
                f"The data folder {folder} holds a database that is not the demonstration. Nothing was changed. "
                f"Start it with `renraku serve`, or choose another folder with RENRAKU_DATA."
                if not settings.database
                else f"The database {without_secrets(settings.database)} is not the demonstration, or was made with "
                f"another data folder. Nothing was changed. Start it with `renraku serve`, or choose another with "
                f"RENRAKU_DATABASE."
            )
        asyncio.run(_make(settings, tell))


def welcome(settings: Settings, address: str, colleagues: Sequence[script.SignIn]) -> str:
    """What `make run` prints. `colleagues`: who answers by themselves."""
    home = script.cast().organization[0]
    lines = [
        "",
        f"Renraku is ready: {address}",
        "ブラウザーで開いてください。 / Open it in a browser.",
        "",
        f"  団体コード / organization  {home.code} ({home.name})",
        f"  パスワード / password      {script.cast().password}",
        "",
        *(f"  {sign_in.login:<12}{sign_in.who}" for sign_in in script.cast().sign_in),
        "",
        *_living(colleagues),
        "  架空の団体です。このパスワードは公開されています。実際の業務には使わないでください。",
        "  An invented municipality with a public password: to look at, not to work with.",
        "",
        "  Ctrl+C で終了します。データは次の場所に残ります。 / Ctrl+C ends it; the data stays here:",
        f"  {settings.folder.resolve()}",
        "",
    ]
    return "\n".join(lines)


def _living(colleagues: Sequence[script.SignIn]) -> list[str]:
    if not colleagues:
        return []
    return [
        f"  自動で応答する同僚: {'、'.join(colleague.who for colleague in colleagues)}",
        "  These colleagues read, react and answer by themselves; not with `renraku demo --quiet-colleagues`.",
        "",
    ]


async def _make(settings: Settings, tell: Callable[[str], object]) -> None:
    with contextlib.suppress(OSError):
        # Where the folder cannot be written, opening it says so, and what to do.
        _mark(settings.folder)
    # Opening locks the folder: two of us never make it at once.
    app = await App.open(settings, workers=False)
    try:
        tell("デモの団体を用意しています。初回だけ十数秒かかります。 / Making the demonstration: some seconds, once.")
        _, company = await asyncio.gather(
            app.photos.start(),
            gather(app.storage, app.passwords, Calendar.at(app.clock.now()), settings.listen[0].zone),
        )
        await _tell(app, company)
    finally:
        await app.close()
    (settings.folder / MAKING).rename(settings.folder / MADE)


def _mark(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / MAKING).open("ab") as marker:
        os.fsync(marker.fileno())


async def _tell(app: App, company: Company) -> None:
    """The history, unless an earlier attempt got as far as that."""
    first = company.actors[script.cast().sign_in[0].login]
    if await app.storage.read(lambda reader: room_list.rooms_of(reader, first)):
        return
    plan = story.plan(app.clock.now(), company.staff)
    photos, names = await _photos(app, company, plan)
    troupe = Troupe(company.actors, company.staff, company.sections, photos, names)
    key = app.keys.current(SENDS).secret

    async def perform(tx: Tx) -> None:
        await Stage(tx, troupe, key, app.settings.trust).perform(plan)

    await app.storage.write(perform)


async def _photos(
    app: App, company: Company, plan: Sequence[story.Moment]
) -> tuple[dict[str, Prepared], dict[str, str]]:
    """Draw every photo of the story and take it in as an upload would be; by the story's names."""
    said = [(moment.at, moment.act) for moment in plan if isinstance(moment.act, story.Say)]
    taken = {name: at - _BEFORE_SENDING for at, act in said for name in act.photos}
    uploader = {name: company.actors[act.by] for _, act in said for name in act.photos}
    drawn = await asyncio.to_thread(lambda: list(draw.photographs(taken)))
    prepared = await asyncio.gather(*(_prepare(app, uploader[photo.name], photo) for photo in drawn))
    names = {photo.name: photo.file_name for photo in drawn}
    return {photo.name: found for photo, found in zip(drawn, prepared, strict=True)}, names


async def _prepare(app: App, uploader: Actor, photo: draw.Drawn) -> Prepared:
    incoming = app.blobs.receive()
    await incoming.write(photo.jpeg)
    return await prepare_photo(app.photos, app.blobs, app.parts.scratch, uploader.org_id, incoming)
