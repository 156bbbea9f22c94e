"""Help texts that a stranger can use: whole in the lists, in both languages, and for every option."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from chat_server.cli.main import renraku

CONTEXT = click.Context(renraku, info_name="renraku", terminal_width=80)


def inner(group: click.Group) -> dict[str, click.Command]:
    found = {name: group.get_command(CONTEXT, name) for name in group.list_commands(CONTEXT)}
    return {name: command for name, command in found.items() if command is not None}


def listed(path: str) -> int:
    """Characters that the list of commands around this one leaves for each in a terminal of 80."""
    group: click.Command = renraku
    for name in path.split(" ")[:-1]:
        assert isinstance(group, click.Group)
        group = inner(group)[name]
    assert isinstance(group, click.Group)
    return 80 - 6 - max(map(len, inner(group)))


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, one in inner(command).items():
            yield from commands(one, f"{path} {name}")


ALL = dict(each for name, top in inner(renraku).items() for each in commands(top, name))


@pytest.mark.parametrize("path", ALL)
def test_a_command_says_what_it_does(path: str) -> None:
    command = ALL[path]
    assert not command.get_short_help_str(listed(path)).endswith("..."), "the first sentence is cut off in the list"
    assert re.search("[ぁ-ん一-龥]", command.help or ""), "nothing in Japanese"
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.opts


def test_the_first_page_lists_every_command() -> None:
    page = renraku.get_help(CONTEXT)
    for name in renraku.list_commands(CONTEXT):
        assert re.search(rf"^  {name} ", page, re.MULTILINE), name


def test_a_command_goes_by_the_name_that_the_list_has_for_it() -> None:
    assert {name: command.name for name, command in inner(renraku).items()} == {name: name for name in inner(renraku)}


@pytest.mark.parametrize("command", ["post", "rooms", "health", "user"])
def test_a_command_does_not_load_the_server(command: str) -> None:
    """Whoever posts from a script does it often."""
    code = (
        "import sys; from chat_server.cli.main import renraku\n"
        f"try: renraku(['{command}', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit('chat_server.app' in sys.modules or 'starlette' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 0
