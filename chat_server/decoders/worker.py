"""The decoder process: `python -m chat_server.decoders.worker DESCRIPTOR LIMITS MODULE…`.

It loads the modules that do the work (see `Work`), confines itself, says that it is ready, and then answers one request
after another over a SOCK_SEQPACKET socket. A request is the name of a module and, after a zero, its order, with
descriptors (SCM_RIGHTS): the file to read, then one for each of the module's outputs. An answer is one JSON datagram; its shapes stand in `answer.py`.

Each file is decoded in a child of its own, forked from the warm process within milliseconds. Whoever takes over a child
through a broken parser finds nobody else's file in it and is gone before the next one: it can neither read what
others upload nor answer for it. The process itself never looks at a stranger's bytes.

It imports nothing of the server: a light start, and nothing worth stealing in its memory.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final, Protocol, cast

from chat_server.decoders.limits import ANSWER_BYTES, REQUEST_BYTES, Limits, confine, confine_child
from chat_server.decoders.outcome import Refused

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_MOST_DESCRIPTORS: Final = 12


class Work(Protocol):
    """A module that decodes."""

    MEMORY_BYTES: int | None
    """address space of a child; None for all that the process may have"""
    BROKEN: str
    """the reason of a refusal where memory ran out: a file within the limits has enough, so it lies about itself"""

    def prepare(self) -> None:
        """Load and warm up: a confined process can import nothing any more."""

    def work(self, source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
        """Decode `source` (seekable) into `outputs`; answers the fields of the "done" message. `order`: what the server
        wants to be done, in words of the module's own; empty for modules that do one thing.

        Raises: `Refused`; OSError with an errno where the disk failed, not the file."""


def main(descriptor: int, limits: Limits, names: Sequence[str]) -> int:
    """Serve until the server closes its end of the socket. Answers the exit status."""
    channel = socket.socket(fileno=descriptor)
    try:
        modules = {name: cast("Work", importlib.import_module(name)) for name in names}
        for module in modules.values():
            module.prepare()
        ready = _encoded({"type": "ready", "confined": confine(limits)})
    except Exception as error:
        channel.send(_encoded(_failed(error)))
        return 1
    gc.freeze()  # the children share these pages as long as nobody touches them
    channel.send(ready)
    while True:
        request, descriptors, _flags, _address = socket.recv_fds(channel, REQUEST_BYTES, _MOST_DESCRIPTORS)
        if not request:
            return 0
        name, _, order = request.decode().partition("\0")
        answer = _in_child(channel, modules[name], order, descriptors, limits)
        for each in descriptors:
            os.close(each)
        channel.send(answer)


def _in_child(channel: socket.socket, module: Work, order: str, descriptors: list[int], limits: Limits) -> bytes:
    parent = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # without the socket: a child in strange hands must not answer for the next file
            channel.close()
            os.close(reading)
            confine_child(limits, parent, module.MEMORY_BYTES)
            os.write(writing, _encoded(_work(module, order, descriptors)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read(ANSWER_BYTES)
    # one that closed its pipe and lives on would keep its file; one that is dying keeps its own status
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return answer or _encoded({"type": "died", "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None})


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def _failed(error: Exception) -> dict[str, Any]:
    """What it was and where, for the log; not what it says: that may be out of somebody's file."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    number = f" {error.errno}" if isinstance(error, OSError) else ""
    return {"type": "failed", "why": f"{type(error).__name__}{number} at {place.name}:{place.lineno}"[:500]}


def _work(module: Work, order: str, descriptors: list[int]) -> dict[str, Any]:
    source, *outputs = (os.fdopen(each, "rb" if at == 0 else "wb") for at, each in enumerate(descriptors))
    try:
        found = module.work(source, outputs, datetime.now(UTC), order)
        for output in outputs:
            output.flush()
    except Refused as refused:
        return {"type": "refused", "reason": refused.reason}
    except MemoryError:
        return {"type": "refused", "reason": module.BROKEN}
    except OSError as error:
        return {"type": "disk_full"} if error.errno in _FULL else _failed(error)
    except Exception as error:
        return _failed(error)
    finally:
        for each in (source, *outputs):
            # a full disk refuses the last buffer once more; that it is full was said already
            with contextlib.suppress(OSError):
                each.close()
    return {"type": "done"} | found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Limits(**json.loads(sys.argv[2])), sys.argv[3:]))
