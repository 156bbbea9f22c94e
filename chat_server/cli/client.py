"""The client on the command line: `login`, `logout`, `rooms`, `post`, `tail`; with `files.py`. It stands on `chat_client` alone."""

from __future__ import annotations

import datetime
import json
import socket
import sys
from pathlib import Path
from typing import Final

import click

from chat_client import Client, Message
from chat_client.events import Connected, Disconnected, MessageEdited, MessagePosted, MessageRedacted, Resynced
from chat_server.cli.files import uploaded
from chat_server.cli.person import authorities, choose, folder, keep_authorities, run, signed_in, store, waiting

_SHOWN: Final = 20


@click.command()
@click.argument("server")
@click.option("--organization", "-o", prompt="団体コード / organization", help="The organization's code. 団体コード。")
@click.option("--login", "-l", "login_name", prompt="ユーザーID / login", help="Your login. ユーザーID。")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates of the authorities to believe, instead of the system's. CA証明書。",
)
def login(server: str, organization: str, login_name: str, ca_file: Path | None) -> None:
    """Sign in to SERVER. ログインします。

    The password is asked for, or read from standard input; it never stands on the command line.

    \b
    renraku login http://127.0.0.1:8080 -o midorino -l takahashi
    """
    if sys.stdin.isatty():
        password = click.prompt("パスワード / password", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")

    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_authorities(ca_file)

    async def sign_in() -> None:
        async with Client(server, store=store(), ca_file=authorities(), patience=10) as client:
            await client.sign_in(organization, login_name, password, f"renraku ({socket.gethostname()})")
            await client.start()
            click.echo(f"ログインしました / signed in: {client.me.name} ({client.me.organization})")

    run(sign_in())


@click.command()
def logout() -> None:
    """End this device's session. ログアウトします。"""

    async def sign_out() -> None:
        client = await signed_in()
        await client.sign_out()
        click.echo("ログアウトしました / signed out")

    run(sign_out())


@click.command("rooms")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def rooms_command(as_json: bool) -> None:
    """List your rooms. トークルームの一覧。

    Id, unread messages, @ where one names you, name.
    """

    async def show() -> None:
        async with await signed_in() as client:
            with waiting():
                listed = await client.rooms()
            for room in listed:
                if as_json:
                    line = {"id": room.id, "kind": room.kind, "name": room.name, "unread": room.unread}
                    click.echo(json.dumps(line, ensure_ascii=False))
                else:
                    unread = f"{room.unread:>4}" if room.unread else "    "
                    archived = "  (保管済み / archived)" if room.archived else ""
                    click.echo(f"{room.id}  {unread}  {'@' if room.mentioned else ' '} {room.name}{archived}")

    run(show())


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
        async with await signed_in(outbox=True) as client:
            with waiting():
                await client.start()
            most = client.hello.limits.get("photos", len(photos))
            if len(photos) > most:
                raise click.UsageError(f"A message takes up to {most} photos, not {len(photos)}.")
            chosen = choose(room, await client.rooms())
            blocks = await uploaded(client, files)
            ack = await client.send(chosen.id, text, photos=photos, blocks=blocks)
            if as_json:
                click.echo(json.dumps({"room": ack.room, "id": ack.id, "seq": ack.seq, "at": ack.at}))
            else:
                click.echo(f"送信しました / sent: {chosen.name} #{ack.seq}")

    run(send())


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
        async with await signed_in() as client:
            events = client.events()
            with waiting():
                await client.start()
            chosen = choose(room, await client.rooms())
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

    run(follow())


def _line(message: Message) -> str:
    at = datetime.datetime.fromtimestamp(message.at / 1000).astimezone()
    author = message.author
    who = " ".join(part for part in (author.name, author.department, author.post) if part)
    text = "(削除済み / redacted)" if message.redacted else message.text.replace("\n", "\n    ")
    return f"{at:%m/%d %H:%M}  {who}\n    {text}"
