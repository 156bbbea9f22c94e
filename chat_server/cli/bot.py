"""`renraku bot`: which bots there are, where they run, and running one elsewhere than in the server."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
from pathlib import Path
from typing import Any

import click
import msgspec

from chat_client import BotTasks, RenrakuError
from chat_server.bot_api import JST
from chat_server.bot_runner import plugins
from chat_server.bot_runner.process import BotFailed, BotProcess
from chat_server.bot_wire import Done, Task
from chat_server.cli.operating import JSON, ORGANIZATION, chosen, operate
from chat_server.cli.person import run
from chat_server.cli.table import table
from chat_server.config import load
from chat_server.domain.errors import BOT_TASK_GONE

TOKEN = "RENRAKU_BOT_TOKEN"  # noqa: S105 (the name of a variable)
ZONE = click.option(
    "--zone", required=True, help="The network (a name of [zones]) that it runs in. 動かすネットワーク。"
)


@click.group("bot")
def bot_group() -> None:
    """Bots: list, add, move, run. ボットの管理。"""


@bot_group.command("list")
@ORGANIZATION
@JSON
@click.pass_context
def list_bots(ctx: click.Context, organization: str | None, as_json: bool) -> None:
    """Where each runs, what waits for it, what was given up. 一覧。"""
    bots = operate(ctx, "bot.list", organization=chosen(ctx, organization))["bots"]
    if as_json:
        click.echo(json.dumps(bots, ensure_ascii=False, indent=2))
        return
    rows = [
        (bot["name"], bot["title"], bot["zone"] or "サーバー / server", _seen(bot), bot["waiting"], bot["parked"])
        for bot in bots
    ]
    click.echo(table(("名前", "表示名", "動作場所", "最終接続", "待ち", "中止"), rows))


def _seen(bot: dict[str, Any]) -> str:
    if not bot["outside"]:
        return ""
    at = bot["seen_at"]
    return "なし / never" if at is None else f"{datetime.datetime.fromtimestamp(at / 1000, JST):%Y-%m-%d %H:%M}"


@bot_group.command("add")
@ORGANIZATION
@click.argument("name")
@click.option("--title", required=True, help="Its name, as people see it. 表示名。")
@click.option("--reading", required=True, help="The same in kana. よみがな。")
@ZONE
@click.pass_context
def add(ctx: click.Context, organization: str | None, name: str, title: str, reading: str, zone: str) -> None:
    """Give a bot NAME that runs elsewhere an account, and print its token. ボットを追加します。"""
    _known(ctx, zone)
    chosen_ = chosen(ctx, organization)
    answer = operate(ctx, "bot.add", organization=chosen_, name=name, title=title, reading=reading, zone=zone)
    _show_token(answer["token"])


@bot_group.command("move")
@ORGANIZATION
@click.argument("name")
@click.option("--zone", help="Run it in this network (a name of [zones]), by a new token. 動かすネットワーク。")
@click.option("--inside", is_flag=True, help="Run it in the server again. サーバー内に戻す。")
@click.pass_context
def move(ctx: click.Context, organization: str | None, name: str, zone: str | None, inside: bool) -> None:
    """Run NAME elsewhere (its token is printed), or in the server again. 動かす場所を変えます。

    A token that it had before is good for nothing from then on.
    """
    if inside == (zone is not None):
        raise click.UsageError("Say either --zone or --inside. --zone か --inside のどちらかを指定してください。")
    if zone is not None:
        _known(ctx, zone)
    answer = operate(ctx, "bot.move", organization=chosen(ctx, organization), name=name, zone=zone)
    if answer["token"] is None:
        click.echo("done")
    else:
        _show_token(answer["token"])


def _known(ctx: click.Context, zone: str) -> None:
    zones = load(ctx.obj).zones
    if zone not in zones:
        raise click.UsageError(f"There is no network “{zone}”: {', '.join(zones)}. そのネットワークはありません。")


def _show_token(token: str) -> None:
    click.echo(token)
    click.echo("この値は二度と表示されません。 / This is shown only now. Keep it where the bot runs.", err=True)


@bot_group.command("run")
@click.argument("name")
@click.option("--server", required=True, help="http(s)://HOST[:PORT]")
@click.option(
    "--bots",
    "folder",
    default="",
    help="The folder that NAME is in, if it is none of Renraku's own. ボットの置き場所。",
)
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CA証明書。")
def run_bot(name: str, server: str, folder: str, ca_file: Path | None) -> None:
    """Run the bot of the folder NAME here, until it is stopped. このマシンでボットを動かします。

    Its token is read from the variable RENRAKU_BOT_TOKEN; it never stands on the command line.
    """
    token = os.environ.pop(TOKEN, "").strip()  # the bot's own process does not get it
    if not token:
        raise click.UsageError(f"The variable {TOKEN} holds no token. 変数 {TOKEN} にトークンがありません。")
    plugins.shelve(folder)
    run(_serve(server, token, f"bots.{name}.bot", folder, ca_file))


async def _serve(server: str, token: str, module: str, folder: str, ca_file: Path | None) -> None:
    process = BotProcess(module, folder)
    async with BotTasks(server, token, ca_file=ca_file) as tasks:
        try:
            while True:
                if (given := await tasks.next()) is not None:
                    await _do(tasks, process, *given)
                    await asyncio.sleep(0)
        finally:
            await process.close()


async def _do(tasks: BotTasks, process: BotProcess, lease: str, task: dict[str, Any]) -> None:
    """Ask the bot and bring back what it did; what it may not do is its failure."""
    try:
        done = await process.ask(msgspec.convert(task, Task))
    except BotFailed as failed:
        done = Done(failure=failed.why)
    try:
        try:
            await tasks.done(lease, msgspec.to_builtins(done))
        except RenrakuError as error:
            if not 2000 <= error.code < 8000 or error.code == BOT_TASK_GONE.code:
                raise
            await tasks.done(lease, msgspec.to_builtins(Done(failure=error.en)))
    except RenrakuError as error:
        if error.code != BOT_TASK_GONE.code:
            raise
        click.echo(f"時間切れです / it took too long: {error.en}", err=True)
