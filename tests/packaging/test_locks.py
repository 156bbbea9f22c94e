"""The lock files pin everything, by hash, in step with pyproject.toml, and name no address."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-build.lock": GROUPS["build"],
    "requirements-dev.lock": PROJECT["project"]["dependencies"]
    + GROUPS["build"]
    + [line for line in GROUPS["dev"] if isinstance(line, str)],
    "requirements-node.lock": GROUPS["node"],
}


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """Name to version and number of hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$", text, re.MULTILINE)
    return {canonicalize_name(name): (version, rest.count("--hash=sha256:")) for name, version, rest in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_pinned_within_its_bounds(lock: str) -> None:
    pinned = pins(lock)
    for line in LOCKS[lock]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)][0]), f"{line}: run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    assert [name for name, (_, hashes) in pins(lock).items() if hashes == 0] == []


def test_one_version_of_a_package_in_the_whole_house() -> None:
    everything = pins("requirements-dev.lock")
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert pins(lock).items() <= everything.items(), lock


@pytest.mark.parametrize("lock", [*LOCKS, "web/package-lock.json"])
def test_no_address_is_recorded(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"\S*://\S*(?:\.whl|\.tgz|\.tar\.gz|/simple)\S*|^--.*", text, re.MULTILINE) == []


def test_every_package_of_the_client_has_its_hash() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []


def test_every_dependency_says_why_it_is_here() -> None:
    text = Path(ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = re.findall(r'^  "[a-z0-9-]+[><=].*$', text, re.MULTILINE)
    assert len(lines) >= len(PROJECT["project"]["dependencies"]) + 10
    assert [line for line in lines if "#" not in line and "pytest>=" not in line] == []
