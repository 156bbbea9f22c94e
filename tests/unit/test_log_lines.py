"""What the log must not tell, in both of its forms."""

from __future__ import annotations

import subprocess
import sys

import pytest

PASSWORD = "Midorino-27-secret"
WRITTEN = "住民の氏名"
FAILS = f"""
import logging, structlog
from chat_server import logs
logs.set_up(FORM)

def dial(address, blocks):
    raise OSError("the line is cut")

try:
    dial("postgresql://renraku:{PASSWORD}@127.0.0.1/renraku", "{WRITTEN}")
except OSError:
    structlog.get_logger("renraku.storage").exception("not dialled", password="{PASSWORD}", text="{WRITTEN}")
    logging.getLogger("uvicorn.error").exception("not dialled", extra={{"password": "{PASSWORD}"}})
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_tells_the_place_and_not_what_was_in_hand(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILS.replace("FORM", repr(form))], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("the line is cut") == 2
    assert "in dial" in done.stderr
    assert PASSWORD not in done.stderr
    assert WRITTEN not in done.stderr
