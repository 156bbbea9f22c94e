"""docs/sanitizing.md names every kind, reason and word, so that nobody meets one that is not explained."""

from __future__ import annotations

import re
import typing
from pathlib import Path

from chat_server.sanitizing import kinds, words
from chat_server.sanitizing.policy import Wish
from chat_server.sanitizing.report import Action, Object, Report, Warning_

PAGE = (Path(__file__).parents[2] / "docs" / "sanitizing.md").read_text()
NAMED = set(re.findall(r"`([a-z0-9_]+)`", PAGE))


def test_the_page_names_every_kind_reason_action_and_field() -> None:
    assert set(kinds.SUFFIXES) <= NAMED
    assert set(words.REASONS) <= NAMED
    assert set(typing.get_args(Action)) <= NAMED
    assert set(Report.__struct_fields__) <= NAMED
    assert all(f'"{wish}"' in PAGE for wish in typing.get_args(Wish))


def test_every_object_warning_and_reason_has_its_words() -> None:
    assert set(words.REMOVED) == set(typing.get_args(Object))
    assert set(words.WARNINGS) == set(typing.get_args(Warning_))
    for ja, en in [*words.WARNINGS.values(), *(pair for reason in words.REASONS.values() for pair in reason)]:
        assert re.search("[ぁ-んァ-ヶ一-龥]", ja)
        assert not re.search("[ぁ-ん一-龥]", en)
        assert ja.endswith("。")
        assert en.endswith(".")


def test_what_is_rebuilt_or_released_has_an_ending() -> None:
    assert set(kinds.SUFFIXES) >= kinds.REBUILT | kinds.DRAWINGS | kinds.HOLDERS | kinds.FLATTENED
