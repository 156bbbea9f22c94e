"""`renraku restore`: a snapshot into a data folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from chat_server.backup import postgresql, sealing
from chat_server.backup.checking import Snapshot
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem
from chat_server.backup.restoring import DataTarget, Done, Restoring
from chat_server.cli import blobs as blob_places
from chat_server.cli.backup import (
    FOLDER,
    KEY_FILE,
    NAMED,
    POSTGRESQL,
    SQLITE,
    refuse_faults,
    said,
    settings_for,
    speaking,
)
from chat_server.cli.progress import TerminalProgress
from chat_server.clock import SystemClock

WORD = "replace"


@click.command()
@click.argument("snapshot", type=FOLDER)
@click.option("--data", type=FOLDER, help="Where to (otherwise the settings' data folder). 復元先。")
@click.option("--identity", type=KEY_FILE, help="The private key's file, if it is encrypted. 秘密鍵のファイル。")
@click.option(
    "--database", help="postgresql://… (an empty one) or sqlite; otherwise that of the settings. 復元先のデータベース。"
)
@click.option(
    "--blobs",
    metavar="PLACE",
    help="Where the files go: a folder, s3://…; otherwise as in the settings. ファイルの場所。",
)
@click.option(
    "--replace", is_flag=True, help="Put the data aside that is there; asks for a word. 今あるデータと入れ替え。"
)
@click.pass_context
@speaking
def restore(
    ctx: click.Context,
    snapshot: Path,
    data: Path | None,
    identity: Path | None,
    database: str | None,
    blobs: str | None,
    replace: bool,
) -> None:
    """Restore SNAPSHOT into a data folder. 控えから復元します。

    SNAPSHOT is one of the folders in `snapshots`, or the folder of backups: then the newest. All of it is checked before
    anything is touched. Afterwards everybody signs in anew, clients load their rooms anew and send again what was not
    acknowledged, and jobs that were waiting are parked (`renraku outbox`).

    \b
    renraku restore /mnt/backup/renraku --data /var/lib/renraku/data
    """
    settings = settings_for(ctx, data)
    found = Snapshot(snapshot, sealing.read_identity(identity) if identity else None)
    target, progress = DataTarget(settings.folder), TerminalProgress()
    database = settings.database if database is None else database
    elsewhere = None
    if database.startswith(POSTGRESQL):
        postgresql.check_empty(database)
        elsewhere = partial(postgresql.fill, database, on_bytes=progress.bytes)
    elif database not in ("", SQLITE):
        raise BackupProblem(
            "--database には postgresql://… か sqlite を指定してください。", "--database is postgresql://… or sqlite."
        )
    target.check_owner()
    place = settings.blobs if blobs is None else blobs
    with target.locked(), blob_places.target(place, settings.folder) as store:
        restoring = Restoring(found, target, progress, SystemClock(), Pace(), elsewhere, store)
        if target.occupied():
            _ask(target, found, replace)
        checked = restoring.check()
        progress.end()
        refuse_faults(checked)
        done = restoring.run(tuple(checked.lost))
    progress.end()
    _report(found, target, done)


def _ask(target: DataTarget, found: Snapshot, replace: bool) -> None:
    if not replace:
        raise BackupProblem(
            f"{target.path} にはもうデータがあります。空のフォルダを指定するか、入れ替えるなら --replace を付けてください。",
            f"There is data in {target.path} already. Name an empty folder, or replace it with --replace.",
        )
    click.echo(
        said(
            f"{target.path} のデータを、控え {found.path.name} と入れ替えます。\n"
            f"その後に書かれたものは見えなくなります(今のデータは replaced-… に残ります)。",
            f"The data in {target.path} will be replaced by the snapshot {found.path.name}.\n"
            f"What was written since then will not be seen (today's data stays in replaced-…).",
        ),
        err=True,
    )
    if click.prompt(said(f"続けるには {WORD} と入力", f"Type {WORD} to go on"), err=True) != WORD:
        raise BackupProblem("何も変更していません。", "Nothing was changed.")


def _report(found: Snapshot, target: DataTarget, done: Done) -> None:
    click.echo(
        said(
            f"{found.path.name} を {target.path} に復元しました。\n"
            f"全員が改めてログインします({done.restored.devices}台)。",
            f"{found.path.name} is restored into {target.path}.\n"
            f"Everybody signs in anew ({done.restored.devices} devices were signed in).",
        )
    )
    if done.restored.parked:
        click.echo(
            said(
                f"待っていた処理{done.restored.parked}件は保留しました: renraku outbox",
                f"{done.restored.parked} jobs that were waiting are parked: renraku outbox.",
            )
        )
    if done.aside:
        click.echo(
            said(
                f"前のデータは {done.aside} にあります。要らなくなったら削除してください。",
                f"The data that was there is in {done.aside}. Remove it when you need it no more.",
            )
        )
    for line in done.lost[:NAMED]:
        click.echo(
            said(
                f"控えにないファイル(作成時に読めなかったもの): {line.org_id}/{line.sha256}",
                f"Not in the snapshot (unreadable when it was made): {line.org_id}/{line.sha256}",
            ),
            err=True,
        )
