"""The Dockerfile, built for real without a Docker engine, started as an orchestrator would: not root, nothing writable
but the data folder and /tmp, pid 1 of its own namespace, and stopped by SIGTERM.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import ROOT
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(600)  # debootstrap and two package indexes take their time

START = """
set -e
root=$1 data=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$data" "$root/var/lib/renraku"
exec chroot --userspec="$1" "$root" env --ignore-environment --chdir="$2" "${@:3}"
"""


@dataclass(frozen=True)
class Image:
    root: Path
    """its file system, mounted"""
    config: dict[str, Any]
    """what the Dockerfile said, in Docker's own words"""
    data: Path
    port: int

    def command(self, *command: str) -> list[str]:
        """`command` as the image's user, with the image's environment, in namespaces of its own."""
        variables = [*self.config["Env"], f"RENRAKU_PORT={self.port}"]
        user, folder = self.config["User"], self.config["WorkingDir"]
        return [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", START, "start"),
            *(str(self.root), str(self.data), user, folder, *variables, *command),
        ]

    def healthy(self) -> bool:
        """What HEALTHCHECK says."""
        kind, *check = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return subprocess.run(self.command(*check), stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root can build an image without a Docker engine: sudo make image-check")
    folder = tmp_path_factory.mktemp("image")
    # One helper shows that they come into it; LibreOffice takes minutes. `HELPERS= make image-check` builds it with all of them.
    helpers = {"HELPERS": "bubblewrap"} | os.environ
    subprocess.run([ROOT / "scripts/image-build", folder], check=True, timeout=590, env=helpers)

    def buildah(*arguments: str) -> str:
        where = ["--storage-driver", "vfs", "--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        return subprocess.run(["buildah", *where, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout

    config = json.loads(buildah("inspect", "--type", "image", "localhost/renraku"))["Docker"]["config"]
    root = Path(buildah("mount", buildah("from", "--pull-never", "localhost/renraku").strip()).strip())
    data = folder / "data"
    data.mkdir()
    owner = (root / "var/lib/renraku").stat()  # a new volume takes its owner from the image
    os.chown(data, owner.st_uid, owner.st_gid)
    yield Image(root, config, data, free_port())
    buildah("umount", "--all")
    shutil.rmtree(folder)


def test_says_how_to_run_it(image: Image) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.config["StopSignal"] == "SIGTERM"
    assert image.config["Volumes"] == {"/var/lib/renraku": {}}
    assert list(image.config["ExposedPorts"]) == ["8080/tcp"]
    assert image.config["Healthcheck"]["Retries"] == 3


def test_holds_nothing_to_build_with_and_nothing_of_the_builder(image: Image) -> None:
    path = next(v for v in image.config["Env"] if v.startswith("PATH=")).removeprefix("PATH=").split(":")
    assert (image.root / "usr/bin/bwrap").exists()
    tools = ["gcc", "cc", "make", "node", "npm", "git", "pip", "pip3", "uv"]
    found = [tool for tool in tools for folder in path if (image.root / folder.lstrip("/") / tool).exists()]
    assert found == []
    left = [
        "var/lib/apt/lists/lock",
        "var/log/dpkg.log",
        "etc/pip.conf",
        "root/.npmrc",
        "run/host",
        "src",
        "build",
        "node",
        "wheel",
    ]
    assert [name for name in left if (image.root / name).exists()] == []
    assert not [v for v in image.config["Env"] if v.startswith(("PIP_", "NPM_"))]


def test_serves_as_an_ordinary_user_and_stops_when_asked(image: Image) -> None:
    server = subprocess.Popen(image.command(*image.config["Entrypoint"], *image.config["Cmd"]))
    try:
        wait_for_health(server, image.port)
        assert image.healthy()
        with urllib.request.urlopen(f"http://127.0.0.1:{image.port}/", timeout=5) as page:
            assert b"<script" in page.read()

        pid = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text())
        status = Path(f"/proc/{pid}/status").read_text()
        assert "\nUid:\t10001\t10001\t10001\t10001\n" in status
        assert status.partition("\nNSpid:\t")[2].partition("\n")[0].split()[-1] == "1"  # as in a container

        os.kill(pid, signal.SIGTERM)
        assert server.wait(timeout=10) == 0
        assert not image.healthy()
    finally:
        server.kill()  # --kill-child takes the server with it
        server.wait()


def wait_for_health(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert server.poll() is None, f"the server ended by itself with {server.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                assert answer.status == 200
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "no /healthz within 30 s"
            time.sleep(0.1)  # between two tries of a condition with a deadline
