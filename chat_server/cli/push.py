"""`renraku push`: why something rang, or did not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from chat_server.cli.operating import JSON, ORGANIZATION, chosen, operate
from chat_server.cli.speech import japanese
from chat_server.cli.table import table


@click.group("push")
def push_group() -> None:
    """Pushes: why it did not ring. プッシュ通知の確認。"""


@push_group.command("why")
@ORGANIZATION
@click.option("--user", required=True, help="Whose phone: a login. ログイン名。")
@click.option(
    "--message",
    required=True,
    help="A link to the message, as 「リンクをコピー」 gives it, or its id. メッセージのリンクかID。",
)
@JSON
@click.pass_context
def why(ctx: click.Context, organization: str | None, user: str, message: str, as_json: bool) -> None:
    """Say why a message rang or did not. 通知の結果と理由。

    For one person: what was decided, and what became of it on each of their devices. Never what was said. It is on record
    that you asked.
    """
    found = operate(ctx, "push.why", organization=chosen(ctx, organization), login=user, message=message)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    click.echo(_said(found))
    if not found["devices"]:
        return
    headers = (
        ("端末", "方式", "種類", "状態", "回数", "最後", "応答")
        if japanese()
        else ("device", "by", "kind", "state", "tries", "last", "answer")
    )
    rows = (
        (one["name"], one["platform"], one["kind"], one["state"], one["tries"], _moment(one), one["answer"])
        for one in found["devices"]
    )
    click.echo(table(headers, rows))
    for state in dict.fromkeys(one["state"] for one in found["devices"]):
        one = next(one for one in found["devices"] if one["state"] == state)
        click.echo(f"{state}: {_said(one)}")


def _said(told: dict[str, Any]) -> str:
    return str(told["explanation"]["ja" if japanese() else "en"])


def _moment(one: dict[str, Any]) -> str:
    at = one["done_at"] or one["tried_at"] or one["queued_at"]
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%m-%d %H:%M:%S}"
