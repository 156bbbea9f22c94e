"""Help texts that a stranger can use: whole in the lists, in both languages, and for every option."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from chat_server.cli.main import SECTIONS, renraku


def listed(path: str) -> int:
    """Characters that the list of commands around this one leaves for each in a terminal of 80."""
    group: click.Command = renraku
    for name in path.split(" ")[:-1]:
        assert isinstance(group, click.Group)
        group = group.commands[name]
    assert isinstance(group, click.Group)
    return 80 - 6 - max(map(len, group.commands))


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


ALL = dict(each for section in SECTIONS.values() for top in section for each in commands(top, top.name or ""))


@pytest.mark.parametrize("path", ALL)
def test_a_command_says_what_it_does(path: str) -> None:
    command = ALL[path]
    assert not command.get_short_help_str(listed(path)).endswith("..."), "the first sentence is cut off in the list"
    assert re.search("[ぁ-ん一-龥]", command.help or ""), "nothing in Japanese"
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.opts


def test_the_first_page_lists_every_command() -> None:
    with click.Context(renraku, info_name="renraku", terminal_width=80) as context:
        page = renraku.get_help(context)
    for name in renraku.commands:
        assert re.search(rf"^  {name} ", page, re.MULTILINE), name
