"""`renraku backup` and what looks at backups: `backups`, `verify-backup`, `backup-key`."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import update_wrapper
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from chat_server.backup import sealing
from chat_server.backup.checking import Checked, Snapshot
from chat_server.backup.database import SqliteSource
from chat_server.backup.folder import DATABASE, BackupFolder
from chat_server.backup.manifest import Manifest, read_manifest
from chat_server.backup.polite import Pace, lower_priority
from chat_server.backup.postgresql import PostgresqlSource
from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.streams import make_folder
from chat_server.backup.taking import Taken, Taking
from chat_server.cli import blobs
from chat_server.cli.holding import held
from chat_server.cli.progress import TerminalProgress, amount
from chat_server.cli.serve import settings_of
from chat_server.cli.speech import japanese
from chat_server.cli.table import table
from chat_server.config import Settings
from chat_server.release import release

INCOMPLETE: Final = 3
"""Exit status: the snapshot is there, but some files could not be read."""
NAMED: Final = 20
"""Files that are named one by one; there may be thousands."""
FOLDER = click.Path(file_okay=False, path_type=Path)
SQLITE: Final = "sqlite"
POSTGRESQL: Final = ("postgresql://", "postgres://")
"""How an address begins."""
SPARING: Final = 5.0
"""Seconds of rest for each second of work, while a server runs."""
KEY_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


def said(ja: str, en: str) -> str:
    return ja if japanese() else en


def speaking(command: Callable[..., Any]) -> Callable[..., Any]:
    """A `BackupProblem` ends the command with its sentence."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except BackupProblem as problem:
            raise click.ClickException(said(problem.ja, problem.en)) from None

    return update_wrapper(run, command)


def settings_for(ctx: click.Context, data: Path | None) -> Settings:
    """The settings in force, on another data folder if one was named."""
    settings = settings_of(ctx)
    return settings if data is None else msgspec.structs.replace(settings, data=str(data))


@click.command()
@click.argument("target", type=FOLDER)
@click.option("--key", "keys", multiple=True, metavar="age1…", help="Encrypt to this public key. 公開鍵で暗号化。")
@click.option("--key-file", type=KEY_FILE, help="Encrypt to the public keys in this file. 公開鍵のファイル。")
@click.option("--data", type=FOLDER, help="The data folder (otherwise that of the settings). データフォルダ。")
@click.option("--keep", type=click.IntRange(min=1), help="Remove all but the newest N snapshots. 残す世代数。")
@click.option("--verify", is_flag=True, help="Read the whole snapshot again afterwards. 作成後に全体を確認。")
@click.option("--verify-all", is_flag=True, help="Read again also what earlier backups copied. 既存分も読み直す。")
@click.option("--full-speed", is_flag=True, help="Do not spare the running server. 速度優先。")
@click.pass_context
@speaking
def backup(
    ctx: click.Context, target: Path, keys: tuple[str, ...], key_file: Path | None, data: Path | None,
    keep: int | None, verify: bool, verify_all: bool, full_speed: bool,
) -> None:  # fmt: skip
    """Back up database and files to the folder TARGET. バックアップを作ります。

    Works while the server runs, and slows it down little. Files that TARGET has already are not copied again. Exit
    status 3: the snapshot is there, but some files could not be read.

    \b
    renraku backup /mnt/backup/renraku --key-file /etc/renraku-backup.keys --keep 14
    """
    settings = settings_for(ctx, data)
    if target.absolute().is_relative_to(settings.folder.absolute()):
        raise BackupProblem(
            "バックアップ先がデータフォルダの中にあります。別のディスクを指定してください。",
            "The target lies inside the data folder. Choose another disk.",
        )
    seal = sealing.seal_to([*keys, *(sealing.keys_in(key_file) if key_file else ())])
    source = PostgresqlSource(settings.database) if settings.database else SqliteSource(settings.folder)
    folder, progress = BackupFolder(target), TerminalProgress()
    lower_priority()
    with (
        held(settings) as runs,
        _work(settings.folder) as work,
        blobs.source(settings.blobs, settings.folder, work) as files,
    ):
        pace = Pace(SPARING if runs and not full_speed else 0.0)
        taken = Taking(source, files, folder, seal, pace, progress, release(), work, verify_all).run()
    progress.end()
    _report(taken)
    if taken.lost:
        ctx.exit(INCOMPLETE)
    if verify:
        _verified(Snapshot(taken.path), progress, pace)
    if keep is not None:
        with folder.locked():
            snapshots, removed = folder.keep(keep)
        click.echo(
            said(
                f"古い控えを{snapshots}件、ファイルを{removed}件削除しました。",
                f"Removed {snapshots} older snapshots and {removed} files that only they named.",
            )
        )


@contextlib.contextmanager
def _work(data: Path) -> Iterator[Path]:
    """A folder for the unencrypted copy of the database. What a backup that was killed left there goes."""
    path = data / "backup"
    with writing(data):
        shutil.rmtree(path, ignore_errors=True)
    make_folder(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _report(taken: Taken) -> None:
    found = taken.manifest
    stored = f"{taken.new} ({amount(taken.new_size)})"
    lines = [
        (said("控え", "snapshot"), str(taken.path)),
        (said("データベース", "database"), f"{amount(found.database.size)}, {_messages(found)}"),
        (
            said("ファイル", "files"),
            f"{found.blobs.count} ({amount(found.blobs.size)}), {said('新規', 'new')}: {stored}",
        ),
        (said("暗号化", "encrypted"), ", ".join(found.keys) or said("なし", "no")),
    ]
    click.echo(table(("", ""), lines).lstrip())
    for lost in taken.lost[:NAMED]:
        where = f"{lost.org_id}/{lost.sha256}"
        click.echo(said(f"読めません: {where} ({lost.reason})", f"Cannot be read: {where} ({lost.reason})"), err=True)
    if taken.lost:
        click.echo(
            said(
                f"{len(taken.lost)}件のファイルが読めませんでした。ディスクを確かめてください。ほかはすべて控えました。",
                f"{len(taken.lost)} files could not be read: look at the disk. Everything else is backed up.",
            ),
            err=True,
        )


def _messages(found: Manifest) -> str:
    return said(f"メッセージ{found.tables.get('messages', 0)}件", f"{found.tables.get('messages', 0)} messages")


@click.command("backup-key")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@speaking
def backup_key(path: Path) -> None:
    """Make a key pair for encrypted backups. 暗号化の鍵を作ります。

    The private key goes into FILE; the public one is printed. `age-keygen` makes the same kind.
    """
    public = sealing.make_key(path)
    click.echo(public)
    click.echo(
        said(
            f"これは公開鍵です。サーバーには公開鍵だけを置き、`renraku backup --key` に渡します。\n"
            f"秘密鍵は {path} にあります。サーバーの外(金庫の USB メモリなど)に二つ以上保管し、ここからは消してください。\n"
            f"秘密鍵を失うと、控えは誰にも開けません。",
            f"That is the public key: the server needs it alone (renraku backup --key).\n"
            f"The private key is in {path}. Keep two copies away from the server (on a stick in a safe, say), and delete "
            f"it here.\nWithout it nobody, not even we, can open the backups.",
        ),
        err=True,
    )


@click.command()
@click.argument("folder", type=FOLDER)
@speaking
def backups(folder: Path) -> None:
    """List the snapshots in FOLDER. 控えの一覧。"""
    found = BackupFolder(folder)
    rows = [_row(path) for path in found.complete()]
    rows += [(path.name, said("未完了", "half done"), "", "", "", "", "") for path in found.halves()]
    if not rows:
        raise BackupProblem(f"{folder} に控えがありません。", f"There is no snapshot in {folder}.")
    headers = (
        ("控え", "状態", "版", "データベース", "メッセージ", "ファイル", "暗号化")
        if japanese()
        else ("snapshot", "state", "release", "database", "messages", "files", "encrypted")
    )
    click.echo(table(headers, sorted(rows)))


def _row(path: Path) -> tuple[str, ...]:
    try:
        found = read_manifest(path)
    except BackupProblem:
        return path.name, said("壊れています", "damaged"), "", "", "", "", ""
    lost = (
        said(f"欠落 {found.blobs.lost}", f"{found.blobs.lost} lost") if found.blobs.lost else said("完了", "complete")
    )
    return (
        path.name, lost, found.release, f"{amount(found.database.size)} ({found.engine})",
        str(found.tables.get("messages", 0)), f"{found.blobs.count} ({amount(found.blobs.size)})",
        ", ".join(key[:12] + "…" for key in found.keys) or said("なし", "no"),
    )  # fmt: skip


@click.command("verify-backup")
@click.argument("snapshot", type=FOLDER)
@click.option("--identity", type=KEY_FILE, help="The private key's file, to look inside as well. 秘密鍵のファイル。")
@speaking
def verify_backup(snapshot: Path, identity: Path | None) -> None:
    """Check a snapshot wholly. 控え全体を確かめます。

    SNAPSHOT is one of the folders in `snapshots`, or the folder of backups: then the newest. An encrypted one is checked
    also without the private key: everything in it is what was written. Exit status 1 if anything is not.
    """
    progress = TerminalProgress()
    _verified(Snapshot(snapshot, sealing.read_identity(identity) if identity else None), progress, Pace())


def _verified(snapshot: Snapshot, progress: TerminalProgress, pace: Pace) -> None:
    progress.begin("データベースを確かめています", "Checking the database")
    snapshot.check_stored_database()
    opened = not snapshot.seal.keys or snapshot.identity is not None
    if not snapshot.seal.keys:
        snapshot.check_database(snapshot.database, pace)
    elif opened:
        with tempfile.TemporaryDirectory() as work:
            snapshot.unpack_database(Path(work) / DATABASE, pace)
    checked = snapshot.check_blobs(progress, pace)
    progress.end()
    refuse_faults(checked)
    name, count = snapshot.path.name, snapshot.manifest.blobs.count
    click.echo(
        said(f"{name}: データベースとファイル{count}件、異常なし", f"{name}: the database and {count} files are whole")
        + ("" if opened else said("(暗号の中は見ていません)", " (not opened: no --identity)"))
    )
    for line in checked.lost[:NAMED]:
        click.echo(
            said(
                f"控えを作ったときに読めなかったファイル: {line.org_id}/{line.sha256}",
                f"Could not be read when the snapshot was made: {line.org_id}/{line.sha256}",
            ),
            err=True,
        )


def refuse_faults(checked: Checked) -> None:
    """Ends the command with the names of blobs that are not what they were."""
    if not checked.faults:
        return
    lines = [said(f"{fault.path} {fault.ja}", f"{fault.path} {fault.en}") for fault in checked.faults[:NAMED]]
    more = len(checked.faults) - len(lines)
    lines += [said(f"ほか{more}件", f"and {more} more")] if more else []
    raise click.ClickException(said("控えに異常があります。\n", "The snapshot is not whole.\n") + "\n".join(lines))
