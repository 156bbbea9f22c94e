"""Starting the server: `serve`, `demo`, `health`, `config check`, `config show`."""

from __future__ import annotations

import http.client
import sys
from typing import Any

import click
import msgspec

from chat_server import logs, serving
from chat_server.config import BadSettings, Listener, Settings, load
from chat_server.serving import CannotListen
from chat_server.storage.sqlite.opening import CannotOpen


def _settings(ctx: click.Context) -> Settings:
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
    settings = _settings(ctx)
    logs.set_up(settings.log)

    def ready(addresses: list[str]) -> None:
        for address, listener in zip(addresses, settings.listen, strict=True):
            click.echo(f"Renraku is ready: {address} (zone {listener.zone})")

    sys.exit(_run(settings, ready))


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Start a server with an invented municipality to look at. デモの団体つきで起動します。

    The first start makes the organization in the data folder (RENRAKU_DATA, else ./data); later starts keep it.
    """
    from chat_server.demo import load as demonstration

    settings = _settings(ctx)
    logs.set_up("text")
    try:
        sign_ins = demonstration.ensure(settings)
    except CannotOpen as error:
        raise click.ClickException(str(error)) from None

    def ready(addresses: list[str]) -> None:
        click.echo(demonstration.welcome(addresses[0], sign_ins))

    sys.exit(_run(settings, ready))


def _run(settings: Settings, ready: Any) -> int:
    try:
        return serving.run(settings, ready)
    except (CannotListen, CannotOpen) as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.pass_context
def health(ctx: click.Context) -> None:
    """Whether the server answers; for health checks. サーバーの応答を確かめます。"""
    listener = _settings(ctx).listen[0]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.address, listener.address)  # noqa: S104
    connection = http.client.HTTPConnection(host, listener.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        raise click.ClickException(f"No answer from {host}:{listener.port} ({error}).") from None
    finally:
        connection.close()
    if status != 200:
        raise click.ClickException(f"{host}:{listener.port} answers {status}.")
    click.echo("ok")


@click.group("config")
def config_group() -> None:
    """Check and show the settings. 設定の確認。"""


@config_group.command("check")
@click.pass_context
def check(ctx: click.Context) -> None:
    """Say whether the server would start with these settings. Exit status 1 if not."""
    settings = _settings(ctx)
    for listener in settings.listen:
        _check_free(listener)
    click.echo("The settings are fine.")


def _check_free(listener: Listener) -> None:
    try:
        serving.bind(listener).close()
    except CannotListen as error:
        raise click.ClickException(str(error)) from None


@config_group.command("show")
@click.pass_context
def show(ctx: click.Context) -> None:
    """Print what is in force, as JSON: file, environment and defaults together."""
    click.echo(msgspec.json.format(msgspec.json.encode(_settings(ctx)), indent=2).decode())
