"""`renraku room`: rooms as the operator manages them, without seeing what is said there."""

from __future__ import annotations

import json

import click

from chat_server.cli.operating import JSON, ORGANIZATION, chosen, operate
from chat_server.cli.table import table


@click.group("room")
def room_group() -> None:
    """Manage rooms: add, list, show, archive, outflow, members. トークルームの管理。"""


@room_group.command("add")
@ORGANIZATION
@click.argument("name")
@click.option("--owner", required=True, help="Login of the room's owner.")
@click.option(
    "--kind",
    type=click.Choice(["private", "open", "announcement"]),
    default="private",
    show_default=True,
    help="Who may come in. 種類。",
)
@click.option("--topic", default="", help="What the room is for.")
@click.option("--reading", default="", help="How its name is read, in kana: it is found by that. よみ。")
@click.option("--history", type=click.Choice(["all", "joined"]), default="all", help="What newcomers see.")
@click.option("--member", "members", multiple=True, help="Login of a member; may be given many times.")
@click.pass_context
def add(
    ctx: click.Context, organization: str | None, name: str, owner: str, kind: str, topic: str, reading: str,
    history: str, members: tuple[str, ...],
) -> None:  # fmt: skip
    """Make a room NAME and print its id. トークルームを作ります。"""
    answer = operate(
        ctx, "room.add", organization=chosen(ctx, organization), name=name, owner=owner, kind=kind, topic=topic, reading=reading,
        history=history, members=list(members),
    )  # fmt: skip
    click.echo(answer["id"])


@room_group.command("list")
@ORGANIZATION
@JSON
@click.pass_context
def list_rooms(ctx: click.Context, organization: str | None, as_json: bool) -> None:
    """All rooms but direct and memo rooms. 一覧。"""
    rooms = operate(ctx, "room.list", organization=chosen(ctx, organization))["rooms"]
    if as_json:
        click.echo(json.dumps(rooms, ensure_ascii=False, indent=2))
        return
    rows = [
        (
            room["id"],
            room["kind"],
            room["members"],
            room["messages"],
            room["name"],
            "保管済み" if room["archived"] else "",
        )
        for room in rooms
    ]
    click.echo(table(("ID", "種類", "人数", "件数", "名前", ""), rows))


@room_group.command("show")
@ORGANIZATION
@click.argument("room")
@click.pass_context
def show(ctx: click.Context, organization: str | None, room: str) -> None:
    """Who is in ROOM (an id). メンバーの一覧。"""
    members = operate(ctx, "room.show", organization=chosen(ctx, organization), room=room)["members"]
    rows = [(one["role"], one["organization"], one["login"], one["name"]) for one in members]
    click.echo(table(("役割", "団体", "ログイン名", "氏名"), rows))


@room_group.command("archive")
@ORGANIZATION
@click.argument("room")
@click.option("--undo", is_flag=True, help="Bring it back.")
@click.pass_context
def archive(ctx: click.Context, organization: str | None, room: str, undo: bool) -> None:
    """Archive ROOM (an id): everybody reads, nobody writes. 保管します。"""
    operate(ctx, "room.archive", organization=chosen(ctx, organization), room=room, archived=not undo)
    click.echo("done")


@room_group.command("outflow")
@ORGANIZATION
@click.argument("room")
@click.argument("outflow", type=click.Choice(["text", "view", "approve", "download"]), required=False)
@click.pass_context
def outflow(ctx: click.Context, organization: str | None, room: str, outflow: str | None) -> None:
    """Show or change what other networks get of ROOM's files. 持ち出しの範囲。

    ROOM is an id; the other networks are the less trusted ones.

    \b
    text      no files at all
    view      previews and thumbnails (the default)
    approve   files in full size, each once somebody has approved of it
    download  files in full size as well
    """
    answer = operate(ctx, "room.outflow", organization=chosen(ctx, organization), room=room, outflow=outflow)
    click.echo(answer["outflow"])


@room_group.command("member")
@ORGANIZATION
@click.argument("room")
@click.argument("login")
@click.option(
    "--role",
    type=click.Choice(["owner", "member", "read_only"]),
    default="member",
    show_default=True,
    help="What they may do there. 役割。",
)
@click.option("--remove", is_flag=True, help="Take the person out instead.")
@click.pass_context
def member(ctx: click.Context, organization: str | None, room: str, login: str, role: str, remove: bool) -> None:
    """Bring LOGIN into ROOM, change the role, or take out. メンバーを変更します。"""
    operate(
        ctx, "room.member", organization=chosen(ctx, organization), room=room, login=login, role="" if remove else role
    )
    click.echo("done")
