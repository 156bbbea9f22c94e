"""Seccomp filters: a decoder needs no sockets, programs, children, files by name or other processes.

Classic BPF programs, built here because the standard library has no binding: see seccomp(2) and linux/filter.h. They are
deny lists (everything else stays allowed), so that another libc or a newer Pillow does not break it. Whoever owns a
decoder through a broken file finds a process that can compute, read that one file and write its renditions.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable
from typing import Final

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL_PROCESS: Final = 0x80000000
_CLONE_THREAD: Final = 0x00010000
_X32_BIT: Final = 0x40000000
_NEW_NAMESPACES: Final = 0x7E020000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPES = 1, 1, 0xF
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS: offsets into struct seccomp_data
_EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x15, 0x35, 0x45, 0x06, 0x54
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARG0, _OFFSET_ARG1 = 0, 4, 16, 24

# From asm/unistd_64.h and asm-generic/unistd.h: what a process needs that has children of its own (fork, vfork, kill);
# sockets; programs; other processes; files by name; mounts, namespaces and the kernel's wide surfaces; _COMMON has the
# newer calls, whose numbers are the same everywhere.
# fmt: off
_COMMON: Final = (424, 425, 428, 429, 430, 432, 433, 434, 437, 438, 440, 442)
_WITHIN: Final = {"x86_64": (57, 58, 62), "aarch64": (129,)}
_SOCKETS: Final = {"x86_64": (41, 53), "aarch64": (198, 199)}
_PROGRAMS: Final = {"x86_64": (59, 322), "aarch64": (221, 281)}
_OTHERS: Final = {"x86_64": (101, 310, 311, 200, 234), "aarch64": (117, 270, 271, 130, 131)}
_FILES: Final = {
    "x86_64": (
        2, 85, 257, 304, 76, 82, 83, 84, 86, 87, 88, 90, 92, 94, 133, 258, 259, 260, 263, 264, 265, 266, 268, 316,
    ),
    "aarch64": (56, 265, 45, 33, 34, 35, 36, 37, 38, 53, 54, 276),
}
_WIDE: Final = {
    "x86_64": (155, 161, 165, 166, 272, 308, 175, 313, 169, 246, 320, 248, 249, 250, 298, 321, 323),
    "aarch64": (41, 51, 40, 39, 97, 268, 105, 273, 142, 104, 294, 217, 218, 219, 241, 280, 282),
}
_KILL: Final = {"x86_64": 62, "aarch64": 129}
_SOCKET: Final = {"x86_64": 41, "aarch64": 198}
_CONNECT: Final = {"x86_64": 42, "aarch64": 203}
_BIND: Final = {"x86_64": 49, "aarch64": 200}
_LISTEN: Final = {"x86_64": 50, "aarch64": 201}
# fmt: on
_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
_CLONE3: Final = 435


def _op(code: int, k: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, k)


_REFUSE: Final = _op(_RETURN, _ERRNO | errno.EPERM)


def _beginning(machine: str) -> list[bytes]:
    return [
        _op(_LOAD, _OFFSET_ARCH),
        _op(_EQUAL, _ARCH[machine], 1, 0),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _OFFSET_NR),
        _op(_AT_LEAST, _X32_BIT, 0, 1),
        _op(_RETURN, _KILL_PROCESS),
        # clone3 hides its flags behind a pointer; told that it does not exist, libc falls back to clone
        _op(_EQUAL, _CLONE3, 0, 1),
        _op(_RETURN, _ERRNO | errno.ENOSYS),
    ]


def _end(denied: Iterable[int]) -> list[bytes]:
    refusals = [op for number in denied for op in (_op(_EQUAL, number, 0, 1), _REFUSE)]
    return [*refusals, _op(_RETURN, _ALLOW)]


def _program(machine: str, children: bool) -> bytes:
    ops = _beginning(machine)
    denied = _SOCKETS[machine] + _PROGRAMS[machine] + _OTHERS[machine] + _FILES[machine] + _WIDE[machine] + _COMMON
    if not children:
        denied += _WITHIN[machine]
        ops += [
            # threads (the HEVC decoder starts one) yes, children no
            _op(_EQUAL, _CLONE[machine], 0, 3),
            _op(_LOAD, _OFFSET_ARG0),
            _op(_ANY_BIT, _CLONE_THREAD, 1, 0),
            _REFUSE,
            _op(_LOAD, _OFFSET_NR),
        ]
    return b"".join(ops + _end(denied))


def whole_program(*, own_folders: bool) -> bytes | None:
    """The filter for a program with files, threads and children of its own: it talks to nobody outside of itself. None
    where the machine has no table.

    Local stream sockets may be made, and connected to nothing: the socket by which the command line rules this server
    lies in the file system, and Landlock does not stand before it. Unless it has `own_folders`, that a socket be bound
    and listened on is answered with a yes that means nothing: LibreOffice insists on one, in a folder of everybody.
    """
    machine = platform.machine()
    if machine not in _ARCH:
        return None
    ops = [
        *_beginning(machine),
        _op(_EQUAL, _CONNECT[machine], 0, 1),
        _op(_RETURN, _ERRNO | errno.ECONNREFUSED),
        _op(_EQUAL, _CLONE[machine], 0, 4),
        _op(_LOAD, _OFFSET_ARG0),
        _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1),
        _REFUSE,
        _op(_LOAD, _OFFSET_NR),
        _op(_EQUAL, _SOCKET[machine], 0, 8),
        _op(_LOAD, _OFFSET_ARG0),
        _op(_EQUAL, _AF_UNIX, 1, 0),
        _REFUSE,
        _op(_LOAD, _OFFSET_ARG1),
        _op(_AND, _SOCK_TYPES),
        _op(_EQUAL, _SOCK_STREAM, 1, 0),
        _REFUSE,
        _op(_LOAD, _OFFSET_NR),
    ]
    if not own_folders:
        pretended = _op(_RETURN, _ERRNO | 0)
        ops += [_op(_EQUAL, _BIND[machine], 0, 1), pretended, _op(_EQUAL, _LISTEN[machine], 0, 1), pretended]
    return b"".join(ops + _end((_KILL[machine], *_OTHERS[machine], *_WIDE[machine], *_COMMON)))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("ops", ctypes.c_char_p))


def known() -> bool:
    """Whether there is a filter for this machine."""
    return platform.machine() in _ARCH


def install(*, children: bool) -> bool:
    """Apply the filter to this (single-threaded, no_new_privs) process and its descendants; a stricter one may follow.

    False where the machine or the kernel has none.
    """
    machine = platform.machine()
    if machine not in _ARCH:
        return False
    return apply(_program(machine, children))


def apply(program: bytes) -> bool:
    """Put this process, which is single-threaded and has no_new_privs, under a filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = _Filter(len(program) // 8, program)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(wanted), 0, 0) == 0)
