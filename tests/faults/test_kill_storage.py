"""kill -9 at 90 places of the storage path: the n-th write, the n-th fsync, the n-th rename; of the log, of a file, of
the database itself while the log goes back into it.

What was acknowledged is there once, in its place; what was not is there once or never; sending again is safe.
"""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from tests.faults import storage_driver
from tests.faults.ledger import Ledger

ROUNDS = 40
# How many calls of each kind a whole run makes, roughly; a place beyond the last is drawn again, earlier.
PLACES = {"pwrite64": 2000, "fdatasync": 100, "fsync": 30, "rename": 9, "write": 150}
KILLS_PER_FOLDER = 30


def run_until_killed(folder: Path, syscall: str, nth: int) -> tuple[bool, str]:
    """Whether the driver was killed at the n-th `syscall`, and what it said before."""
    done = storage_driver.run(
        folder, ROUNDS, "-e", f"trace={syscall}", "-e", f"inject={syscall}:signal=SIGKILL:when={nth}"
    )
    killed = done.returncode == -signal.SIGKILL
    assert killed or done.returncode == 0, done.stderr
    return killed, done.stdout


@pytest.mark.parametrize("part", range(3))
@pytest.mark.timeout(240)
def test_killed_anywhere_nothing_acknowledged_is_lost(part: int, tmp_path: Path) -> None:
    chance = random.Random(part)
    folder = tmp_path / "data"
    asyncio.run(storage_driver.prepare(folder))
    ledger = Ledger(folder)
    kills = 0
    while kills < KILLS_PER_FOLDER:
        syscall = list(PLACES)[kills % len(PLACES)]
        nth = chance.randint(1, PLACES[syscall])
        killed = False
        while not killed:
            killed, output = run_until_killed(folder, syscall, nth)
            ledger.take(output)
            ledger.check()
            nth = max(1, nth // 2)
        kills += 1
    assert len(ledger.acked) > KILLS_PER_FOLDER
