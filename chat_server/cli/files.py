"""Files on the command line: `files`, `download`, and what `post --file` brings up."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from chat_client import Client, FilePlaces, Progress, Refused
from chat_server.cli.person import choose, folder, run, signed_in, waiting
from chat_server.cli.table import plain, size


async def uploaded(client: Client, files: tuple[Path, ...]) -> list[dict[str, Any]] | None:
    """The block that names them, one after the other; on a terminal one sees them move."""
    if not files:
        return None
    places, ids = FilePlaces(folder() / "uploads.json"), []
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
            told = f"{share:4.0%} / {size(whole)}" if whole else size(done)
            click.echo(f"\r\033[K{plain(name)}  {told}", nl=False, err=True)

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
    help="The file to write, or a folder; default: under its own name, here. 保存先。",
)
def download(attachment: str, target: Path | None) -> None:
    """Save an attachment's file. 添付をファイルに保存します。

    ATTACHMENT is an id (`renraku files`). After a cut line it goes on where it was. Nothing that is there already is overwritten.
    """

    async def save() -> None:
        async with await signed_in() as client:
            with _moving(target.name if target else attachment) as progress:
                try:
                    saved = await client.download(attachment, target, progress=progress)
                except Refused as refused:
                    raise click.ClickException(f"{refused.ja} / {refused.en}") from None
                except FileExistsError as there:
                    raise click.ClickException(
                        f"{there}: 同じ名前のファイルがあります。--to で別の名前を指定してください。"
                        f" / is there already. Give another name with --to."
                    ) from None
            click.echo(f"保存しました / saved: {saved}")

    run(save())


@click.command("files")
@click.argument("room")
@click.option("--kind", type=click.Choice(["photo", "file"]), help="Only these. 種類。")
def files_command(room: str, kind: str | None) -> None:
    """List ROOM's files and photos, the newest first. ファイルと写真の一覧。"""

    async def show() -> None:
        async with await signed_in() as client:
            with waiting():
                chosen = choose(room, await client.rooms())
                found = await client.api.call("GET", f"/api/rooms/{chosen.id}/attachments", params={"kind": kind})
            for item in found["items"]:
                at = datetime.datetime.fromtimestamp(item["at"] / 1000).astimezone()
                one = item["attachment"]
                click.echo(f"{one['id']}  {at:%m/%d %H:%M}  {size(one['size']):>9}  {plain(one['name'])}")

    run(show())
