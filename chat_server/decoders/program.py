"""A whole program over one file, confined: `python -m chat_server.decoders.program ORDER`.

For what is no library but a program with files, threads and children of its own. It finds the file to read, an empty
place to work in, the system's programs and fonts, and nothing else of this machine; it has no network and cannot reach
any process outside. What it prints is the result: standard output is one file, bounded by RLIMIT_FSIZE. `MEANS` says how:

- bubblewrap: namespaces of its own. Ends with all its descendants, whatever they do.
- landlock: where namespaces are not to be had (inside of most containers): the same user, with Landlock, capabilities
  dropped and a seccomp filter. This process adopts what the program leaves behind, and ends it.

Standard input is the server's hand: when it closes, everything ends. Status 0: the program ended by itself (what it
printed may still be nothing); 75: it took too long.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from chat_server.decoders import limits, seccomp

BUBBLEWRAP: Final = "bubblewrap"
LANDLOCK: Final = "landlock"
TOO_LONG: Final = 75
_NICE: Final = 10
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_CHILD_SUBREAPER: Final = 36
_NOBODY: Final = "65534"
_TMP, _WORK = "/tmp", "/tmp/work"  # noqa: S108 (its own, in memory)
_SYSTEM: Final = ("lib", "lib32", "lib64", "bin", "sbin")
_READABLE: Final = (
    "/etc/fonts", "/etc/libreoffice", "/etc/alternatives", "/var/cache/fontconfig", "/var/lib/libreoffice",
    "/var/spool/libreoffice",
)  # fmt: skip
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


@dataclass(frozen=True, slots=True)
class Order:
    """`script` is for /bin/sh: $SOURCE is the file to read, called `name`; $WORK an empty folder. `folder`: an empty one
    on the disk, to be removed by the caller; the landlock way works in it."""

    means: str
    script: str
    source: str
    name: str
    folder: str
    memory_bytes: int
    """address space of each process"""
    cpu_seconds: int
    """processor time of each process"""
    wall_seconds: int
    """time on the clock of all of it"""
    output_bytes: int
    """of one file; of all files in $WORK where that is memory (bubblewrap)"""
    descriptors: int = 512
    readable: tuple[str, ...] = ()
    """files and folders that it may read besides the system's programs"""


def main(order: Order) -> int:
    """See the module."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        try:
            _become(order)
        finally:
            os._exit(1)
    watched = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([watched, sys.stdin.fileno()], [], [], order.wall_seconds)
    finally:
        _end_descendants()
    return 0 if watched in ready else TOO_LONG


def _become(order: Order) -> NoReturn:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 2)
    os.nice(_NICE)
    for kind, value in (
        (resource.RLIMIT_AS, order.memory_bytes),
        (resource.RLIMIT_CPU, order.cpu_seconds),
        (resource.RLIMIT_FSIZE, order.output_bytes),
        (resource.RLIMIT_NOFILE, order.descriptors),
        (resource.RLIMIT_CORE, 0),  # a core dump would be a copy of somebody's file
    ):
        resource.setrlimit(kind, (value, value))
    (_bubblewrap if order.means == BUBBLEWRAP else _landlock)(order)


def _environment(work: str, source: str) -> dict[str, str]:
    """None of the server's: it may hold secrets."""
    return {
        "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": work, "TMPDIR": work, "WORK": work, "SOURCE": source,
        "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip


def _bubblewrap(order: Order) -> NoReturn:
    source = f"/in/{order.name}"
    options = [
        "--unshare-all", "--unshare-user", "--disable-userns", "--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL",
        "--die-with-parent", "--new-session", "--clearenv", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev",
        "--size", str(order.output_bytes), "--tmpfs", _TMP, "--dir", _WORK,
        "--ro-bind", str(Path(order.source).absolute()), source, "--chdir", _WORK,
    ]  # fmt: skip
    for name in _SYSTEM:
        top = Path("/", name)
        if top.is_symlink():
            options += ["--symlink", f"usr/{name}", str(top)]
        elif top.is_dir():
            options += ["--ro-bind", str(top), str(top)]
    for path in (*_READABLE, *order.readable):
        options += ["--ro-bind-try", path, path]
    for name, value in _environment(_WORK, source).items():
        options += ["--setenv", name, value]
    # those are in memory too, without a bound
    options += ["--remount-ro", "/", "--remount-ro", "/dev"]
    program = seccomp.whole_program(own_folders=True)
    if program is not None:
        rules = os.memfd_create("seccomp", 0)
        os.write(rules, program)
        os.lseek(rules, 0, os.SEEK_SET)
        options += ["--seccomp", str(rules)]
    os.execvp("bwrap", ["bwrap", *options, "/bin/sh", "-c", order.script])  # noqa: S606


def _landlock(order: Order) -> NoReturn:
    # a copy, so that nothing but this folder has to be opened to the program
    folder = str(Path(order.folder).absolute())
    source, work = f"{folder}/{order.name}", f"{folder}/work"
    shutil.copyfile(order.source, source)
    Path(work).mkdir(mode=0o700)
    os.chdir(work)
    os.setsid()
    libc = ctypes.CDLL(None, use_errno=True)
    readable = (*(f"/{name}" for name in ("usr", *_SYSTEM)), *_READABLE, *order.readable, "/etc/ld.so.cache")
    program = seccomp.whole_program(own_folders=False)
    confined = (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and limits.drop_capabilities(libc)
        and limits.deny_file_system(libc, readable, (folder, *_DEVICES))
        and program is not None
        and seccomp.apply(program)
    )
    if not confined:
        os._exit(1)
    os.execve("/bin/sh", ["/bin/sh", "-c", order.script], _environment(work, source))  # noqa: S606


def _end_descendants() -> None:
    """Ours as soon as their own parents are gone: this process is their subreaper."""
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    while children := own.read_text().split():
        for each in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(each), signal.SIGKILL)
        for each in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(each), 0)


if __name__ == "__main__":
    sys.exit(main(Order(**json.loads(sys.argv[1]))))
