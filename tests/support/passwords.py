"""What a password costs where its cost is not what is tried: `tests/unit/people/test_passwords.py` tries the real one."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher

CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""argon2id all the same; the real one takes a core for 140 ms, in some 1,000 tests"""
