"""`renraku sanitize`: the sanitizer alone, without a server."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final, Literal

import click
import msgspec

from chat_server.cli.speech import japanese
from chat_server.cli.table import plain, size
from chat_server.decoders.helper import Helper
from chat_server.decoders.outcome import NoSpace
from chat_server.decoders.process import DecoderDied
from chat_server.documents.office import Office
from chat_server.sanitizing import words
from chat_server.sanitizing.antivirus import Antivirus
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.engine import Engine
from chat_server.sanitizing.policy import Policy
from chat_server.sanitizing.report import Report

REFUSED: Final = 3
"""Exit status: a file was refused."""
_AT_ONCE: Final = 2
_ASK: Final = "-"
_ACTIONS: Final = {
    "rebuilt": ("作り直しました", "rebuilt"),
    "converted": ("変換しました", "converted"),
    "flattened": ("画像にしました", "made pictures of its pages"),
    "passed": ("そのまま通しました", "passed as it is"),
    "refused": ("受け取れません", "refused"),
}
_PREVIEW: Final = ("図面を画像にしたPDF", "a page that shows the drawing")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what is released. 出力先のフォルダー。",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='TOML: [formats] with a line like `pdf = "flatten"` or `xls = "refuse"`. 形式ごとの扱い。',
)
@click.option("--password", default="", help="Of protected files; - asks for it. パスワード。")
@click.option("--antivirus", "scanner", default="", help="clamd: unix:/path or host:port. ウイルス対策ソフト。")
@click.option("--report", type=click.Choice(["text", "json"]), default="text", help="json: one object a line.")
def sanitize(
    files: tuple[Path, ...],
    out: Path,
    policy_file: Path | None,
    password: str,
    scanner: str,
    report: Literal["text", "json"],
) -> None:
    """Take files apart and rebuild them without what is active. ファイルを無害化します。

    Exit status: 0 every file was released, 3 one was refused, 2 wrong use.
    """
    policy, antivirus = _policy(policy_file), _antivirus(scanner)
    if password == _ASK:
        password = click.prompt("パスワード / password", hide_input=True, err=True)
    try:
        out.mkdir(parents=True, exist_ok=True)
        reports = asyncio.run(_all(files, out, policy, password, antivirus, report))
    except (OSError, DecoderDied) as error:
        raise click.ClickException(str(error)) from None
    except NoSpace:
        raise click.ClickException(_said("ディスクの空きが足りません。", "The disk is full.")) from None
    sys.exit(0 if all(each.released for each in reports) else REFUSED)


def _said(ja: str, en: str) -> str:
    return ja if japanese() else en


def _policy(path: Path | None) -> Policy:
    if path is None:
        return Policy()
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Policy)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(str(error), param_hint="--policy") from None


def _antivirus(address: str) -> Antivirus | None:
    try:
        return Antivirus(address) if address else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--antivirus") from None


async def _all(
    files: tuple[Path, ...], out: Path, policy: Policy, password: str, antivirus: Antivirus | None, how: str
) -> list[Report]:
    """In the order in which they were named, whichever is done first."""
    with tempfile.TemporaryDirectory(dir=out, prefix=".sanitizing-") as scratch:
        office, helper = await Office.find(Path(scratch)), await Helper.find(Path(scratch), cad.BOUNDS)
        engine = Engine(workers=min(_AT_ONCE, len(files)), office=office, helper=helper, antivirus=antivirus)
        try:
            await engine.start()
            turns = asyncio.Semaphore(_AT_ONCE)

            async def one(path: Path) -> Report:
                async with turns:
                    return await engine.sanitize(path, path.name, out, policy, password)

            reports = []
            for waiting in [asyncio.ensure_future(one(path)) for path in files]:
                reports.append(await waiting)
                click.echo(_line(reports[-1]) if how == "json" else "\n".join(_lines(reports[-1], "")))
            return reports
        finally:
            await engine.close()


def _line(report: Report) -> str:
    return msgspec.json.encode(report).decode()


def _lines(report: Report, indent: str) -> list[str]:
    """What a person reads: one line a file, and below it what was taken out and what to mind."""
    pick = 0 if japanese() else 1
    mark = "✓" if report.released else "✗"
    became = f" → {plain(report.output)} ({size(report.size_after or 0)})" if report.output else ""
    found = [f"{indent}{mark} {plain(report.file)}  {_ACTIONS[report.action][pick]}{became}"]
    if report.preview is not None:
        found += [f"{indent}    + {plain(report.preview)}  {_PREVIEW[pick]}"]
    if report.reason is not None:
        found += [f"{indent}    {sentence[pick]}" for sentence in words.REASONS[report.reason]]
    found += [f"{indent}    − {plain(words.sentence(each)[pick])}" for each in report.removed]
    found += [f"{indent}    ! {words.WARNINGS[each][pick]}" for each in report.warnings]
    for part in report.parts:
        found += _lines(part, indent + "    ")
    return found
