"""`renraku outbox`: jobs that a restore set aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from chat_server.cli.operating import JSON, operate
from chat_server.cli.speech import japanese
from chat_server.cli.table import table


@click.command()
@click.option("--discard", is_flag=True, help="Remove them for good. 保留した処理を破棄。")
@JSON
@click.pass_context
def outbox(ctx: click.Context, discard: bool, as_json: bool) -> None:
    """Show jobs that a restore parked. 復元で保留した処理。

    They were waiting when the backup was made: to tell somebody of a message, say. Whoever was to be told has been told
    since then, so they are not done a second time.
    """
    if discard:
        count = operate(ctx, "outbox.discard")["discarded"]
        click.echo(f"{count}件を破棄しました。" if japanese() else f"Discarded {count}.")
        return
    found = operate(ctx, "outbox.parked")["parked"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("保留した処理はありません。" if japanese() else "Nothing is parked.")
        return
    headers = (
        ("団体", "種類", "件数", "最初", "最後") if japanese() else ("organization", "kind", "jobs", "first", "last")
    )
    rows = ((o["organization"], o["kind"], o["count"], _moment(o["first_at"]), _moment(o["last_at"])) for o in found)
    click.echo(table(headers, rows))


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
