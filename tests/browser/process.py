"""`renraku serve` in a process of its own, on a free port, that can be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.patience import DEADLINE
from tests.support.ports import free_port

_READY: Final = re.compile(r"is ready: http://[^:]+:(\d+)/ \(zone (\w+)\)")


class Server:
    """`with Server(folder) as server`; after a `kill` and a `start` it has the same port.

    `zones`: of its sockets; the first is the one of `port` and `base`.
    """

    def __init__(self, folder: Path, zones: tuple[str, ...] = ("lgwan",), settings: str = "") -> None:
        """`settings`: further lines of the settings file."""
        self._folder = folder
        self._zones = zones
        self._settings = settings
        self._ports = {zone: free_port() for zone in zones}
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.port = self._ports[zones[0]]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def base_in(self, zone: str) -> str:
        """Its address in that zone."""
        return f"http://127.0.0.1:{self._ports[zone]}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RENRAKU_")},
            "RENRAKU_CONFIG": str(self._config()),
            "RENRAKU_DATA": str(self._folder),
        }
        command = [sys.executable, "-c", "from chat_server.cli.main import main; main()", "serve"]
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, ready), daemon=True)
        self._reader.start()
        assert ready.wait(DEADLINE), "the server did not become ready"

    def _config(self) -> Path:
        """Beside the data folder: with a socket a zone."""
        path = self._folder.with_suffix(".toml")
        sockets = (
            f'[[listen]]\naddress = "127.0.0.1"\nport = {self._ports[zone]}\nzone = "{zone}"\n' for zone in self._zones
        )
        path.write_text(self._settings + "".join(sockets), encoding="utf-8")
        return path

    def kill(self) -> None:
        """Without a chance to tidy up."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(DEADLINE)
        if self._reader is not None:
            self._reader.join(DEADLINE)
        assert process.stdout is not None
        process.stdout.close()

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        # Read to the end: a full pipe would stop the server.
        assert process.stdout is not None
        served: set[str] = set()
        for line in process.stdout:
            if found := _READY.search(line):
                assert int(found[1]) == self._ports[found[2]]
                served.add(found[2])
                if served == set(self._zones):
                    ready.set()
