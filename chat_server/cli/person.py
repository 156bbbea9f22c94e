"""What the commands of a signed-in person share: their sign-in, their rooms, and words for what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import click

from chat_client import Client, ClientError, FileStore, RenrakuError, Room
from chat_server.cli.speech import sentence, spoken

_PATIENCE: Final = 60.0
_SILENCE: Final = 2.0
"""Seconds after which a person is told what is being waited for."""


def folder() -> Path:
    """Where this person's sign-in lives (XDG Base Directory)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "renraku"


def authorities() -> Path | None:
    """The authorities that `login --ca-file` named: a closed network has its own."""
    kept = folder() / "ca.pem"
    return kept if kept.exists() else None


def keep_authorities(ca_file: Path | None) -> None:
    kept = folder() / "ca.pem"
    kept.unlink(missing_ok=True)
    if ca_file is not None:
        kept.write_bytes(ca_file.read_bytes())


def store() -> FileStore:
    return FileStore(folder() / "session.json")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Until done; what went wrong is said in a sentence."""
    try:
        asyncio.run(work)
    except RenrakuError as error:
        raise click.ClickException(spoken(error.code, error.ja, error.en)) from None
    except ClientError as error:
        raise click.ClickException(sentence(error)) from None
    except BrokenPipeError:
        raise  # `| head` has seen enough: click ends in silence
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        pass


async def signed_in(*, outbox: bool = False) -> Client:
    tokens = await store().load()
    if tokens is None:
        raise click.ClickException("You are not signed in. First: renraku login http://SERVER:PORT --organization CODE")
    kept = folder() / "outbox" if outbox else None
    return Client(tokens.server, store=store(), patience=_PATIENCE, outbox=kept, ca_file=authorities())


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Nobody watches a silent terminal for a minute and believes that something happens."""
    text = "サーバーの応答を待っています… / waiting for the server…"
    notice = asyncio.get_running_loop().call_later(_SILENCE, lambda: click.echo(text, err=True))
    try:
        yield
    finally:
        notice.cancel()


def choose(wanted: str, rooms: list[Room]) -> Room:
    """By id, by whole name, or by the beginning of one name."""
    exact = [room for room in rooms if wanted in (room.id, room.name)]
    found = exact or [room for room in rooms if room.name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"No room of yours is called “{wanted}”. `renraku rooms` lists them.")
    names = ", ".join(f"{room.name} ({room.id})" for room in found)
    raise click.ClickException(f"“{wanted}” fits several rooms: {names}. Give the id.")
