"""`renraku organization`, `renraku audit`, `renraku keys`: what the operator does for an organization as a whole."""

from __future__ import annotations

import json

import click

from chat_server.cli.operating import JSON, ORGANIZATION, chosen, operate
from chat_server.cli.speech import japanese
from chat_server.cli.table import table
from chat_server.domain.policy import RULES


@click.group("organization")
def organization_group() -> None:
    """Manage organizations: add, list, policy. 団体の管理。"""


@organization_group.command("add")
@click.argument("code")
@click.argument("name")
@click.pass_context
def add(ctx: click.Context, code: str, name: str) -> None:
    """Add the organization NAME; people type CODE when they sign in. 団体を追加します。

    \b
    renraku organization add midorino "みどりの市"
    """
    click.echo(operate(ctx, "organization.add", code=code, name=name)["id"])


@organization_group.command("list")
@JSON
@click.pass_context
def list_organizations(ctx: click.Context, as_json: bool) -> None:
    """List all organizations. 団体の一覧。"""
    found = operate(ctx, "organization.list")["organizations"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    headers = ("コード", "名称", "人数") if japanese() else ("code", "name", "people")
    click.echo(table(headers, ((one["code"], one["name"], one["people"]) for one in found)))


@organization_group.command("policy")
@click.argument("code")
@click.argument("rules", nargs=-1, metavar="[RULE=VALUE]...")
@JSON
@click.pass_context
def policy(ctx: click.Context, code: str, rules: tuple[str, ...], as_json: bool) -> None:
    """Show or change the rules of the organization CODE. 団体の規則。

    RULE=VALUE changes a rule, RULE= makes it the default again.

    \b
    renraku organization policy midorino
    renraku organization policy midorino create_open=organization_admin invite_guests=
    """
    wanted = dict(_rule(text) for text in rules)
    found = operate(ctx, "organization.policy", organization=code, policy=wanted)["policy"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    headers = ("規則", "値", "選べる値") if japanese() else ("rule", "value", "one of")
    click.echo(table(headers, ((rule, value, " | ".join(RULES.get(rule, ()))) for rule, value in found.items())))


def _rule(text: str) -> tuple[str, str | None]:
    rule, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"'{text}' is no RULE=VALUE. 規則=値の形で指定してください。")
    return rule, value or None


@click.group("audit")
def audit_group() -> None:
    """Check the audit trail: head, verify. 監査記録の確認。"""


@audit_group.command("head")
@ORGANIZATION
@click.pass_context
def head(ctx: click.Context, organization: str | None) -> None:
    """Print the trail's end. Note it elsewhere: it is the witness for `verify`. 末尾の値を表示します。"""
    answer = operate(ctx, "audit.head", organization=chosen(ctx, organization))
    click.echo(f"{answer['seq']} {answer['hash']}")


@audit_group.command("verify")
@ORGANIZATION
@click.option("--witness", nargs=2, type=(int, str), help="SEQ and HASH, noted earlier from `head`. 控えておいた値。")
@click.pass_context
def verify(ctx: click.Context, organization: str | None, witness: tuple[int, str] | None) -> None:
    """Recompute the trail: exit status 1 if it was tampered with. 改ざんを調べます。

    Edited, missing and cut-off rows are found.

    Without a witness, somebody who can write the database file could have rewritten everything consistently.
    """
    seq, digest = witness or (None, None)
    answer = operate(ctx, "audit.verify", organization=chosen(ctx, organization), seq=seq, hash=digest)
    if answer["ok"]:
        click.echo(f"{answer['rows']}件 異常なし" if japanese() else f"{answer['rows']} rows, whole")
        return
    fault = f"{answer['fault']} (seq {answer['seq']})"
    raise click.ClickException(f"監査記録に異常があります: {fault}" if japanese() else f"The trail is broken: {fault}")


@click.group("keys")
def keys_group() -> None:
    """Rotate signing keys. 署名鍵の交換。"""


@keys_group.command("rotate")
@click.argument("purpose", type=click.Choice(["token", "file"]))
@click.option(
    "--at-once", is_flag=True, help="The old key leaked: what it signed no longer holds. 旧鍵を即時に無効化。"
)
@click.pass_context
def rotate(ctx: click.Context, purpose: str, at_once: bool) -> None:
    """Sign with a new key from now on. 新しい鍵で署名します。

    token: access tokens; file: addresses of files. The old key goes on verifying until everything it signed has expired, so nobody notices.
    """
    click.echo(operate(ctx, "keys.rotate", purpose=purpose, at_once=at_once)["kid"])
