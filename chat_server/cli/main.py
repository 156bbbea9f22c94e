"""`renraku`: the command line. Each group lives in a module of its own."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from chat_server import logs
from chat_server.release import release

SECTIONS: Final = {
    "Server サーバー": {
        "serve": "serve:serve", "demo": "serve:demo", "health": "serve:health", "nodes": "nodes:nodes",
        "config": "config:config_group", "push-relay": "push_relay:push_relay",
    },
    "Operator 運用": {
        "organization": "organization:organization_group", "import-staff": "import_staff:import_staff",
        "user": "user:user_group", "room": "room:room_group", "bot": "bot:bot_group", "hook": "hook:hook_group",
        "push": "push:push_group",
        "audit": "organization:audit_group", "keys": "organization:keys_group", "outbox": "outbox:outbox",
    },
    "Backup バックアップ": {
        "backup": "backup:backup", "backups": "backup:backups", "verify-backup": "backup:verify_backup",
        "backup-key": "backup:backup_key", "restore": "restore:restore", "restored": "restored:restored",
        "migrate-engine": "migrate_engine:migrate_engine",
    },
    "Files ファイル": {"sanitize": "sanitize:sanitize"},
    "Client クライアント": {
        "login": "client:login", "logout": "client:logout", "rooms": "client:rooms_command", "post": "client:post",
        "tail": "client:tail", "search": "search:search", "link": "link:link_group", "files": "files:files_command",
        "download": "files:download",
    },
}  # fmt: skip
"""Commands by who uses them: their modules in this folder, and what they are called there."""
_PLACES: Final = {name: place for section in SECTIONS.values() for name, place in section.items()}


class _Renraku(click.Group):
    """Loads a command when it is called: whoever posts a message does not wait for the server's code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PLACES:
            return None
        module, _, name = _PLACES[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"chat_server.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, _PLACES))
        for title, section in SECTIONS.items():
            found = [(name, self.get_command(ctx, name)) for name in section]
            with formatter.section(title):
                formatter.write_dl([(name, one.get_short_help_str(limit)) for name, one in found if one is not None])


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


def main() -> None:
    """The console script."""
    logs.quiet()
    sys.exit(renraku())
