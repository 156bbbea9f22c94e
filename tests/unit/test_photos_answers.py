"""What a decoder answers is not trusted: it is a process in a stranger's hands."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from chat_server.decoders.limits import Limits
from chat_server.decoders.process import DecoderDied, DecoderProcess
from chat_server.photos.answer import Done, parse
from chat_server.photos.workers import MODULE

DONE = (
    '{"type":"done","media_type":"image/jpeg","width":96,"height":64,"color":"#112233","taken_at":null,'
    '"latitude":null,"longitude":null,"sizes":{"sanitized":[96,64],"preview":[96,64],"thumbnail":[96,64]}}'
)


def answering(answer: str, channel: int) -> subprocess.Popen[bytes]:
    """A process that answers this, whatever it is asked."""
    code = (
        "import socket, sys, time\n"
        "channel = socket.socket(fileno=int(sys.argv[1]))\n"
        "channel.recv(256)\n"
        "channel.send(sys.argv[2].encode())\n"
        "time.sleep(10)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(channel), answer], pass_fds=(channel,))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "nonsense",
        "[]",
        '{"type":"done"}',
        '{"type":"refused","reason":"because"}',
        DONE.replace("image/jpeg", "text/html"),
        DONE.replace("#112233", "#11223<"),
        DONE.replace('"width":96', '"width":0'),
        DONE.replace('"width":96', '"width":97'),
        DONE.replace("96", "99999999"),
        DONE.replace('"width":96,"height":64', '"width":60000,"height":60000').replace(
            '"sanitized":[96,64]', '"sanitized":[60000,60000]'
        ),
        DONE.replace('"thumbnail":[96,64]', '"thumbnail":[321,64]'),
        DONE.replace('"preview":[96,64],', ""),
        DONE.replace('"latitude":null', '"latitude":35.0'),
        DONE.replace('"latitude":null,"longitude":null', '"latitude":91,"longitude":0'),
        DONE.replace('"latitude":null,"longitude":null', '"latitude":NaN,"longitude":0'),
        DONE.replace('"taken_at":null', '"taken_at":-1'),
        DONE.replace('"type":"done"', '"type":"done","html":"<script>"'),
        "[" * 9000,
    ],
)
async def test_the_answer_of_a_decoder_is_not_trusted(answer: str) -> None:
    """A process in the stranger's hands answers what it likes, and lives on: it is ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs:
        number = theirs.fileno()
        impostor = answering(answer, number)
    decoder = DecoderProcess(impostor, ours, Limits(wall_seconds=30))
    with pytest.raises(DecoderDied):
        await decoder.work(MODULE, "", [0], parse)
    assert impostor.returncode == -signal.SIGKILL
    assert not decoder.alive


async def test_the_good_answer_of_the_table_above_is_good() -> None:
    assert isinstance(parse(DONE.encode()), Done)
