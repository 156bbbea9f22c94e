"""`renraku migrate-engine`: from SQLite to PostgreSQL and back."""

from __future__ import annotations

from pathlib import Path

import click

from chat_server.backup import moving
from chat_server.backup.database import Facts
from chat_server.backup.problems import BackupProblem
from chat_server.cli.backup import FOLDER, POSTGRESQL, SQLITE, said, settings_for, speaking
from chat_server.cli.progress import TerminalProgress
from chat_server.domain.addresses import without_secrets


@click.command("migrate-engine")
@click.option("--to", "target", required=True, help="postgresql://… (an empty database), or sqlite. 移す先。")
@click.option("--from", "source", help="postgresql://…, for --to sqlite (otherwise the settings' `database`). 移す元。")
@click.option("--data", type=FOLDER, help="The data folder (otherwise that of the settings). データフォルダ。")
@click.pass_context
@speaking
def migrate_engine(ctx: click.Context, target: str, source: str | None, data: Path | None) -> None:
    """Move the database to another engine. データベースを移します。

    With every server stopped. Each table is compared with its source, row by row; if anything differs, nothing is there.
    Streams, sessions and files stay as they are, and so does the source.

    \b
    renraku migrate-engine --to postgresql://renraku@db.example/renraku
    renraku migrate-engine --to sqlite
    """
    settings, progress = settings_for(ctx, data), TerminalProgress()
    source = source or settings.database
    if target == SQLITE:
        if not source:
            raise BackupProblem(
                "移す元が分かりません。--from に postgresql://… を指定してください。",
                "It is on SQLite already, by the settings. If not, say --from postgresql://….",
            )
        facts = moving.to_sqlite(source, settings.folder, progress)
        line = 'database = ""'
    elif target.startswith(POSTGRESQL):
        if source:
            raise BackupProblem(
                "設定の `database` はもう PostgreSQL です。別の PostgreSQL へは PostgreSQL 自身の道具で移してください。",
                "It is on PostgreSQL already, by the settings. To another one it goes by PostgreSQL's own tools.",
            )
        facts = moving.to_postgresql(settings.folder, target, progress)
        line = f'database = "{without_secrets(target)}"'
    else:
        raise BackupProblem(
            "--to には postgresql://… か sqlite を指定してください。", "--to is postgresql://… or sqlite."
        )
    progress.end()
    _report(facts, line)


def _report(facts: Facts, line: str) -> None:
    count, rows = len(facts.tables) - 1, sum(facts.tables.values()) - facts.tables["migrations"]
    click.echo(
        said(
            f"{count}の表、{rows}行を移しました。元とすべて一致しています。\n設定を次のように変えて、起動してください:\n\n    {line}\n\n"
            f"元のデータはそのまま残っています。新しいほうで動くことを確かめてから、片付けてください。",
            f"{count} tables and {rows} rows are there, all as in the source.\nNow change the settings, and start:\n\n"
            f"    {line}\n\nThe source is as it was. Put it away when you have seen that the new one works.",
        )
    )
