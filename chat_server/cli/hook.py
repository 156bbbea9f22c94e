"""`renraku hook`: webhooks as the operator sees them, and switching one off."""

from __future__ import annotations

import json

import click

from chat_server.cli.operating import JSON, ORGANIZATION, chosen, operate
from chat_server.cli.table import table


@click.group("hook")
def hook_group() -> None:
    """Webhooks: list, off. Webhookの確認と停止。"""


@hook_group.command("list")
@ORGANIZATION
@JSON
@click.pass_context
def list_hooks(ctx: click.Context, organization: str | None, as_json: bool) -> None:
    """Which there are, and where they lead. 一覧。"""
    hooks = operate(ctx, "hook.list", organization=chosen(ctx, organization))["hooks"]
    if as_json:
        click.echo(json.dumps(hooks, ensure_ascii=False, indent=2))
        return
    rows = [
        (one["id"], one["name"], one["room_name"], one["host"], "" if one["on"] else "停止 / off", one["waiting"], one["parked"])
        for one in hooks
    ]  # fmt: skip
    click.echo(table(("ID", "名前", "トークルーム", "送信先", "", "待ち", "中止"), rows))


@hook_group.command("off")
@ORGANIZATION
@click.argument("hook")
@click.pass_context
def off(ctx: click.Context, organization: str | None, hook: str) -> None:
    """Switch HOOK (an id) off at once. 止めます。

    It posts nothing and tells nothing, until an owner of its room switches it on again. For all of an organization's:
    renraku organization policy CODE webhooks=off.
    """
    operate(ctx, "hook.off", organization=chosen(ctx, organization), hook=hook)
    click.echo("done")
