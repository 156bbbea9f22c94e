"""`renraku user`: people and their accounts, as the operator manages them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import click

from chat_server.cli.operating import JSON, ORGANIZATION, ask_password, chosen, operate
from chat_server.cli.speech import japanese
from chat_server.cli.table import table
from chat_server.domain.actors import DEPARTMENT_ADMIN, ROLES

JST: Final = timezone(timedelta(hours=9))
PASSWORD_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
LOGIN = click.argument("login")


@click.group("user")
def user_group() -> None:
    """Manage people: add, list, disable, enable, password, roles. 利用者の管理。"""


@user_group.command("add")
@ORGANIZATION
@LOGIN
@click.option("--name", required=True, help="Family and given name, with a space. 氏名。")
@click.option("--reading", default="", help="Reading in kana; needed for members. ふりがな。")
@click.option("--former-name", help="Former family name. 旧姓。")
@click.option(
    "--kind",
    type=click.Choice(["member", "guest", "bot"]),
    default="member",
    show_default=True,
    help="What kind of account. 種別。",
)
@click.option("--sponsor", help="Guests: login of the member who answers for them. ゲストの担当者。")
@click.option("--until", help="Guests: the last day, like 2027-03-31. ゲストの終了日。")
@click.option("--department", help="Code of the department of a first main appointment. 所属コード。")
@click.option("--post", default="", help="With --department: the post. 職。")
@click.option("--rank", type=click.IntRange(1, 999), default=999, help="With --department: 1 is the highest. 職位順。")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([r for r in ROLES if r != DEPARTMENT_ADMIN]),
    help="May be given many times. 役割。",
)
@click.option("--no-password", is_flag=True, help="Nobody can sign in until `user password`. パスワードなし。")
@PASSWORD_STDIN
@click.pass_context
def add(
    ctx: click.Context,
    /,
    organization: str | None,
    login: str,
    kind: str,
    no_password: bool,
    password_stdin: bool,
    roles: tuple[str, ...],
    **fields: Any,
) -> None:
    """Add LOGIN and print the id. 利用者を追加します。

    \b
    renraku user add takahashi --name "高橋 健" --reading "たかはし けん"
    renraku user add gyosha --kind guest --name "業者 一郎" --sponsor takahashi --until 2027-03-31
    """
    password = None if no_password or kind == "bot" else ask_password(password_stdin)
    answer = operate(
        ctx, "user.add", organization=chosen(ctx, organization), login=login, kind=kind, roles=list(roles),
        password=password, **fields,
    )  # fmt: skip
    click.echo(answer["id"])


@user_group.command("list")
@ORGANIZATION
@click.argument("query", default="")
@click.option("--disabled", is_flag=True, help="Disabled accounts too. 停止中も表示。")
@JSON
@click.pass_context
def list_people(ctx: click.Context, organization: str | None, query: str, disabled: bool, as_json: bool) -> None:
    """List people in department order. 建制順の一覧。

    QUERY: part of a name or reading, or a login.
    """
    found = operate(ctx, "user.list", organization=chosen(ctx, organization), q=query, disabled=disabled)["people"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    headers = ("ログイン名", "氏名", "ふりがな", "所属", "職", "種別", "役割", "状態")
    if not japanese():
        headers = ("login", "name", "reading", "department", "post", "kind", "roles", "state")
    click.echo(table(headers, (_columns(person) for person in found)))


def _columns(person: dict[str, Any]) -> tuple[Any, ...]:
    state = ""
    if person["disabled_at"] is not None:
        state = f"{'停止' if japanese() else 'disabled'} {_day(person['disabled_at'])}"
    elif person["ends_at"] is not None:
        state = f"{_day(person['ends_at'] - 1)}{'まで' if japanese() else ' last day'}"
    return (
        person["login"], person["name"], person["reading"], person["department"], person["post"], person["kind"],
        ",".join(person["roles"]), state,
    )  # fmt: skip


@user_group.command("disable")
@ORGANIZATION
@LOGIN
@click.pass_context
def disable(ctx: click.Context, organization: str | None, login: str) -> None:
    """Disable LOGIN, who is signed out everywhere. 停止します。

    At once; the messages stay.
    """
    _changed(operate(ctx, "user.disable", organization=chosen(ctx, organization), login=login))


@user_group.command("enable")
@ORGANIZATION
@LOGIN
@click.pass_context
def enable(ctx: click.Context, organization: str | None, login: str) -> None:
    """Enable LOGIN again: the account that had the login last. 停止を解きます。"""
    _changed(operate(ctx, "user.enable", organization=chosen(ctx, organization), login=login))


@user_group.command("rename")
@ORGANIZATION
@LOGIN
@click.option("--name", help="New name; a changed family name keeps the old one as 旧姓. 氏名。")
@click.option("--reading", help="New reading. ふりがな。")
@click.option("--former-name", help="Former family name; empty removes it. 旧姓。")
@click.pass_context
def rename(ctx: click.Context, /, organization: str | None, login: str, **names: str | None) -> None:
    """Change the name of LOGIN. 氏名を変更します。"""
    _changed(operate(ctx, "user.rename", organization=chosen(ctx, organization), login=login, **names))


@user_group.command("password")
@ORGANIZATION
@LOGIN
@PASSWORD_STDIN
@click.pass_context
def password(ctx: click.Context, organization: str | None, login: str, password_stdin: bool) -> None:
    """Set the password of LOGIN, who is signed out everywhere. パスワードを設定します。"""
    code = chosen(ctx, organization)
    _changed(operate(ctx, "user.password", organization=code, login=login, password=ask_password(password_stdin)))


@user_group.command("roles")
@ORGANIZATION
@LOGIN
@click.option("--grant", multiple=True, type=click.Choice(ROLES), help="Give a role. 役割を付与。")
@click.option("--withdraw", multiple=True, type=click.Choice(ROLES), help="Take a role back. 役割を解除。")
@click.option("--department", help="With department_admin: the department's code. 所属コード。")
@click.pass_context
def roles(
    ctx: click.Context, organization: str | None, login: str, grant: tuple[str, ...], withdraw: tuple[str, ...],
    department: str | None,
) -> None:  # fmt: skip
    """Show or change the roles of LOGIN. 役割を表示・変更します。"""
    answer = operate(
        ctx, "user.roles", organization=chosen(ctx, organization), login=login, grant=list(grant),
        withdraw=list(withdraw), department=department,
    )  # fmt: skip
    click.echo("\n".join(answer["roles"]) or ("役割はありません" if japanese() else "no roles"))


@user_group.command("devices")
@ORGANIZATION
@LOGIN
@JSON
@click.pass_context
def devices(ctx: click.Context, organization: str | None, login: str, as_json: bool) -> None:
    """List the devices that LOGIN is signed in on. 端末の一覧。"""
    found = operate(ctx, "user.devices", organization=chosen(ctx, organization), login=login)["devices"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    headers = (
        ("端末", "名前", "ゾーン", "状態", "最終利用")
        if japanese()
        else ("device", "name", "zone", "state", "last seen")
    )
    rows = ((one["id"], one["name"], one["zone"], one["state"], _minute(one["seen_at"])) for one in found)
    click.echo(table(headers, rows))


@user_group.command("approve")
@ORGANIZATION
@LOGIN
@click.argument("device")
@click.option("--issued", is_flag=True, help="The organization gave it out. 貸与した端末です。")
@click.pass_context
def approve_device(ctx: click.Context, organization: str | None, login: str, device: str, issued: bool) -> None:
    """Approve a DEVICE of LOGIN that waits. 端末を承認します。

    DEVICE is an id of `user devices`."""
    operate(
        ctx, "user.approve_device", organization=chosen(ctx, organization), login=login, device=device, issued=issued
    )
    click.echo("承認しました" if japanese() else "approved")


@user_group.command("sign-out")
@ORGANIZATION
@LOGIN
@click.option("--device", help="Only this one (an id of `user devices`). この端末だけ。")
@click.pass_context
def sign_out(ctx: click.Context, organization: str | None, login: str, device: str | None) -> None:
    """Sign LOGIN out everywhere, or on one device: for a lost phone. ログアウトさせます。"""
    answer = operate(ctx, "user.sign_out", organization=chosen(ctx, organization), login=login, device=device)
    click.echo(f"{answer['signed_out']}台 / signed out" if japanese() else f"signed out: {answer['signed_out']}")


def _changed(answer: dict[str, Any]) -> None:
    if answer["changed"]:
        click.echo("変更しました" if japanese() else "done")
    else:
        click.echo("すでにその状態です" if japanese() else "nothing to change")


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, JST):%Y-%m-%d}"


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, JST):%Y-%m-%d %H:%M}"
