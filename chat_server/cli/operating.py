"""Calling the operator's operations from a command, and what an operator types again and again."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from chat_server.cli.gateway import OperationFailed, call
from chat_server.cli.speech import japanese, spoken
from chat_server.config import BadSettings, Settings, load
from chat_server.domain.addresses import without_secrets
from chat_server.storage.engines import present
from chat_server.storage.folder import CannotOpen

ORGANIZATION = click.option(
    "--organization",
    "-o",
    envvar="RENRAKU_ORGANIZATION",
    help="The organization's code (also RENRAKU_ORGANIZATION); not needed while there is only one. 団体コード。",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON. JSONで表示。")

_FIRST: Final = "organization.add"
"""The one operation that may make a database."""


class Refused(click.ClickException):
    """A numbered error that the caller may want to explain further."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(spoken(error["code"], error["ja"], error["en"]))
        self.error = error


def operate(ctx: click.Context, name: str, /, **params: Any) -> dict[str, Any]:
    """Carry out an operation, through the running server if there is one. Ends the command with a sentence if it fails."""
    try:
        settings = load(ctx.obj)
        if name != _FIRST:
            _look_for_database(settings)
        return call(settings, name, {key: value for key, value in params.items() if value is not None})
    except OperationFailed as failed:
        raise Refused(failed.error) from None
    except (BadSettings, CannotOpen) as error:
        raise click.ClickException(str(error)) from None


def _look_for_database(settings: Settings) -> None:
    """A mistyped folder must not become a new, empty one, while the real one stays as it is."""
    folder = without_secrets(settings.database) or settings.folder
    if not present(settings.database, settings.folder):
        raise click.ClickException(
            f"{folder} にデータベースがありません。RENRAKU_DATA を確かめるか、最初の団体を追加してください: "
            "renraku organization add"
            if japanese()
            else f"There is no database in {folder}. Check RENRAKU_DATA, or add the first organization: "
            "renraku organization add."
        )


def chosen(ctx: click.Context, organization: str | None) -> str:
    """The organization meant: the one that was named, or the only one."""
    if organization:
        return organization
    codes = [one["code"] for one in operate(ctx, "organization.list")["organizations"]]
    if len(codes) == 1:
        return str(codes[0])
    if not codes:
        raise click.UsageError(
            "There is no organization yet: renraku organization add CODE NAME. まだ団体がありません。"
        )
    raise click.UsageError(f"Say which organization: --organization {' | '.join(codes)}. 団体を指定してください。")


def ask_password(from_stdin: bool) -> str:
    """A password typed twice, or one line of standard input. Never an argument: every user of the machine sees those."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.UsageError("Standard input holds no password. 標準入力にパスワードがありません。")
        return password
    if not sys.stdin.isatty():
        raise click.UsageError(
            "There is no terminal to ask for a password: use --password-stdin. 端末がないため --password-stdin を使います。"
        )
    return str(click.prompt("パスワード / password", hide_input=True, confirmation_prompt="もう一度 / again"))
