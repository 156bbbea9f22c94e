"""The relay's queue by itself: what is handed out when, what is remembered, and what a stop leaves."""

from __future__ import annotations

import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from chat_server.cli.main import renraku
from mobile_api.providers.port import Answer, Outcome
from mobile_api.relay import keys, queue, settings
from mobile_api.relay.keys import NoKeys
from mobile_api.relay.queue import Busy, Queue
from mobile_api.relay.settings import BadRelaySettings, RelaySettings
from mobile_api.relay.wire import Hand
from tests.support.push.parcels import parcel

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_000_000
ACCEPTED = Answer(Outcome.ACCEPTED, "200")
LATER = Answer(Outcome.LATER, "503")


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Queue]:
    found = Queue(tmp_path)
    yield found
    found.close()


def hand(n: int = 1) -> Hand:
    return Hand(parcel("apns", f"{n:064x}", sealed=b"sealed", id=f"{n:026d}", expires=NOW), "vapid t=…")


def test_each_goes_once_in_the_order_of_their_making(waiting: Queue) -> None:
    for n in (3, 1, 2):
        assert waiting.take(hand(n), NOW) is None
    assert [(found.parcel.id, tries) for found, tries in waiting.next(NOW, 2)] == [(f"{1:026d}", 0), (f"{2:026d}", 0)]
    assert waiting.take(hand(1), NOW) is None, "it is on its way: nothing else is begun"
    assert [found for found, _ in waiting.next(NOW, 9)] == [hand(3)], "whole, with its signature"
    assert waiting.next(NOW, 9) == []


def test_an_answer_is_given_again_until_it_is_confirmed_and_what_is_final_for_longer(waiting: Queue) -> None:
    waiting.take(hand(), NOW)
    waiting.next(NOW, 1)
    waiting.answer(hand().parcel.id, ACCEPTED, NOW)
    assert waiting.take(hand(), NOW) == ACCEPTED
    waiting.confirm(hand().parcel.id, NOW)
    assert waiting.take(hand(), NOW) == ACCEPTED
    waiting.forget(NOW + queue.REMEMBERED)
    assert waiting.take(hand(), NOW) == ACCEPTED
    waiting.forget(NOW + queue.REMEMBERED + 1)
    assert waiting.take(hand(), NOW) is None


@pytest.mark.parametrize("outcome", [Outcome.LATER, Outcome.UNKNOWN])
def test_what_may_be_tried_again_is_once_the_answer_is_confirmed(waiting: Queue, outcome: Outcome) -> None:
    answer = Answer(outcome, "x")
    waiting.take(hand(), NOW)
    waiting.next(NOW, 1)
    waiting.answer(hand().parcel.id, answer, NOW)
    assert waiting.take(hand(), NOW) == answer
    assert waiting.next(NOW, 1) == []
    waiting.confirm(hand().parcel.id, NOW)
    assert waiting.take(hand(), NOW) is None
    assert waiting.next(NOW, 1) == [(hand(), 1)]


def test_an_answer_that_nobody_fetches_goes_after_days(waiting: Queue) -> None:
    waiting.take(hand(), NOW)
    waiting.next(NOW, 1)
    waiting.answer(hand().parcel.id, LATER, NOW)
    waiting.forget(NOW + queue.UNFETCHED)
    assert waiting.take(hand(), NOW) == LATER
    waiting.forget(NOW + queue.UNFETCHED + 1)
    assert waiting.take(hand(), NOW) is None


def test_one_that_is_put_off_waits_and_whoever_asks_again_has_waited(waiting: Queue) -> None:
    waiting.take(hand(), NOW)
    waiting.next(NOW, 1)
    waiting.later(hand().parcel.id, NOW + 5_000)
    assert waiting.next(NOW + 4_999, 1) == []
    assert waiting.due() == NOW + 5_000
    waiting.take(hand(), NOW + 10)
    assert waiting.next(NOW + 10, 1) == [(hand(), 1)]


def in_room(n: int, room: str = "r") -> Hand:
    """All for one device."""
    return Hand(parcel("apns", "a" * 64, id=f"{n:026d}", collapse=room, expires=NOW))


def ids(found: list[tuple[Hand, int]]) -> list[int]:
    return [int(one.parcel.id) for one, _ in found]


def test_what_was_left_by_a_cut_line_does_not_ring_after_what_came_later(waiting: Queue) -> None:
    """Over there the first was read or replaced meanwhile; here the provider had put it off."""
    waiting.take(in_room(1), NOW)
    waiting.next(NOW, 1)
    waiting.later(in_room(1).parcel.id, NOW + 5_000)
    waiting.take(in_room(2), NOW + 10)
    assert ids(waiting.next(NOW + 10, 9)) == [2]
    assert waiting.next(NOW + 60_000, 9) == []
    assert waiting.take(in_room(1), NOW + 60_000) == Answer(Outcome.REFUSED, "a newer one took its place")


def test_what_is_on_its_way_is_waited_for_by_what_came_later(waiting: Queue) -> None:
    waiting.take(in_room(1), NOW)
    assert ids(waiting.next(NOW, 9)) == [1]
    waiting.take(in_room(2), NOW)
    waiting.take(in_room(3, room="elsewhere"), NOW)
    assert ids(waiting.next(NOW, 9)) == [3], "another room waits for nobody"
    assert waiting.due() is None, "there is nothing that time alone brings"
    waiting.later(in_room(1).parcel.id, NOW + 1)  # put off: it would go after the newer one
    assert ids(waiting.next(NOW + 60_000, 9)) == [2]


def test_a_queue_of_an_earlier_version_is_gone_on_with(tmp_path: Path) -> None:
    first = Queue(tmp_path)
    first.take(hand(), NOW)
    first._db.executescript("DROP INDEX parcels_by_place; ALTER TABLE parcels DROP COLUMN place")
    first.close()
    second = Queue(tmp_path)
    assert second.next(NOW, 9) == [(hand(), 0)]
    second.close()


def test_a_stop_in_the_middle_is_unknown_and_what_waited_still_waits(tmp_path: Path) -> None:
    first = Queue(tmp_path)
    first.take(hand(1), NOW)
    first.next(NOW, 1)
    first.take(hand(2), NOW)
    first.close()
    second = Queue(tmp_path)
    assert second.recover(NOW) == 1
    known = second.take(hand(1), NOW)
    assert known is not None
    assert (known.outcome, known.reason) == (Outcome.UNKNOWN, "the relay was stopped in the middle")
    assert second.next(NOW, 9) == [(hand(2), 0)]
    second.close()


def test_nothing_of_a_parcel_stays_with_its_answer(tmp_path: Path) -> None:
    found = Queue(tmp_path)
    found.take(hand(), NOW)
    found.next(NOW, 1)
    found.answer(hand().parcel.id, ACCEPTED, NOW)
    found.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert hand().parcel.id.encode() in content
    for secret in (b"sealed", hand().parcel.token.encode(), hand().parcel.text.encode(), b"vapid"):
        assert secret not in content


def test_a_full_queue_takes_no_more(waiting: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST", 2)
    waiting.take(hand(1), NOW)
    waiting.take(hand(2), NOW)
    with pytest.raises(Busy, match="full"):
        waiting.take(hand(3), NOW)


def test_two_relays_do_not_share_a_queue(waiting: Queue, tmp_path: Path) -> None:
    with pytest.raises(Busy, match="Another relay"):
        Queue(tmp_path)


def test_a_search_for_what_is_due_and_what_is_old_scans_nothing(waiting: Queue) -> None:
    for statement in (
        f"SELECT id {queue._MAY_GO} AND due <= 1 ORDER BY due, id LIMIT 1",
        f"SELECT due {queue._MAY_GO} ORDER BY due LIMIT 1",
        "UPDATE parcels SET due = 1 WHERE place = 'x' AND place <> '' AND state = 'waiting'",
        "DELETE FROM parcels WHERE state = 'answered' AND confirmed = 1 AND due < 1",
    ):
        plan = " ".join(str(row) for row in waiting._db.execute("EXPLAIN QUERY PLAN " + statement))
        assert "SCAN" not in plan, plan


# Keys and settings


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(renraku, ["push-relay", "keys", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for end in (keys.RELAY, keys.CLOSED):
        assert stat.S_IMODE((tmp_path / end).stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / end / "own.key").stat().st_mode) == 0o600
        keys.context(tmp_path / end, server=end == keys.RELAY)
    assert (tmp_path / "relay" / "peer.pem").read_bytes() == (tmp_path / "closed" / "own.pem").read_bytes()
    again = CliRunner().invoke(renraku, ["push-relay", "keys", str(tmp_path)])
    assert (again.exit_code, "there already" in again.output) == (1, True)
    with pytest.raises(NoKeys, match="push-relay keys"):
        keys.context(tmp_path / "nowhere", server=True)


def test_the_example_names_every_setting_with_its_default() -> None:
    text = (ROOT / "config" / "push-relay.example.toml").read_text(encoding="utf-8")
    assert msgspec.convert(tomllib.loads(text), RelaySettings) == RelaySettings()
    assert set(tomllib.loads(text)) == {field.name for field in msgspec.structs.fields(RelaySettings)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("address = 'relay.city.example'", "address: "),
        ("port = 70000", "port"),
        ("push_web_hosts = ['https://x']", "push_web_hosts: "),
        ("unknown = 1", "unknown"),
        ("=", "TOML"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "relay.toml"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(BadRelaySettings, match=said):
        settings.load(path)
    done = CliRunner().invoke(renraku, ["push-relay", "--config", str(path)])
    assert (done.exit_code, said in done.output) == (1, True)


def test_a_relay_without_settings_or_keys_says_what_it_wants(tmp_path: Path) -> None:
    assert "--config" in CliRunner().invoke(renraku, ["push-relay"]).output
    path = tmp_path / "relay.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\nkeys = "{tmp_path}"\n', encoding="utf-8")
    assert "push_contact: " in _said(path)
    path.write_text(path.read_text(encoding="utf-8") + 'push_contact = "mailto:it@city.example"\n', encoding="utf-8")
    assert "push-relay keys" in _said(path)


def _said(config: Path) -> str:
    """By a process of its own: the relay sets up the log and the signals of the one that it runs in."""
    command = [sys.executable, "-m", "chat_server", "push-relay", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
