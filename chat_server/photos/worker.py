"""The decoder process: `python -m chat_server.photos.worker DESCRIPTOR LIMITS`.

It loads the image libraries, confines itself, says that it is ready, and then answers one request after another over
a SOCK_SEQPACKET socket. A request is one byte with four descriptors (SCM_RIGHTS): the photo to read, then one file for
each rendition in the order of `rules.KINDS`. An answer is one JSON datagram; its shapes stand in `answer.py`.

Each photo is decoded in a child of its own, forked from the warm process within milliseconds. Whoever takes over a child
through a broken parser finds nobody else's photo in it and is gone before the next one: it can neither read what
others upload nor answer for it. The process itself never looks at a stranger's bytes.

It imports nothing of the server: a light start, and nothing worth stealing in its memory.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from typing import Any, Final

from PIL import Image

from chat_server.photos.decode import Refused, decode, prepare_libraries
from chat_server.photos.limits import Limits, confine, confine_child
from chat_server.photos.rules import ANSWER_BYTES, KINDS

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def main(descriptor: int, limits: Limits) -> int:
    """Serve until the server closes its end of the socket. Answers the exit status."""
    channel = socket.socket(fileno=descriptor)
    try:
        prepare_libraries()
        _warm_up()
        ready = _encoded({"type": "ready", "confined": confine(limits)})
    except Exception as error:
        channel.send(_encoded(_failed(error)))
        return 1
    gc.freeze()  # the children share these pages as long as nobody touches them
    channel.send(ready)
    while True:
        request, descriptors, _flags, _address = socket.recv_fds(channel, 16, 1 + len(KINDS))
        if not request:
            return 0
        answer = _in_child(channel, descriptors, limits)
        for each in descriptors:
            os.close(each)
        channel.send(answer)


def _in_child(channel: socket.socket, descriptors: list[int], limits: Limits) -> bytes:
    parent = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # without the socket: a child in strange hands must not answer for the next photo
            channel.close()
            os.close(reading)
            confine_child(limits, parent)
            os.write(writing, _encoded(_work(descriptors)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read(ANSWER_BYTES)
    # one that closed its pipe and lives on would keep its photo; one that is dying keeps its own status
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return answer or _encoded({"type": "died", "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None})


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def _failed(error: Exception) -> dict[str, Any]:
    return {"type": "failed", "why": repr(error)[:500]}


def _work(descriptors: list[int]) -> dict[str, Any]:
    source, *outputs = (os.fdopen(each, "rb" if at == 0 else "wb") for at, each in enumerate(descriptors))
    try:
        found = decode(source, dict(zip(KINDS, outputs, strict=True)), datetime.now(UTC))
        for output in outputs:
            output.flush()
    except Refused as refused:
        return {"type": "refused", "reason": refused.reason}
    except MemoryError:
        # the pixel limit fits into the memory limit, so this is a file that lies about itself
        return {"type": "refused", "reason": "broken"}
    except OSError as error:
        return {"type": "disk_full"} if error.errno in _FULL else _failed(error)
    except Exception as error:
        return _failed(error)
    finally:
        for each in (source, *outputs):
            # a full disk refuses the last buffer once more; that it is full was said already
            with contextlib.suppress(OSError):
                each.close()
    latitude, longitude = found.place or (None, None)
    return {
        "type": "done",
        "media_type": found.media_type,
        "width": found.width,
        "height": found.height,
        "color": found.color,
        "taken_at": found.taken_at,
        "latitude": latitude,
        "longitude": longitude,
        "sizes": found.sizes,
    }


def _warm_up() -> None:
    """One tiny photo of every kind: Pillow imports some parts at first use, which the confined process could not."""
    for container, mode in (("JPEG", "CMYK"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("GIF", "P")):
        sample = io.BytesIO()
        Image.new(mode, (8, 8)).save(sample, container)
        sample.seek(0)
        decode(sample, {kind: io.BytesIO() for kind in KINDS}, datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Limits(**json.loads(sys.argv[2]))))
