"""A bot's process: `python -m chat_server.bot_runner.child MODULE [FOLDER]`. Reads tasks from standard input, answers on standard
output; what the bot prints goes to standard error."""

from __future__ import annotations

import os
import resource
import sys
from typing import Any, BinaryIO, Final

from chat_server import bot_wire as wire
from chat_server.bot_runner.asking import carry_out
from chat_server.bot_runner.plugins import load, shelve
from chat_server.bot_wire import Done

MEMORY: Final = 512 << 20
OPEN_FILES: Final = 64


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    # Whoever waits for an ack comes first and at once, also where a bot turns in a circle on the same processor.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    shelve("".join(sys.argv[2:]))
    bot = load(sys.argv[1])
    answers.write(wire.framed(wire.pack(Done())))  # it is there
    answers.flush()
    while (data := _frame(tasks)) is not None:
        answers.write(wire.framed(wire.pack(carry_out(bot, wire.task_of(data)))))
        answers.flush()


def _frame(stream: BinaryIO) -> bytes | None:
    head: Any = stream.read(wire.LENGTH)
    return stream.read(int.from_bytes(head, "big")) if len(head) == wire.LENGTH else None


if __name__ == "__main__":
    main()
