"""`renraku restored`: what the operator says after putting a copy back by other means than `renraku restore`."""

from __future__ import annotations

import click

from chat_server.cli.operating import operate
from chat_server.cli.speech import japanese


@click.command()
@click.pass_context
def restored(ctx: click.Context) -> None:
    """Run once after putting back a copy by other means. 別の方法で復元したあとに。

    For a snapshot of the file system or of the whole machine; `renraku restore` has done this already. Clients remember
    how far they have read, and now the same positions may hold other messages. This begins a new epoch (every client
    drops what it holds and loads it anew), ends every session (one that was signed out since then would be alive again)
    and parks the jobs that were waiting (`renraku outbox`). No message is changed.
    """
    answer = operate(ctx, "server.restored")
    click.echo(
        f"新しい世代を始めました。全員が改めてログインし({answer['devices']}台)、読み直します。"
        if japanese()
        else f"A new epoch begins: everybody signs in anew ({answer['devices']} devices were signed in) and loads their "
        "rooms anew."
    )
    if answer["parked"]:
        click.echo(
            f"待っていた処理{answer['parked']}件は保留しました: renraku outbox"
            if japanese()
            else f"{answer['parked']} jobs that were waiting are parked: renraku outbox."
        )
