"""Holding the server's sweeper back while a backup copies files."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

import click

from chat_server.cli.gateway import OperationFailed, call, through_server
from chat_server.cli.speech import spoken
from chat_server.config import Settings
from chat_server.storage.folder import CannotOpen

_EVERY: Final = 30.0
_OPERATION: Final = "backup.hold"


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[bool]:
    """Until the end of the block, and at most two minutes longer, no file is removed. Whether a server runs.

    On SQLite, where none runs, none removes anything; one that starts meanwhile is told within half a minute, and no sweeper removes
    the bytes of a row that went less than an hour ago.
    """
    try:
        runs = _hold(settings)
    except OperationFailed as failed:
        raise click.ClickException(spoken(failed.error["code"], failed.error["ja"], failed.error["en"])) from None
    except CannotOpen as error:
        raise click.ClickException(str(error)) from None
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(settings, ended), daemon=True)
    renewing.start()
    try:
        yield runs
    finally:
        ended.set()
        renewing.join()


def _renew(settings: Settings, ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        # a server that stops or starts just now is asked again
        with contextlib.suppress(OSError, ValueError, OperationFailed, CannotOpen):
            _hold(settings)


def _hold(settings: Settings) -> bool:
    """Whether a server may be at work. Raises as `gateway.call`."""
    if settings.database:
        call(settings, _OPERATION, {})  # nodes on other machines read it in the database
        return True
    answer = through_server(settings.folder, _OPERATION, {})
    if answer is not None and "error" in answer:
        raise OperationFailed(answer["error"])
    return answer is not None
