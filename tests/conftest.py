"""How the suite shares two cores (`make test` runs it under pytest-xdist)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import engines
from tests.support.ports import free_port

# An example that takes long on a machine that other tests keep busy is no fault: the library's own bounds are 200 ms for one, and
# a second for drawing ten.
settings.register_profile("renraku", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("renraku")

# Groups run side by side, the tests of a group one after the other on one core. A module is a group, but FIRST are
# groups as a whole, and begin the run: the image takes longest, and so begins; faults wait for processes that are
# killed. The browser's modules end it, on every core: its event loop stays in its worker, where no other test could use
# one afterwards.
FIRST = ("tests/packaging/test_image.py", "tests/faults/")
LAST = "tests/browser/"
# Of those, the longest begin: at the very end the other cores would wait for one of them.
LONGEST = tuple(
    f"tests/browser/test_{name}.py"
    for name in [
        "dialogs",
        "push",
        "offline",
        "bad_line",
        "layout",
        "files",
        "push_pages",
        "share",
        "takeouts",
        "handin",
    ]
)


def group(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return next((whole for whole in FIRST if path.startswith(whole)), path)


def rank(nodeid: str) -> int:
    own = group(nodeid)
    if own in FIRST:
        return FIRST.index(own)
    if not own.startswith(LAST):
        return len(FIRST)
    return len(FIRST) + 1 + (LONGEST.index(own) if own in LONGEST else len(LONGEST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid))  # stable: within a rank, as collected


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Groups by path: xdist's own marker for groups is without effect under pytest 9."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # untyped
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return ByGroup(config, log)


@pytest.fixture
def unused_tcp_port() -> int:
    """Where nobody listens, and nobody will: pytest-asyncio's own is the next one that the kernel gives to anybody."""
    return free_port()


# The engine


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=[*engines.BOTH, "both"], help="run what can run on either engine on this one, or on both"
    )


def _default(config: pytest.Config) -> str:
    option = config.getoption("--engine")
    return option if option in engines.BOTH else engines.SQLITE


def pytest_configure(config: pytest.Config) -> None:
    engines.choose(_default(config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that says BOTH_ENGINES runs on both; the others on SQLite, or as the option says."""
    if "engine" in metafunc.fixturenames:
        option = metafunc.config.getoption("--engine")
        both = option == "both" or (option is None and getattr(metafunc.module, "BOTH_ENGINES", False))
        metafunc.parametrize(
            "engine", engines.BOTH if both else (option or engines.SQLITE,), indirect=True, scope="module"
        )


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine of every storage and server that is opened by `tests.support.engines` until the module's end."""
    engines.choose(request.param)
    yield request.param
    engines.choose(_default(request.config))
