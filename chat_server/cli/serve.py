"""Starting the server, and asking whether it runs: `serve`, `demo`, `health`."""

from __future__ import annotations

import asyncio
import http.client
import sys
from functools import partial
from typing import Any

import click

from chat_server import logs
from chat_server.config import BadSettings, Listener, Settings, load
from chat_server.storage.folder import CannotOpen


def settings_of(ctx: click.Context) -> Settings:
    """What is in force for this command. Ends it with a sentence if that cannot be used."""
    try:
        return load(ctx.obj)
    except BadSettings as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Start the server and stay in the foreground. サーバーを起動します。

    Ends in order on SIGTERM or Ctrl+C: what was accepted is committed, clients are told to come back.
    """
    settings = settings_of(ctx)
    logs.set_up(settings.log)

    def ready(addresses: list[str]) -> None:
        for address, listener in zip(addresses, settings.listen, strict=True):
            click.echo(f"Renraku is ready: {address} (zone {listener.zone})")

    sys.exit(_run(settings, ready))


@click.command()
@click.option("--quiet-colleagues", is_flag=True, help="Without the two colleagues who read, react and answer.")
@click.option("--log", "with_log", is_flag=True, help="Show the server's log as well, a line for each request.")
@click.pass_context
def demo(ctx: click.Context, quiet_colleagues: bool, with_log: bool) -> None:
    """Start a server with an invented municipality to look at. デモの団体つきで起動します。

    The first start makes the organization in the data folder (RENRAKU_DATA, else ./data); later starts keep it.
    """
    from chat_server.demo import colleagues, script
    from chat_server.demo import load as demonstration

    settings = settings_of(ctx)
    if with_log:
        logs.set_up("text")
    try:
        demonstration.ensure(settings, partial(click.echo, err=True))
    except CannotOpen as error:
        raise click.ClickException(str(error)) from None

    present = () if quiet_colleagues else script.office().colleague
    at_work: list[asyncio.Task[None]] = []

    def ready(addresses: list[str]) -> None:
        click.echo(demonstration.welcome(settings, addresses[0], present))
        if present:
            # Cancelled by the runner once the server has stopped.
            at_work.append(asyncio.get_running_loop().create_task(colleagues.work(addresses[0])))

    sys.exit(_run(settings, ready))


def _run(settings: Settings, ready: Any) -> int:
    from chat_server import serving

    try:
        return serving.run(settings, ready)
    except (serving.CannotListen, CannotOpen) as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.pass_context
def health(ctx: click.Context) -> None:
    """Whether the server answers; for health checks. サーバーの応答を確かめます。"""
    listener = settings_of(ctx).listen[0]
    try:
        status = healthz(listener)
    except OSError as error:
        raise click.ClickException(f"No answer from {listener.address}:{listener.port} ({error}).") from None
    if status != 200:
        raise click.ClickException(f"{listener.address}:{listener.port} answers {status}.")
    click.echo("ok")


def healthz(listener: Listener) -> int:
    """The status that the server on this listener gives to `/healthz`. Raises `OSError` if nothing answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.address, listener.address)  # noqa: S104
    connection = http.client.HTTPConnection(host, listener.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error) or type(error).__name__) from error
    finally:
        connection.close()
