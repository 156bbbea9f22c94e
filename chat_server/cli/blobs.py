"""Where the setting `blobs` keeps the files, for backup and restore."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from chat_server.backup.sources import BlobFolder, BlobSource
from chat_server.backup.stores import Store
from chat_server.blobs.opening import CannotKeep, check, folder_of, open_blobs
from chat_server.fuse import Fuse


@contextlib.contextmanager
def source(blobs: str, data: Path, work: Path) -> Iterator[BlobSource]:
    """`work`: a folder of this process's own, because a server may use the data folder. Ends the command with a sentence
    if it cannot be used."""
    folder = folder_of(blobs, data)
    if folder is not None:
        yield BlobFolder(folder)
    else:
        with _store(blobs, work) as store:
            yield store


@contextlib.contextmanager
def target(blobs: str, data: Path) -> Iterator[Store | None]:
    """None: they go into the data folder, which nobody else uses. Ends the command with a sentence if it cannot be used."""
    if not blobs:
        yield None
        return
    try:
        check(blobs)
    except CannotKeep as error:
        raise click.ClickException(str(error)) from None
    with _store(blobs, data) as store:
        yield store


@contextlib.contextmanager
def _store(blobs: str, own: Path) -> Iterator[Store]:
    try:
        store = Store(lambda: open_blobs(blobs, own, Fuse()))
    except CannotKeep as error:
        raise click.ClickException(str(error)) from None
    with store:
        yield store
