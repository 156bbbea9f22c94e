"""The client on the command line: `login`, `logout`, `rooms`, `post`, `tail`. It stands on `chat_client` alone."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import socket
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import click

from chat_client import Client, ClientError, FilePlaces, FileStore, Message, Progress, Refused, RenrakuError, Room
from chat_client.events import Connected, Disconnected, MessageEdited, MessagePosted, MessageRedacted, Resynced
from chat_server.cli.speech import sentence, spoken

_PATIENCE: Final = 60.0
_SHOWN: Final = 20
_SILENCE: Final = 2.0
"""Seconds after which a person is told what is being waited for."""


def _folder() -> Path:
    """Where this person's sign-in lives (XDG Base Directory)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "renraku"


def _authorities() -> Path | None:
    """The authorities that `login --ca-file` named: a closed network has its own."""
    kept = _folder() / "ca.pem"
    return kept if kept.exists() else None


def _keep_authorities(ca_file: Path | None) -> None:
    kept = _folder() / "ca.pem"
    kept.unlink(missing_ok=True)
    if ca_file is not None:
        kept.write_bytes(ca_file.read_bytes())


def _store() -> FileStore:
    return FileStore(_folder() / "session.json")


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Until done; what went wrong is said in a sentence."""
    try:
        asyncio.run(work)
    except RenrakuError as error:
        raise click.ClickException(spoken(error.code, error.ja, error.en)) from None
    except ClientError as error:
        raise click.ClickException(sentence(error)) from None
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        pass


async def _client(*, outbox: bool = False) -> Client:
    tokens = await _store().load()
    if tokens is None:
        raise click.ClickException("You are not signed in. First: renraku login http://SERVER:PORT --organization CODE")
    folder = _folder() / "outbox" if outbox else None
    return Client(tokens.server, store=_store(), patience=_PATIENCE, outbox=folder, ca_file=_authorities())


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Nobody watches a silent terminal for a minute and believes that something happens."""
    text = "サーバーの応答を待っています… / waiting for the server…"
    notice = asyncio.get_running_loop().call_later(_SILENCE, lambda: click.echo(text, err=True))
    try:
        yield
    finally:
        notice.cancel()


@click.command()
@click.argument("server")
@click.option("--organization", "-o", prompt="団体コード / organization", help="The organization's code. 団体コード。")
@click.option("--login", "-l", "login_name", prompt="ログイン名 / login", help="Your login. ログイン名。")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates of the authorities to believe, instead of the system's. CA証明書。",
)
def login(server: str, organization: str, login_name: str, ca_file: Path | None) -> None:
    """Sign in to SERVER. サインインします。

    The password is asked for, or read from standard input; it never stands on the command line.

    \b
    renraku login http://127.0.0.1:8080 -o midorino -l takahashi
    """
    if sys.stdin.isatty():
        password = click.prompt("パスワード / password", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")

    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep_authorities(ca_file)

    async def sign_in() -> None:
        async with Client(server, store=_store(), ca_file=_authorities(), patience=10) as client:
            await client.sign_in(organization, login_name, password, f"renraku ({socket.gethostname()})")
            await client.start()
            click.echo(f"サインインしました / signed in: {client.me.name} ({client.me.organization})")

    _run(sign_in())


@click.command()
def logout() -> None:
    """End this device's session. サインアウトします。"""

    async def sign_out() -> None:
        client = await _client()
        await client.sign_out()
        click.echo("サインアウトしました / signed out")

    _run(sign_out())


@click.command("rooms")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def rooms_command(as_json: bool) -> None:
    """List your rooms. トークルームの一覧。

    Id, unread messages, @ where one names you, name.
    """

    async def show() -> None:
        async with await _client() as client:
            with _waiting():
                listed = await client.rooms()
            for room in listed:
                if as_json:
                    line = {"id": room.id, "kind": room.kind, "name": room.name, "unread": room.unread}
                    click.echo(json.dumps(line, ensure_ascii=False))
                else:
                    unread = f"{room.unread:>4}" if room.unread else "    "
                    archived = "  (保管済み / archived)" if room.archived else ""
                    click.echo(f"{room.id}  {unread}  {'@' if room.mentioned else ' '} {room.name}{archived}")

    _run(show())


@click.command()
@click.argument("room")
@click.argument("text", required=False)
@click.option(
    "--photo", "photos", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A photo; up to ten times, in order. 写真。",
)  # fmt: skip
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of any size; several times, in order. ファイル。",
)
@click.option("--json", "as_json", is_flag=True, help="Print the acknowledgement as JSON.")
def post(room: str, text: str | None, photos: tuple[Path, ...], files: tuple[Path, ...], as_json: bool) -> None:
    """Post TEXT, photos and files to ROOM. 投稿します。

    ROOM is a name, the beginning of one, or an id (`renraku rooms`); a TEXT of - is read from standard input.

    \b
    renraku post 道路パトロール "倒木です。" --photo before.jpg --photo after.heic
    renraku post 道路課 "図面一式です。" --file drawings.zip

    Texts and photos are kept on disk until the server has it: after a cut line or a killed process the next `post` sends them as well, once. A file goes on where it was when the same command is given again.
    """
    if text == "-":
        text = sys.stdin.read()
    if not text and not photos and not files:
        raise click.UsageError("Give a TEXT, or at least one --photo or --file.")

    async def send() -> None:
        async with await _client(outbox=True) as client:
            with _waiting():
                await client.start()
            most = client.hello.limits.get("photos", len(photos))
            if len(photos) > most:
                raise click.UsageError(f"A message takes up to {most} photos, not {len(photos)}.")
            chosen = _choose(room, await client.rooms())
            blocks = await _uploaded(client, files)
            ack = await client.send(chosen.id, text, photos=photos, blocks=blocks)
            if as_json:
                click.echo(json.dumps({"room": ack.room, "id": ack.id, "seq": ack.seq, "at": ack.at}))
            else:
                click.echo(f"送信しました / sent: {chosen.name} #{ack.seq}")

    _run(send())


async def _uploaded(client: Client, files: tuple[Path, ...]) -> list[dict[str, Any]] | None:
    """The block that names them, one after the other; on a terminal one sees them move."""
    if not files:
        return None
    places, ids = FilePlaces(_folder() / "uploads.json"), []
    for path in files:
        with _moving(path.name) as progress:
            ids.append((await client.upload_file(path, places=places, progress=progress)).id)
    return [{"type": "files", "ids": ids}]


@contextlib.contextmanager
def _moving(name: str) -> Iterator[Progress | None]:
    """A line that moves, on a terminal alone; Ctrl+C says how it goes on."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = -1.0

    def progress(done: int, whole: int) -> None:
        nonlocal shown
        share = done / whole if whole else float(done >> 20)
        if share - shown >= 0.005 or done == whole:
            shown = share
            told = f"{share:4.0%} / {whole / 1e6:,.1f} MB" if whole else f"{done / 1e6:,.1f} MB"
            click.echo(f"\r\033[K{name}  {told}", nl=False, err=True)

    try:
        yield progress
    except asyncio.CancelledError:
        click.echo("\n中断しました。同じコマンドで続きから送れます。/ interrupted; the same command goes on.", err=True)
        raise
    click.echo("", err=True)


@click.command()
@click.argument("attachment")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write; it must not exist. 保存先。",
)
def download(attachment: str, target: Path) -> None:
    """Save an attachment's file. 添付をファイルに保存します。

    ATTACHMENT is an id (`renraku files`). After a cut line it goes on where it was.
    """

    async def save() -> None:
        async with await _client() as client:
            with _moving(target.name) as progress:
                try:
                    await client.download(attachment, target, progress=progress)
                except Refused as refused:
                    raise click.ClickException(f"{refused.ja} / {refused.en}") from None
                except FileExistsError:
                    raise click.ClickException(f"{target} is there already. Give another name with --to.") from None
            click.echo(f"保存しました / saved: {target}")

    _run(save())


@click.command("files")
@click.argument("room")
@click.option("--kind", type=click.Choice(["photo", "file"]), help="Only these. 種類。")
def files_command(room: str, kind: str | None) -> None:
    """List ROOM's files and photos, the newest first. ファイルと写真の一覧。"""

    async def show() -> None:
        async with await _client() as client:
            with _waiting():
                chosen = _choose(room, await client.rooms())
                found = await client.api.call("GET", f"/api/rooms/{chosen.id}/attachments", params={"kind": kind})
            for item in found["items"]:
                at = datetime.datetime.fromtimestamp(item["at"] / 1000).astimezone()
                one = item["attachment"]
                click.echo(f"{one['id']}  {at:%m/%d %H:%M}  {one['size'] / 1e6:>9,.1f} MB  {one['name']}")

    _run(show())


@click.command()
@click.argument("room")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0, 200),
    default=_SHOWN,
    show_default=True,
    help="Messages to show first. 件数。",
)
@click.option("--no-follow", is_flag=True, help="Show and end, do not wait for more. 待たずに終了。")
def tail(room: str, lines: int, no_follow: bool) -> None:
    """Show ROOM's last messages and wait for more. 新しいメッセージを表示し続けます。"""

    async def follow() -> None:
        async with await _client() as client:
            events = client.events()
            with _waiting():
                await client.start()
            chosen = _choose(room, await client.rooms())
            page = await client.history(chosen.id, limit=max(1, lines))
            shown = page.head
            for message in page.messages if lines else ():
                click.echo(_line(message))
            if no_follow:
                return
            cut = False
            async for event in events:
                if isinstance(event, MessagePosted) and event.room == chosen.id and event.seq > shown:
                    shown = event.seq
                    click.echo(_line(event.message))
                elif isinstance(event, MessageEdited) and event.room == chosen.id:
                    click.echo(_line(event.message) + "  (編集済み / edited)")
                elif isinstance(event, MessageRedacted) and event.room == chosen.id:
                    click.echo(f"  #{event.target} 削除されました / redacted")
                elif isinstance(event, Disconnected):
                    click.echo("接続が切れました。つなぎ直します… / disconnected, reconnecting…", err=True)
                    cut = True
                elif isinstance(event, Connected) and cut:
                    click.echo("つながりました / connected again", err=True)
                    cut = False
                elif isinstance(event, Resynced) and event.room == chosen.id:
                    for message in (await client.history(chosen.id, after=shown, limit=200)).messages:
                        shown = message.seq
                        click.echo(_line(message))

    _run(follow())


def _choose(wanted: str, rooms: list[Room]) -> Room:
    """By id, by whole name, or by the beginning of one name."""
    exact = [room for room in rooms if wanted in (room.id, room.name)]
    found = exact or [room for room in rooms if room.name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"No room of yours is called “{wanted}”. `renraku rooms` lists them.")
    names = ", ".join(f"{room.name} ({room.id})" for room in found)
    raise click.ClickException(f"“{wanted}” fits several rooms: {names}. Give the id.")


def _line(message: Message) -> str:
    at = datetime.datetime.fromtimestamp(message.at / 1000).astimezone()
    author = message.author
    who = " ".join(part for part in (author.name, author.department, author.post) if part)
    text = "(削除済み / redacted)" if message.redacted else message.text.replace("\n", "\n    ")
    return f"{at:%m/%d %H:%M}  {who}\n    {text}"
