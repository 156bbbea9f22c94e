"""`renraku nodes`: which processes serve the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from chat_server.cli.operating import JSON, operate
from chat_server.cli.speech import japanese
from chat_server.cli.table import table


@click.command()
@JSON
@click.pass_context
def nodes(ctx: click.Context, as_json: bool) -> None:
    """List the processes that serve the database. ノードの一覧。

    A node that was killed stays on the list for an hour; “seen” tells how long it has been silent.
    """
    found = operate(ctx, "server.nodes")
    if as_json:
        click.echo(json.dumps(found["nodes"], ensure_ascii=False, indent=2))
        return
    if not found["nodes"]:
        click.echo(
            "サーバーは起動していないか、SQLiteを使う1プロセスだけです。"
            if japanese()
            else "No server runs, or the one process that SQLite is for."
        )
        return
    headers = (
        ("ノード", "バージョン", "定期処理", "起動", "最終確認")
        if japanese()
        else ("node", "release", "workers", "since", "seen")
    )
    rows = (
        (
            one["name"],
            one["release"],
            "●" if one["leads"] else "",
            f"{datetime.fromtimestamp(one['started_at'] / 1000, UTC).astimezone():%Y-%m-%d %H:%M}",
            _ago(max(0, found["now"] - one["seen_at"]) // 1000),
        )
        for one in found["nodes"]
    )
    click.echo(table(headers, rows))


def _ago(seconds: int) -> str:
    return f"{seconds}秒前" if japanese() else f"{seconds} s ago"
