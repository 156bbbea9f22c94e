"""The numbers of errors: one error each, in the module of its range. What they say is held in test_docs.py."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from chat_server.domain import errors
from chat_server.domain.errors.fault import Fault
from chat_server.domain.errors.table import RANGES, by_number, faults_of


def test_a_number_is_used_once() -> None:
    faults = [fault for _, module in RANGES for fault in faults_of(module)]
    assert len({fault.code for fault in faults}) == len({fault.name for fault in faults}) == len(faults)
    assert list(errors.FAULTS.values()) == faults


def test_a_number_that_is_used_twice_is_refused() -> None:
    again = Fault(errors.NOT_FOUND.code, "found_again", 404, "また見つかりました。", "Found again.")
    with pytest.raises(AssertionError, match="error number 2007 is used twice"):
        by_number([errors.NOT_FOUND, again])


def test_ranges_follow_one_another_and_none_overlap() -> None:
    for (earlier, _), (later, _) in pairwise(RANGES):
        assert earlier.stop <= later.start


@pytest.mark.parametrize(("numbers", "module"), RANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_numbers_lie_within_the_range_that_their_module_states_and_ascend(numbers: range, module: ModuleType) -> None:
    assert (module.__doc__ or "").startswith(f"{numbers[0]}–{numbers[-1]}: ")
    codes = [fault.code for fault in faults_of(module)]
    assert codes
    assert codes == sorted(codes)
    assert set(codes) <= set(numbers)


def test_the_package_gives_every_error_under_its_name() -> None:
    for _, module in RANGES:
        for name, fault in vars(module).items():
            if isinstance(fault, Fault):
                assert getattr(errors, name, None) is fault, name


def test_every_module_is_in_the_table() -> None:
    there = {path.stem for path in Path(errors.__path__[0]).glob("*.py")} - {"__init__", "fault", "table"}
    assert there == {module.__name__.rpartition(".")[2] for _, module in RANGES}
