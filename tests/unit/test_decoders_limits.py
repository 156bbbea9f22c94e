"""A decoder process holds no rights: tried from the inside, as whoever took it over would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).parents[2]

ESCAPE = """
import ctypes, json, os, resource, socket, sys, threading
sys.path.insert(0, {repo!r})
from PIL import Image, ImageFile
from chat_server.decoders.limits import Limits, confine, confine_child
libc = ctypes.CDLL(None, use_errno=True)
victim = os.open({writable!r}, os.O_RDONLY)
limits = Limits(memory_bytes=600 << 20, output_bytes=1 << 20)
confined = confine(limits)
# a decoder may have children until its first photo
child = os.fork()
if child == 0:
    os._exit(23)
answers_child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
confine_child(limits, os.getppid())
answers = {{"confined": confined, "child": answers_child}}

def attempt(name, function):
    try:
        answers[name] = "worked: " + repr(function())
    except (OSError, MemoryError, RuntimeError, ValueError) as error:
        answers[name] = type(error).__name__

def system(number_of_arguments, name, *arguments):
    def call():
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
    return call

attempt("read a file", lambda: open("/etc/hostname"))
attempt("read its own memory file", lambda: open("/proc/self/mem"))
attempt("reopen for writing", lambda: os.open(f"/proc/self/fd/{{victim}}", os.O_WRONLY))
attempt("write a file", lambda: open({fresh!r}, "w"))
attempt("remove a file", lambda: os.unlink({writable!r}))
attempt("rename a file", lambda: os.rename({writable!r}, {fresh!r}))
attempt("change a mode", lambda: os.chmod({writable!r}, 0o777))
attempt("shorten a file", lambda: os.truncate({writable!r}, 0))
attempt("make a folder", lambda: os.mkdir({fresh!r}))
attempt("list a folder", lambda: os.listdir("/"))
attempt("inet socket", lambda: socket.socket(socket.AF_INET))
attempt("unix socket", lambda: socket.socket(socket.AF_UNIX))
attempt("socket pair", lambda: socket.socketpair())
attempt("fork", os.fork)
attempt("run a program", lambda: os.execv("/bin/true", ["true"]))
attempt("signal the server", lambda: os.kill(os.getppid(), 0))
attempt("trace the server", system(4, "ptrace", 16, os.getppid(), 0, 0))
attempt("new namespace", system(1, "unshare", 0x10000000))
attempt("mount", system(5, "mount", b"x", b"/tmp", b"tmpfs", 0, 0))
attempt("raise a limit", lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40)))
attempt("a gigabyte", lambda: len(bytearray(1 << 30)))
attempt("many descriptors", lambda: [os.dup(0) for _ in range(40)])
# what decoding needs
threads = [threading.Thread(target=int)]
[thread.start() or thread.join() for thread in threads]
answers["decoded"] = Image.new("RGB", (10, 10)).tobytes() == bytes(300)
sys.stdout.write(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("escape")
    writable = folder / "photo.jpg"
    writable.write_bytes(b"bytes")
    code = ESCAPE.format(repo=str(REPO), writable=str(writable), fresh=str(folder / "fresh"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert [entry.name for entry in folder.iterdir()] == ["photo.jpg"]
    assert writable.read_bytes() == b"bytes"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_kernel_agreed_to_everything(answers: dict[str, Any]) -> None:
    assert answers["confined"] == ["no_new_privs", "rlimits", "capabilities", "landlock", "seccomp"]


def test_nothing_can_be_reached_from_inside(answers: dict[str, Any]) -> None:
    attempts = {name: answer for name, answer in answers.items() if name not in ("confined", "decoded", "child")}
    assert len(attempts) == 22
    assert {name: answer for name, answer in attempts.items() if answer.startswith("worked")} == {}


def test_decoding_still_works(answers: dict[str, Any]) -> None:
    assert answers["decoded"] is True
    assert answers["child"] == 23


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_each_layer_alone_keeps_files_out_of_reach(layer: str, tmp_path: Path) -> None:
    """So that a kernel without one of them is still covered, and that neither can be lost unnoticed."""
    install = {
        "landlock": "limits.deny_file_system(libc)",
        "seccomp": "seccomp.install(children=True)",
    }[layer]
    code = (
        f"import ctypes, sys; sys.path.insert(0, {str(REPO)!r})\n"
        "from chat_server.decoders import limits, seccomp\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "open('/etc/hostname').close()\n"
        f"assert libc.prctl(38, 1, 0, 0, 0) == 0 and {install}\n"
        "try:\n    open('/etc/hostname')\n"
        "except PermissionError:\n    sys.exit(17)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 17


def test_the_decoder_imports_nothing_of_the_server() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(REPO)!r})\n"
        "import chat_server.decoders.worker, chat_server.photos.decoder\n"
        "sys.stdout.write(' '.join(name for name in sys.modules if name.startswith('chat_server')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    parts = {name.split(".")[1] for name in done.stdout.split() if "." in name}
    assert parts == {"decoders", "photos"}
