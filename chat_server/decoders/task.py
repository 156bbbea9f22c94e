"""What the server must know of a decoder to give it work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from chat_server.decoders.answer import Parse
from chat_server.decoders.files import TaskFiles

D = TypeVar("D", bound=msgspec.Struct)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Decoder(Generic[D, R]):
    """One kind of task.

    `module`: where the decoder process finds the work (see `worker.Work`). `outputs`: names of the files that it
    writes. `parse`: checks its answer. `finish`: looks at what lies in the files before it is called a result; blocks;
    raises `BadRendition`; its last argument is the most bytes that a file may have.
    """

    module: str
    outputs: tuple[str, ...]
    parse: Parse[D]
    finish: Callable[[D, TaskFiles, int], R]
