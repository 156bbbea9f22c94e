"""Search on the command line."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import click

from chat_server.cli.person import choose, run, signed_in, waiting
from chat_server.cli.table import plain


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--room", help="Only in this room: a name, the beginning of one, or an id. トークルーム。")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(["message", "photo", "file", "document", "note"]),
    help="Only these; several times. 種類。",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many. 件数。")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def search(words: tuple[str, ...], room: str | None, kinds: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find WORDS in your rooms; the newest first. 検索します。

    All of the words have to be there: in a note (these come first), in a message, in the name of a photo or a file, in a document.

    \b
    renraku search 道路 補修
    renraku search 倒木 --room 道路パトロール
    """

    async def show() -> None:
        async with await signed_in() as client:
            with waiting():
                listed = await client.rooms()
                sought: dict[str, Any] = {"words": " ".join(words), "kinds": list(kinds), "limit": limit}
                if room is not None:
                    sought["room"] = choose(room, listed).id
                found = await client.api.call("POST", "/api/search", json=sought)
            names = {one.id: one.name for one in listed}
            for item in found["items"]:
                click.echo(json.dumps(item, ensure_ascii=False) if as_json else _line(item, names))
            if not found["items"]:
                click.echo("見つかりませんでした / nothing found", err=True)

    run(show())


def _line(item: dict[str, Any], rooms: dict[str, str]) -> str:
    at = datetime.datetime.fromtimestamp(item["at"] / 1000).astimezone()
    author = " ".join(filter(None, (item["author"]["name"], item["author"]["department"])))
    name = f"  [{item['attachment']['name']}]" if item["kind"] == "document" else ""
    name = f"  [{item['note']['title']}]" if item["kind"] == "note" else name
    said = "".join(_piece(piece) for piece in item["excerpt"])
    head = f"{at:%m/%d %H:%M}  {plain(rooms.get(item['room'], item['room']))}  {plain(author)}{plain(name)}"
    return f"{head}\n    {said}"


def _piece(piece: dict[str, Any]) -> str:
    text = plain(piece["text"])
    return click.style(text, bold=True) if piece["hit"] and sys.stdout.isatty() else text
