"""The protocol of one connection, without any I/O."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from chat_server.domain import closing, limits
from chat_server.realtime.codec import MSGPACK
from chat_server.realtime.session import Do, Refuse, Session, Shut, State
from chat_server.services.commands import Auth, Ping, Resume, Typing

ROOM = "0" * 26


def say(**wire: Any) -> bytes:
    return bytes(msgpack.packb(wire))


@pytest.fixture
def live() -> Session:
    session = Session(MSGPACK)
    assert isinstance(session.receive(say(op="auth", ref=1, token="t"), 0.0), Do)
    session.authenticated()
    session.answered(1)
    assert isinstance(session.receive(say(op="resume", ref=2), 0.0), Do)
    session.answered(2)
    return session


def test_the_first_frame_authenticates() -> None:
    step = Session(MSGPACK).receive(say(op="auth", ref=1, token="t"), 0.0)
    assert isinstance(step, Do)
    assert isinstance(step.command, Auth)


@pytest.mark.parametrize("wire", [{"op": "ping", "ref": 1}, {"op": "launch", "ref": 1}, {"op": "auth", "ref": 1}])
def test_any_other_first_frame_ends_it(wire: dict[str, Any]) -> None:
    session = Session(MSGPACK)
    assert session.receive(say(**wire), 0.0) == Shut(closing.NOT_AUTHENTICATED)
    assert session.receive(say(op="auth", ref=1, token="t"), 0.0) is None


def test_nothing_is_heard_while_the_token_is_checked() -> None:
    session = Session(MSGPACK)
    session.receive(say(op="auth", ref=1, token="t"), 0.0)
    assert session.receive(say(op="ping", ref=2), 0.0) == Shut(closing.NOT_AUTHENTICATED)


def test_authenticating_twice_ends_it(live: Session) -> None:
    assert live.receive(say(op="auth", ref=3, token="other"), 0.0) == Shut(closing.NOT_AUTHENTICATED)


def test_resume_comes_once_and_before_anything_live() -> None:
    session = Session(MSGPACK)
    session.receive(say(op="auth", ref=1, token="t"), 0.0)
    session.authenticated()
    early = session.receive(say(op="pull", ref=2, room=ROOM, after=0), 0.0)
    assert isinstance(early, Refuse)
    assert (early.ref, early.problem.fault.name) == (2, "resume_first")
    step = session.receive(say(op="resume", ref=3), 0.0)
    assert isinstance(step, Do)
    assert isinstance(step.command, Resume)
    again = session.receive(say(op="resume", ref=4), 0.0)
    assert isinstance(again, Refuse)
    assert again.problem.fault.name == "resume_twice"


def test_a_resume_that_failed_may_be_tried_again() -> None:
    session = Session(MSGPACK)
    session.receive(say(op="auth", ref=1, token="t"), 0.0)
    session.authenticated()
    assert isinstance(session.receive(say(op="resume", ref=2), 0.0), Do)
    session.answered(2, failed=True)
    early = session.receive(say(op="pull", ref=3, room=ROOM, after=0), 0.0)
    assert isinstance(early, Refuse)
    assert early.problem.fault.name == "resume_first"
    assert isinstance(session.receive(say(op="resume", ref=4), 0.0), Do)
    session.answered(4)
    again = session.receive(say(op="resume", ref=5), 0.0)
    assert isinstance(again, Refuse)
    assert again.problem.fault.name == "resume_twice"


def test_another_commands_failure_is_none_of_the_resume(live: Session) -> None:
    """A client may count its refs as it likes, also from the beginning again."""
    assert isinstance(live.receive(say(op="ping", ref=2), 0.0), Do)
    live.answered(2, failed=True)
    assert live.state is State.LIVE


def test_a_wrong_field_is_answered_and_the_connection_lives(live: Session) -> None:
    step = live.receive(say(op="read", ref=5, room="x", upto=1), 0.0)
    assert isinstance(step, Refuse)
    assert (step.ref, step.problem.field) == (5, "room")
    assert isinstance(live.receive(say(op="ping", ref=6), 0.0), Do)


def test_a_large_frame_ends_it(live: Session) -> None:
    assert live.receive(b"\x00" * (limits.FRAME_BYTES + 1), 0.0) == Shut(closing.TOO_LARGE)
    assert live.state is State.CLOSED


def test_a_deep_frame_ends_it(live: Session) -> None:
    assert live.receive(b"\x91" * 100, 0.0) == Shut(closing.TOO_LARGE)


def test_garbage_ends_it(live: Session) -> None:
    assert live.receive(b"\xc1", 0.0) == Shut(closing.MALFORMED)


def test_unanswered_commands_are_bounded(live: Session) -> None:
    for ref in range(limits.UNANSWERED):
        assert isinstance(live.receive(say(op="ping", ref=ref + 10), 0.0), Do)
    assert live.receive(say(op="ping", ref=999), 0.0) == Shut(closing.FLOOD)


def test_answers_make_room(live: Session) -> None:
    for ref in range(limits.UNANSWERED * 2):
        step = live.receive(say(op="ping", ref=ref + 10), ref / limits.COMMANDS_PER_SECOND)
        assert isinstance(step, Do)
        assert isinstance(step.command, Ping)
        live.answered(ref + 10)


def test_a_flood_is_told_to_wait_and_heals(live: Session) -> None:
    steps = []
    for ref in range(limits.COMMAND_BURST + 5):
        step = live.receive(say(op="ping", ref=ref + 10), 1.0)
        steps.append(step)
        if isinstance(step, Do):
            live.answered(ref + 10)
    refused = [step for step in steps if isinstance(step, Refuse)]
    assert refused
    assert all(step.problem.fault.name == "rate_limited" for step in refused)
    assert isinstance(live.receive(say(op="ping", ref=9999), 2.0), Do)


def test_who_goes_on_in_a_flood_is_ended(live: Session) -> None:
    for ref in range(limits.COMMAND_BURST):
        live.receive(say(op="ping", ref=ref + 10), 1.0)
        live.answered(ref + 10)
    for ref in range(limits.COMMANDS_REFUSED - 1):
        assert isinstance(live.receive(say(op="ping", ref=ref + 1000), 1.0), Refuse)
    assert isinstance(live.receive(say(op="launch", ref=1), 1.0), Refuse), "what is no command counts as well"
    assert live.receive(say(op="typing", room=ROOM), 1.0) == Shut(closing.FLOOD)


def test_a_little_over_the_rate_is_refused_and_never_ended(live: Session) -> None:
    """For an hour, at one and a half times the rate."""
    refused = 0
    for n in range(3600 * limits.COMMANDS_PER_SECOND * 3 // 2):
        step = live.receive(say(op="ping", ref=n + 10), n / (limits.COMMANDS_PER_SECOND * 1.5))
        if isinstance(step, Do):
            live.answered(n + 10)
        else:
            assert isinstance(step, Refuse)
            refused += 1
    assert refused > limits.COMMANDS_REFUSED


def test_typing_needs_no_ref_and_is_dropped_in_a_flood(live: Session) -> None:
    step = live.receive(say(op="typing", room=ROOM), 0.0)
    assert isinstance(step, Do)
    assert isinstance(step.command, Typing)
    while isinstance(live.receive(say(op="typing", room=ROOM), 0.0), Do):
        pass
    assert live.state is State.LIVE
