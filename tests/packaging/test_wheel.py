"""The wheel holds all that a person with Python alone needs, and nothing of the workshop."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

PACKAGES = ["chat_server", "chat_client", "bots", "mobile_api"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL, timeout=60)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def shipped(path: Path) -> bool:
    """Is this file of a package meant to travel? Bots keep their tests beside their code; those stay here."""
    inside = path.relative_to(ROOT).parts
    is_test = inside[-1].startswith(("test_", "conftest.")) or "tests" in inside or "fixtures" in inside
    return path.is_file() and "__pycache__" not in inside and not is_test


def test_holds_every_file_of_the_packages_and_no_other(names: set[str]) -> None:
    expected = {str(p.relative_to(ROOT)) for package in PACKAGES for p in (ROOT / package).rglob("*") if shipped(p)}
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == expected


def test_holds_what_hatchling_would_leave_out_in_silence(names: set[str]) -> None:
    assert "chat_server/web/index.html" in names
    assert any(name.startswith("chat_server/web/assets/") and name.endswith(".js") for name in names)
    assert any(name.startswith("chat_server/storage/migrations/") and name.endswith(".sql") for name in names)
    assert any(name.startswith("chat_server/demo/data/") for name in names)
    assert {"chat_server/py.typed", "chat_client/py.typed"} <= names


def test_holds_nothing_of_the_workshop(names: set[str]) -> None:
    workshop = ("tests/", "bench/", "scripts/", "docs/", "web/")
    assert [name for name in names if name.startswith(workshop) or "/test_" in name or "/tests/" in name] == []


def test_installs_into_an_empty_environment_and_answers(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    python = venv / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, wheel], check=True, timeout=60)
    # The dependencies are borrowed. A .pth inside a borrowed folder is not read, so the editable install stays out.
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(*command: str | Path) -> str:
        return subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout

    assert run(python, "-c", "import chat_server; print(chat_server.__file__)").startswith(str(site))
    assert wheel.name.split("-")[1] in run(venv / "bin/renraku", "--version")
