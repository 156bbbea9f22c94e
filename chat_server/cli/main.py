"""`renraku`: the command line. Each group lives in a module of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chat_server import logs
from chat_server.app import release
from chat_server.cli import client, files
from chat_server.cli.backup import backup, backup_key, backups, verify_backup
from chat_server.cli.bot import bot_group
from chat_server.cli.config import config_group
from chat_server.cli.hook import hook_group
from chat_server.cli.import_staff import import_staff
from chat_server.cli.migrate_engine import migrate_engine
from chat_server.cli.nodes import nodes
from chat_server.cli.organization import audit_group, keys_group, organization_group
from chat_server.cli.outbox import outbox
from chat_server.cli.restore import restore
from chat_server.cli.restored import restored
from chat_server.cli.room import room_group
from chat_server.cli.sanitize import sanitize
from chat_server.cli.search import search
from chat_server.cli.serve import demo, health, serve
from chat_server.cli.user import user_group

SECTIONS = {
    "Server サーバー": (serve, demo, health, nodes, config_group),
    "Operator 運用": (
        organization_group,
        import_staff,
        user_group,
        room_group,
        bot_group,
        hook_group,
        audit_group,
        keys_group,
        outbox,
    ),
    "Backup バックアップ": (backup, backups, verify_backup, backup_key, restore, restored, migrate_engine),
    "Files ファイル": (sanitize,),
    "Client クライアント": (
        client.login,
        client.logout,
        client.rooms_command,
        client.post,
        client.tail,
        search,
        files.files_command,
        files.download,
    ),
}


class _Renraku(click.Group):
    """Lists its commands by who uses them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, self.commands))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", command.get_short_help_str(limit)) for command in commands])


@click.group(cls=_Renraku, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(release(), prog_name="renraku")
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file (TOML). Also RENRAKU_CONFIG. See config/renraku.example.toml.",
)
@click.pass_context
def renraku(ctx: click.Context, path: Path | None) -> None:
    """Renraku (連絡): a chat server for organizations inside closed networks. 閉域網のためのチャットサーバー。

    `renraku demo` starts a server with an invented municipality to look at; `renraku serve` starts a real one.
    """
    ctx.obj = path


for commands in SECTIONS.values():
    for command in commands:
        renraku.add_command(command)


def main() -> None:
    """The console script."""
    logs.quiet()
    sys.exit(renraku())
