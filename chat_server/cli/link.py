"""Upload links on the command line: asked for, listed, taken back."""

from __future__ import annotations

import datetime
import json
from typing import Any, Final

import click

from chat_server.cli.person import choose, run, signed_in, store, waiting
from chat_server.cli.table import table
from chat_server.domain import limits
from chat_server.domain.links import FAMILIES

_STATES: Final = {
    "new": "公開前 / not given out",
    "open": "受付中 / open",
    "opened": "相手が開いた / opened",
    "received": "受領中 / files came",
    "done": "完了 / done",
    "expired": "期限切れ / expired",
    "revoked": "取り消し / revoked",
}


@click.group("link")
def link_group() -> None:
    """Links by which people outside hand in files. ファイルを受け取るリンク。"""


@link_group.command("ask")
@click.argument("room")
@click.option("--from", "recipient", required=True, help="Who is asked. 相手の氏名。")
@click.option("--for", "purpose", required=True, help="What for. 目的。")
@click.option("--company", default="", help="Of theirs. 会社・団体名。")
@click.option(
    "--days",
    type=click.IntRange(1, limits.LINK_LIVES // limits.DAY),
    default=7,
    show_default=True,
    help="Until the deadline. 期限までの日数。",
)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(list(FAMILIES)), help="Only these; several times. 種類。"
)
@click.option("--several", is_flag=True, help="Several deliveries until the deadline, not one. 期限まで何度でも。")
@click.option("--json", "as_json", is_flag=True, help="Print JSON. JSONで表示。")
def ask(
    room: str,
    recipient: str,
    purpose: str,
    company: str,
    days: int,
    kinds: tuple[str, ...],
    several: bool,
    as_json: bool,
) -> None:
    """Ask somebody outside for files, and print the address, this once. リンクを作ります。

    \b
    renraku link ask 道路パトロール --from "青葉 一郎" --company 青葉測量 --for 緑橋の点検写真
    """

    async def show() -> None:
        ends = int((datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)).timestamp() * 1000)
        wanted: dict[str, Any] = {
            "recipient": recipient, "purpose": purpose, "company": company, "ends": ends, "kinds": list(kinds),
            "once": not several,
        }  # fmt: skip
        async with await signed_in() as client:
            with waiting():
                where = choose(room, await client.rooms()).id
                link = await client.api.call("POST", f"/api/rooms/{where}/upload-links", json=wanted)
                given = await client.api.call("POST", f"/api/upload-links/{link['id']}/address")
        tokens = await store().load()
        assert tokens is not None
        address = f"{given['page'] or tokens.server.rstrip('/')}/handin#{given['token']}"
        click.echo(json.dumps({"id": link["id"], "address": address, "ends": ends}) if as_json else address)

    run(show())


@link_group.command("list")
@click.argument("room", required=False)
@click.option("--all", "all_", is_flag=True, help="All of the organization, for its administrators. 団体のすべて。")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_links(room: str | None, all_: bool, as_json: bool) -> None:
    """The links of ROOM, or of all rooms. リンクの一覧です。"""
    if (room is None) != all_:
        raise click.UsageError("ROOM, or --all. トークルームか --all を指定してください。")

    async def show() -> None:
        async with await signed_in() as client:
            with waiting():
                if room is None:
                    path = "/api/organization/upload-links"
                else:
                    path = f"/api/rooms/{choose(room, await client.rooms()).id}/upload-links"
                items = (await client.api.call("GET", path))["items"]
        if as_json:
            for one in items:
                click.echo(json.dumps(one, ensure_ascii=False))
            return
        rows = [(one["id"], _STATES[one["state"]], _whom(one), one["purpose"], _day(one["ends"])) for one in items]
        click.echo(table(("id", "state", "from", "for", "until"), rows))

    run(show())


@link_group.command("revoke")
@click.argument("link")
def revoke(link: str) -> None:
    """Take LINK (an id) back; what came in stays. リンクを取り消します。"""

    async def show() -> None:
        async with await signed_in() as client:
            with waiting():
                await client.api.call("DELETE", f"/api/upload-links/{link}")

    run(show())


def _whom(link: dict[str, Any]) -> str:
    return f"{link['company']} {link['recipient']}".strip()


def _day(at: int) -> str:
    return f"{datetime.datetime.fromtimestamp(at / 1000).astimezone():%m/%d %H:%M}"
