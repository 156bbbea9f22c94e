"""Holding the server's sweeper back while a backup copies files."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

import click

from chat_server.cli.gateway import through_server
from chat_server.cli.speech import spoken
from chat_server.config import Settings

_EVERY: Final = 30.0
_OPERATION: Final = "backup.hold"


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[bool]:
    """Until the end of the block, and at most two minutes longer, no file is removed. Whether a server runs.

    Where none runs, none removes anything; one that starts meanwhile is told within half a minute, and no sweeper removes
    the bytes of a row that went less than an hour ago.
    """
    answer = through_server(settings.folder, _OPERATION, {})
    if answer is not None and "error" in answer:
        error = answer["error"]
        raise click.ClickException(spoken(error["code"], error["ja"], error["en"]))
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(settings, ended), daemon=True)
    renewing.start()
    try:
        yield answer is not None
    finally:
        ended.set()
        renewing.join()


def _renew(settings: Settings, ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        with contextlib.suppress(OSError, ValueError):  # a server that stops or starts just now is asked again
            through_server(settings.folder, _OPERATION, {})
