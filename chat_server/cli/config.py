"""Settings: whether the server would start with them, and what they are."""

from __future__ import annotations

import click
import msgspec

from chat_server import serving
from chat_server.app import open_webhooks
from chat_server.blobs import opening as blobs
from chat_server.blobs.opening import CannotKeep
from chat_server.cli import gateway
from chat_server.cli.serve import healthz, settings_of
from chat_server.config import Listener
from chat_server.domain.addresses import without_secrets
from chat_server.serving import CannotListen
from chat_server.storage.engines import inspect
from chat_server.storage.folder import CannotOpen
from mobile_api.providers.choosing import WrongSetting
from mobile_api.relay.opening import open_providers

_ANY_KEY = bytes(31) + b"\x01"
"""In place of the one in the database, which is read only when it is there."""


@click.group("config")
def config_group() -> None:
    """Check and show the settings. 設定の確認。"""


@config_group.command("check")
@click.pass_context
def check(ctx: click.Context) -> None:
    """Say whether the server would start with these settings. 起動できるかを確かめます。

    Looks at the settings, the data folder, the database and the addresses, and changes nothing; where `blobs` names a
    folder or a bucket, it writes there and removes it again. Beside a running server
    it says whether that would start again. Exit status 1 if not, with the words of the start-up.
    """
    settings = settings_of(ctx)
    runs = gateway.serving(settings.folder)
    try:
        blobs.check(settings.blobs)
        there = inspect(settings.database, settings.folder, serving=runs)
        for listener in settings.listen:
            _check_address(listener, runs=runs)
        open_webhooks(settings)
        open_providers(settings, _ANY_KEY)  # reads the files that the settings name, and connects to nobody
    except (CannotKeep, CannotListen, CannotOpen, WrongSetting) as error:
        raise click.ClickException(str(error)) from None
    where = (
        f"Database: {without_secrets(settings.database)}" if settings.database else f"Data folder: {settings.folder}"
    )
    click.echo(f"{where} ({'checked' if there else 'the first start will make the database'})")
    click.echo("The server is running, and would start again." if runs else "The server would start.")


def _check_address(listener: Listener, *, runs: bool) -> None:
    """Raises `CannotListen`, unless it is the running server that has the address."""
    try:
        serving.bind(listener).close()
    except CannotListen:
        if not runs or not _answers(listener):
            raise


def _answers(listener: Listener) -> bool:
    try:
        return healthz(listener) == 200
    except OSError:
        return False


@config_group.command("show")
@click.pass_context
def show(ctx: click.Context) -> None:
    """Print the settings in force, as JSON. 有効な設定を表示します。

    File, environment and defaults together; without passwords.
    """
    settings = settings_of(ctx)
    settings = msgspec.structs.replace(
        settings,
        database=without_secrets(settings.database),
        bus=without_secrets(settings.bus),
        blobs=without_secrets(settings.blobs),
        push_proxy=without_secrets(settings.push_proxy),
    )
    click.echo(msgspec.json.format(msgspec.json.encode(settings), indent=2).decode())
