"""What the environment may say, and what is said about what it may not."""

from __future__ import annotations

import pytest

from chat_server.config import BadSettings, load


@pytest.mark.parametrize("port", ["0", "8080", "65535"])
def test_a_port_of_the_environment_is_taken(port: str) -> None:
    assert load(None, {"RENRAKU_PORT": port}).listen[0].port == int(port)


@pytest.mark.parametrize("port", ["65536", "-1", "８０", "http", "8080 ", "9" * 5000])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(BadSettings, match=r"^RENRAKU_PORT must be a number from 0 to 65535"):
        load(None, {"RENRAKU_PORT": port})
