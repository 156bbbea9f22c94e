"""What a password costs where its cost is not what is tried: `tests/unit/people/test_passwords.py` tries the real one."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher

CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""argon2id all the same; the real one took a core for 144 ms, and 20 of the 26 s of test_http_devices.py"""
