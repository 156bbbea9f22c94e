"""`renraku config check` reads what pushes need and connects to nobody; `renraku config show` shows no password of theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobile_api.relay import keys


def renraku(folder: Path, settings: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = folder / "renraku.toml"
    path.write_text(f'data = "{folder / "data"}"\n{settings}\n[[listen]]\nport = 0\n', encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "chat_server", "--config", str(path), *words],
        env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


CONTACT = 'push_contact = "mailto:it@city.example"'


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('push = "direct"', "push_contact: "),
        ('push = "sometimes"', "push"),
        (f'push = "relay"\n{CONTACT}', "push_relay, push_relay_keys: "),
        (f'push = "relay"\n{CONTACT}\npush_relay = "relay.city.example:8600"\npush_relay_keys = "nowhere"', "push_relay_keys: "),
        (f'push = "relay"\n{CONTACT}\npush_relay = "relay"\npush_relay_keys = "nowhere"', "push_relay: "),
        (f'push = "direct"\n{CONTACT}\npush_apns_key = "nowhere.p8"\npush_apns_key_id = "a"\npush_apns_team = "b"\npush_apns_topic = "c"', "push_apns_key: "),
        (f'push = "direct"\n{CONTACT}\npush_fcm_account = "nowhere.json"', "push_fcm_account: "),
        ('push_web_hosts = ["https://push.example"]', "push_web_hosts: "),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, settings: str, said: str) -> None:
    done = renraku(tmp_path, settings, "config", "check")
    assert done.returncode == 1
    assert done.stderr.startswith(("Error: " + said, f"Error: {tmp_path / 'renraku.toml'}: "))
    assert "Traceback" not in done.stderr


def test_what_can_be_used_is_taken(tmp_path: Path) -> None:
    keys.make(tmp_path)
    for settings in (
        f'push = "direct"\n{CONTACT}',
        f'push = "relay"\n{CONTACT}\npush_relay = "127.0.0.1:9"\npush_relay_keys = "{tmp_path / keys.CLOSED}"',
    ):
        done = renraku(tmp_path, settings, "config", "check")
        assert (done.returncode, done.stderr) == (0, "")


def test_no_password_is_shown(tmp_path: Path) -> None:
    done = renraku(tmp_path, 'push_proxy = "http://it:secret@proxy.city.example:3128"', "config", "show")
    assert "proxy.city.example:3128" in done.stdout
    assert "secret" not in done.stdout + done.stderr
