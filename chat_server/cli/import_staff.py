"""`renraku import-staff`: the personnel list, with its difference shown before and while it is done."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, BinaryIO

import click

from chat_server.cli.operating import JSON, ORGANIZATION, Refused, chosen, operate
from chat_server.cli.speech import japanese
from chat_server.domain.errors import CSV_INVALID


@click.command("import-staff")
@click.argument("file", type=click.File("rb"))
@ORGANIZATION
@click.option("--dry-run", is_flag=True, help="Show the difference and change nothing. 差分の表示のみ。")
@click.option("--disable-missing", is_flag=True, help="Disable people who are not in the file. 名簿にない職員を停止。")
@click.option(
    "--close-missing", is_flag=True, help="Close departments that are not in the file. 名簿にない所属を閉鎖。"
)
@click.option(
    "--returning", multiple=True, metavar="LOGIN", help="A disabled person comes back; may be repeated. 復帰者。"
)
@click.option("--as-of", metavar="DAY", help="The day it holds from, like 2027-04-01; today if absent. 基準日。")
@click.option("--encoding", type=click.Choice(["utf-8", "cp932"]), help="Where guessing goes wrong. 文字コード。")
@JSON
@click.pass_context
def import_staff(
    ctx: click.Context, /, file: BinaryIO, organization: str | None, as_json: bool, returning: tuple[str, ...],
    **options: Any,
) -> None:  # fmt: skip
    """Import the staff list from a CSV FILE. 職員名簿を取り込みます。

    Departments, people and appointments; FILE is - for standard input. UTF-8 or CP932, as Excel writes it. Every line is checked before anything is changed; the same file twice changes
    nothing; an interrupted import is simply repeated. The columns: docs/staff-csv.md.

    \b
    renraku import-staff staff.csv --dry-run
    renraku import-staff staff.csv
    """
    content = b64encode(file.read()).decode("ascii")
    try:
        answer = operate(
            ctx, "staff.import", organization=chosen(ctx, organization), content=content, returning=list(returning),
            **options,
        )  # fmt: skip
    except Refused as refused:
        if refused.error["code"] == CSV_INVALID.code:
            _show_faults(refused.error["params"].get("faults", []))
        raise
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(answer["lines"]["ja" if japanese() else "en"]))


def _show_faults(faults: list[dict[str, Any]]) -> None:
    """All of them, on standard error: who corrects a list wants to do it once."""
    for fault in faults:
        where = f"{fault['line']}行目 {fault['field']}" if japanese() else f"line {fault['line']}, {fault['field']}"
        click.echo(f"{where}: {fault['reason']}", err=True)
