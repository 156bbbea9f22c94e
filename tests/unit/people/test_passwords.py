"""The slow hashes: real parameters, a bounded pool, off the event loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from chat_server.domain.errors import Problem
from chat_server.passwords import HASHER, Argon2Passwords
from tests.support.passwords import CHEAP
from tests.unit.people.conftest import code


async def test_the_real_parameters_are_argon2id_with_64_mib() -> None:
    passwords = Argon2Passwords()
    try:
        hashed = await passwords.hash("みどりの町の合言葉")
        parameters = extract_parameters(hashed)
        assert hashed.startswith("$argon2id$")
        assert (parameters.memory_cost, parameters.time_cost) == (65_536, 3)
        assert await passwords.verify(hashed, "みどりの町の合言葉")
        assert not await passwords.verify(hashed, "みどりの町の合言葉 ")
        assert not passwords.outdated(hashed)
    finally:
        passwords.close()


async def test_nobody_takes_as_long_as_somebody() -> None:
    """With the real parameters; in processor time and by medians, because the machine is shared."""
    passwords = Argon2Passwords(threads=1)
    try:
        hashed = await passwords.hash("x" * 12)
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(3):
            for somebody in (True, False):
                begun = time.process_time()
                assert not await passwords.verify(hashed if somebody else None, "y" * 12)
                times[somebody].append(time.process_time() - begun)
        somebody_took, nobody_took = sorted(times[True])[1], sorted(times[False])[1]
        assert nobody_took > somebody_took / 2
    finally:
        passwords.close()


def test_nobodys_hash_is_like_any_other() -> None:
    """Or the library would refuse it in no time, and nobody would answer faster than somebody."""
    for hasher in (HASHER, CHEAP):
        passwords = Argon2Passwords(hasher=hasher)
        try:
            assert not passwords.outdated(passwords._nobody)
            with pytest.raises(VerifyMismatchError):
                hasher.verify(passwords._nobody, b"x")
        finally:
            passwords.close()


async def test_nobody_never_matches_even_the_dummys_own_password() -> None:
    passwords = Argon2Passwords(hasher=CHEAP)
    try:
        passwords._nobody = CHEAP.hash(b"known")
        assert not await passwords.verify(None, "known")
    finally:
        passwords.close()


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$", "$2b$12$" + "a" * 53, "\x00"])
async def test_a_broken_hash_is_a_wrong_password(broken: str) -> None:
    passwords = Argon2Passwords(hasher=CHEAP)
    try:
        assert not await passwords.verify(broken, "x")
        assert not passwords.outdated(broken)
    finally:
        passwords.close()


async def test_other_parameters_are_outdated() -> None:
    passwords = Argon2Passwords(hasher=HASHER)
    try:
        assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    finally:
        passwords.close()


async def test_what_a_stranger_sends_cannot_crash_it() -> None:
    passwords = Argon2Passwords(hasher=CHEAP)
    try:
        for text in ("\ud800", "\x00", "x" * 1_000_000, "ﷺ" * 10_000, ""):
            assert not await passwords.verify(None, text)
            assert await passwords.verify(await passwords.hash(text), text)
    finally:
        passwords.close()


async def test_the_pool_is_bounded_and_the_event_loop_free() -> None:
    passwords = Argon2Passwords(threads=2, waiting=3, hasher=CHEAP)
    release, inside = threading.Event(), threading.Semaphore(0)
    at_once: list[int] = []
    running = 0
    lock = threading.Lock()

    def slow(password_hash: str, raw: bytes) -> bool:
        nonlocal running
        with lock:
            running += 1
            at_once.append(running)
        inside.release()
        assert release.wait(20)
        with lock:
            running -= 1
        return True

    passwords._verify = slow  # type: ignore[method-assign]
    try:
        waiting = [asyncio.create_task(passwords.verify("h", "x")) for _ in range(5)]
        for _ in range(2):
            assert await asyncio.to_thread(inside.acquire, True, 20)
        with pytest.raises(Problem) as problem:
            await passwords.verify("h", "x")
        assert code(problem) == 8001
        waiting[0].cancel()
        with pytest.raises(Problem):  # whoever hangs up frees no core
            await passwords.verify("h", "x")
        release.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert outcomes[1:] == [True] * 4
        assert max(at_once) == 2
        assert await passwords.verify("h", "x")
    finally:
        release.set()
        passwords.close()
