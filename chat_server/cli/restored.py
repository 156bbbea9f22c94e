"""`renraku restored`: what the operator says after putting a copy of the data folder back."""

from __future__ import annotations

import click

from chat_server.cli.operating import operate
from chat_server.cli.speech import japanese


@click.command()
@click.pass_context
def restored(ctx: click.Context) -> None:
    """Run this once after restoring a copy of the data folder. 控えから復元したあとに実行します。

    Clients remember how far they have read, and after a restore the same positions may hold other messages. This begins
    a new epoch: every client drops what it holds and loads it anew. Nobody is signed out, and no message is changed.
    """
    operate(ctx, "server.restored")
    click.echo(
        "新しい世代を始めました。全員の端末が読み直します。"
        if japanese()
        else "A new epoch begins: every client loads its rooms anew."
    )
