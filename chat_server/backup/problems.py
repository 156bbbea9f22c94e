"""What stops a backup or a restore, as a sentence in both languages."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class BackupProblem(Exception):
    """The text says what is wrong, and what to do."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raises `BackupProblem` where `folder` cannot be written to."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise BackupProblem(
                f"{folder} のディスクに空きがありません。空きを作ってから、もう一度実行してください。",
                f"The disk of {folder} is full. Make room and run this again.",
            ) from error
        raise BackupProblem(
            f"{folder} に書き込めません({error.strerror or error})。権限とディスクを確かめてください。",
            f"{folder} cannot be written ({error.strerror or error}). Check its owner and its disk.",
        ) from error
