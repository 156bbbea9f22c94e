"""The set-up says what is missing and what to do, and does nothing when there is nothing to do."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT


def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script of scripts/ with a few variables changed."""
    command = [str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )


def fake(path: Path, text: str) -> str:
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("python", "missing", "remedy"),
    [
        ("[[ $2 == *print* ]] && echo 3.9 || exit 1", "Python 3.11 or newer is missing", "found: 3.9"),
        (
            "[[ $2 == *print* ]] && echo 3.12; [[ $2 != *ensurepip* ]]",
            "Python 3.12 is here",
            "apt install python3-venv",
        ),
        ("exit 127", "Python 3.11 or newer is missing", "PYTHON=/path/to"),
    ],
)
def test_says_which_python_is_missing(tmp_path: Path, python: str, missing: str, remedy: str) -> None:
    venv = tmp_path / "venv"
    answer = run("venv", PYTHON=fake(tmp_path / "python3", python), VENV=str(venv))
    assert answer.returncode == 1
    assert missing in answer.stderr
    assert remedy in answer.stderr
    assert not venv.exists()


def test_a_node_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    venv = tmp_path / "venv/bin"
    machine = tmp_path / "machine"
    venv.mkdir(parents=True)
    machine.mkdir()
    for folder, fits in ((machine, 1), (venv, 0)):
        fake(folder / "node", f"exit {fits}")
        fake(folder / "npm", "echo 10")
    assert run("node", VENV=str(venv.parent), PATH=f"{machine}:{os.environ['PATH']}").stdout.strip() == str(venv)
    fake(machine / "node", "exit 0")
    assert run("node", VENV=str(venv.parent), PATH=f"{machine}:{os.environ['PATH']}").stdout.strip() == str(machine)


def test_a_second_set_up_does_nothing(tmp_path: Path) -> None:
    # A PATH whose Python and npm would tell on themselves: nothing may call them.
    for name in ("python3", "npm", "node"):
        fake(tmp_path / name, "echo called >&2; exit 1")
    for script in (["venv", "run"], ["venv", "dev"], ["web"]):
        answer = run(*script, PATH=f"{tmp_path}:{os.environ['PATH']}")
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", ""), script


def test_names_the_debian_packages_that_are_missing(tmp_path: Path) -> None:
    fake(tmp_path / "dpkg-query", "[[ ${!#} == strace ]] || echo -n installed")
    assert run("debian-missing", PATH=f"{tmp_path}:{os.environ['PATH']}").stdout.split() == ["strace"]


def test_helpers_are_installed_where_they_may_be_and_named_where_not(tmp_path: Path) -> None:
    fake(tmp_path / "dpkg-query", "[[ ${!#} == bubblewrap ]] || echo -n installed")
    fake(tmp_path / "sudo", '[[ $1 == -n ]] && shift && exec "$@"')
    fake(tmp_path / "apt-get", f"echo $* >>{tmp_path}/asked")
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert run("helpers", PATH=path).returncode == 0
    assert (tmp_path / "asked").read_text().split("\n")[-2].endswith("--no-install-recommends bubblewrap")
    fake(tmp_path / "apt-get", "exit 100")
    answer = run("helpers", PATH=path)
    assert answer.returncode == 0, "the server runs without them"
    assert "bubblewrap: the walls around LibreOffice" in answer.stderr
    assert "sudo apt install bubblewrap" in answer.stderr
    fake(tmp_path / "dpkg-query", "echo -n installed")
    answer = run("helpers", PATH=path)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_image_has_all_helpers() -> None:
    lines = (ROOT / "scripts/debian-helpers").read_text().splitlines()
    listed = [line.split()[0] for line in lines if line and not line.startswith("#")]
    named = re.search(r'^ARG HELPERS="([^"]+)"$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert named is not None
    assert named[1].split() == listed
