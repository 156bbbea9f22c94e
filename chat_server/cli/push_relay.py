"""The push relay: a process of its own on the Internet side, and the keys of the line to it."""

from __future__ import annotations

from pathlib import Path

import click

from chat_server import logs
from mobile_api.relay import keys as relay_keys
from mobile_api.relay import running
from mobile_api.relay.settings import BadRelaySettings, load


@click.group("push-relay", invoke_without_command=True)
@click.option(
    "--config", "path", type=click.Path(dir_okay=False, path_type=Path),
    help="The relay's settings (TOML). See config/push-relay.example.toml.",
)  # fmt: skip
@click.pass_context
def push_relay(ctx: click.Context, path: Path | None) -> None:
    """Run the push relay, on the Internet side. プッシュの中継を動かします。

    The only part that speaks to Apple, Google and browsers' push services; the server dials it (docs/push-relay.md). Ends in
    order on SIGTERM or Ctrl+C.
    """
    if ctx.invoked_subcommand is not None:
        return
    if path is None:
        raise click.UsageError("Name the relay's settings with --config. See config/push-relay.example.toml.")
    try:
        settings = load(path)
        logs.set_up(settings.log)
        running.run(settings, click.echo)
    except (BadRelaySettings, running.CannotRun) as error:
        raise click.ClickException(str(error)) from None


@push_relay.command("keys")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def keys(folder: Path) -> None:
    """Make the keys of both ends of the line. 中継の鍵を作ります。

    Writes FOLDER/relay, for the relay, and FOLDER/closed, for the server. Carry each to its machine and keep no copy.
    """
    try:
        relay, closed = relay_keys.make(folder)
    except (relay_keys.NoKeys, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{relay}: for the relay (its setting keys).\n{closed}: for the server (its setting push_relay_keys).")
