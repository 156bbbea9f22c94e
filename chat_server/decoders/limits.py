"""What a decoder process may use and touch, set by the process itself before it sees a stranger's bytes.

Parsers of pictures and documents are large C programs fed by strangers, and they break. A decoder (see `worker`) gives up
everything but the making of children before its first file; the child that decodes one gives up the rest. It then holds no
rights but the descriptors of this file: no file by name (Landlock), no socket, program or child (seccomp), no capabilities, and
bounded memory, time, output and descriptors (rlimits).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.decoders import seccomp

ANSWER_BYTES: Final = 8192
"""An answer of a decoder is shorter."""
REQUEST_BYTES: Final = 4096
"""A module's name and its order are shorter."""
_NICE: Final = 5  # a batch of files must not delay anybody's message
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_SECCOMP: Final = 21
_CAPABILITY_VERSION_3: Final = 0x20080522
_LANDLOCK_CREATE: Final = 444  # the same numbers on every machine
_LANDLOCK_ADD: Final = 445
_LANDLOCK_RESTRICT: Final = 446
_LANDLOCK_PATH_BENEATH: Final = 1
_LANDLOCK_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one decoder process."""

    memory_bytes: int = 2 << 30
    """address space; measured at the pixel limit: JPEG 0.8 to 1.2 GB, a transparent WebP 2.0 GB; a usual photo 0.1 GB"""
    cpu_seconds: int = 12
    """processor time of one file"""
    wall_seconds: int = 15
    """time on the clock of one file, however busy the machine is"""
    output_bytes: int = 128 << 20
    """size of one rendition"""
    descriptors: int = 16


def confine(limits: Limits) -> list[str]:
    """Give up everything but the limits and one's own children. Answers what the kernel agreed to, for the server's log.

    Raises: OSError where even no_new_privs or the rlimits cannot be set.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    os.nice(_NICE)
    _set_rlimits(limits)
    done = ["no_new_privs", "rlimits"]
    # the order matters: the filter is last, because it forbids what the others need
    for name, worked in (
        ("capabilities", drop_capabilities(libc)),
        ("landlock", deny_file_system(libc)),
        ("seccomp", seccomp.install(children=True)),
    ):
        if worked:
            done.append(name)
    return done


def confinable() -> bool:
    """Whether the kernel has what `confine` asks of it for files and system calls. Changes nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    landlock = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION) >= 1
    return bool(landlock and libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 and seccomp.known())


def confine_child(limits: Limits, parent: int, memory_bytes: int | None = None) -> None:
    """Of a confined process `parent`, for the one file ahead: no children either, a span of life, and perhaps less memory."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before it could be watched
        os._exit(1)
    # the second is for the difference of the signals: SIGXCPU at the one, SIGKILL at the other
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    signal.alarm(limits.wall_seconds)
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    seccomp.install(children=False)


def _set_rlimits(limits: Limits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_NOFILE, limits.descriptors),
        (resource.RLIMIT_CORE, 0),  # a core dump would be a copy of somebody's file
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (value, value))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def drop_capabilities(libc: ctypes.CDLL) -> bool:
    """For servers that run as root: the decoder keeps the user id and loses the power (capset(2))."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    return bool(libc.capset(ctypes.byref(header), nothing) == 0)


class _Ruleset(ctypes.Structure):
    _fields_ = (("file_system", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


_READING: Final = 0b1101  # execute, read a file, read a folder
_OF_A_FILE: Final = 0b1100000000000111  # execute, write, read; truncate and ioctl, where the kernel knows them


def deny_file_system(libc: ctypes.CDLL, readable: Sequence[str] = (), writable: Sequence[str] = ()) -> bool:
    """A Landlock ruleset that handles every right and grants what is beneath these paths alone (landlock(7)); paths that
    are missing are left out. Open descriptors stay usable."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    # rights by version of the interface: 13, +refer, +truncate, +ioctl (5); TCP bind and connect (4); scopes (6)
    rights = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    ruleset = _Ruleset(rights, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    descriptor = libc.syscall(_LANDLOCK_CREATE, ctypes.byref(ruleset), size, 0)
    if descriptor < 0:
        return False
    try:
        for path in readable:
            _allow(libc, descriptor, path, _READING)
        for path in writable:
            _allow(libc, descriptor, path, rights)
        return bool(libc.syscall(_LANDLOCK_RESTRICT, descriptor, 0) == 0)
    finally:
        os.close(descriptor)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            rights &= _OF_A_FILE
        rule = _Beneath(rights, beneath)
        libc.syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(beneath)
