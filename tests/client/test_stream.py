"""The tracker: exactly once, in order, whatever the line does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.stream import Delivery, Gone, NewEpoch, Positions, Pull, Reset, Step, Tracker


def event(seq: int, room: str = "r") -> dict[str, Any]:
    return {"op": "event", "room": room, "seq": seq, "kind": "message"}


def me(seq: int, kind: str = "read", room: str = "r") -> dict[str, Any]:
    return {"op": "me", "seq": seq, "kind": kind, "room": room}


def resumed(rooms: dict[str, tuple[str, int]], own: tuple[str, int] = ("live", 0), epoch: str = "e1") -> dict[str, Any]:
    return {
        "epoch": epoch,
        "me": {"state": own[0], "head": own[1]},
        "rooms": {room: {"state": state, "head": head} for room, (state, head) in rooms.items()},
    }


def page(events: list[dict[str, Any]], head: int, live: bool = True) -> dict[str, Any]:
    return {"events": events, "head": head, "live": live}


def seqs(step: Step, room: str | None = "r") -> list[int]:
    return [item.seq for item in step.out if isinstance(item, Delivery) and item.room == room]


def holding(last: int, own: int = 0) -> Tracker:
    """A tracker that follows room r live, at `last`."""
    tracker = Tracker(Positions("e1", own, {"r": last}))
    tracker.resume()
    step = tracker.resumed(resumed({"r": ("live", last)}, ("live", own)))
    assert step == Step()
    return tracker


class TestStarting:
    def test_holding_nothing_it_begins_at_every_head_without_a_word(self) -> None:
        tracker = Tracker()
        assert tracker.resume() == {"epoch": None, "me": 0, "rooms": {}}
        step = tracker.resumed(resumed({"r": ("live", 7), "s": ("live", 0)}, ("resync", 40)))
        assert step == Step()
        assert tracker.positions == Positions("e1", 40, {"r": 7, "s": 0})
        assert seqs(tracker.received(event(8))) == [8]

    def test_holding_nothing_an_own_stream_to_replay_goes_live_without_old_news(self) -> None:
        tracker = Tracker()
        tracker.resume()
        step = tracker.resumed(resumed({}, ("replay", 40)))
        assert step == Step(pulls=[Pull(None, 40)])
        assert tracker.page(step.pulls[0], page([], 40)) == Step()

    def test_it_goes_on_from_positions_of_an_earlier_run(self) -> None:
        tracker = Tracker(Positions("e1", 3, {"r": 5}))
        assert tracker.resume() == {"epoch": "e1", "me": 3, "rooms": {"r": 5}}
        step = tracker.resumed(resumed({"r": ("replay", 7)}, ("live", 3)))
        assert step.pulls == [Pull("r", 5)]
        assert seqs(tracker.page(step.pulls[0], page([event(6), event(7)], 7))) == [6, 7]


class TestLive:
    def test_the_next_event_is_delivered(self) -> None:
        step = holding(5).received(event(6))
        assert seqs(step) == [6]
        assert step.pulls == []

    @pytest.mark.parametrize("seq", [1, 4, 5])
    def test_what_is_held_is_dropped(self, seq: int) -> None:
        assert holding(5).received(event(seq)) == Step()

    def test_a_stub_counts(self) -> None:
        tracker = holding(5)
        step = tracker.received({"op": "event", "room": "r", "seq": 6, "kind": "stub"})
        assert seqs(step) == [6]
        assert tracker.positions.rooms == {"r": 6}

    def test_rooms_and_the_own_stream_count_by_themselves(self) -> None:
        tracker = holding(5, own=2)
        assert seqs(tracker.received(me(3)), None) == [3]
        assert seqs(tracker.received(event(6))) == [6]
        assert tracker.positions == Positions("e1", 3, {"r": 6})

    def test_a_room_joined_a_moment_ago_begins_with_its_first_event(self) -> None:
        tracker = holding(5)
        assert seqs(tracker.received(event(41, "new")), "new") == [41]
        assert tracker.positions.rooms == {"r": 5, "new": 41}

    def test_an_event_without_a_seq_is_an_error_and_changes_nothing(self) -> None:
        tracker = holding(5)
        with pytest.raises(KeyError):
            tracker.received({"op": "event", "room": "r", "kind": "message"})
        assert tracker.positions.rooms == {"r": 5}


class TestHoles:
    def test_a_hole_is_pulled_once_and_what_stands_behind_it_waits(self) -> None:
        tracker = holding(5)
        assert tracker.received(event(8)) == Step(pulls=[Pull("r", 5)])
        assert tracker.received(event(9)) == Step()
        step = tracker.page(Pull("r", 5), page([event(6), event(7)], 7))
        assert seqs(step) == [6, 7, 8, 9]
        assert step.pulls == []

    def test_what_both_the_page_and_the_line_bring_is_delivered_once(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        assert seqs(tracker.page(Pull("r", 5), page([event(6), event(7), event(8)], 8))) == [6, 7, 8]
        assert tracker.received(event(8)) == Step()

    def test_a_hole_that_fills_itself_delivers_what_waits(self) -> None:
        tracker = holding(5)
        tracker.received(event(7))
        assert seqs(tracker.received(event(6))) == [6, 7]
        assert tracker.page(Pull("r", 5), page([event(6), event(7)], 7)) == Step()

    def test_a_page_that_stops_short_is_followed_by_the_next(self) -> None:
        tracker = holding(5)
        tracker.received(event(9))
        step = tracker.page(Pull("r", 5), page([event(6), event(7)], 9, live=False))
        assert seqs(step) == [6, 7]
        assert step.pulls == [Pull("r", 7)]
        assert seqs(tracker.page(Pull("r", 7), page([event(8), event(9)], 9))) == [8, 9]

    def test_what_does_not_fit_behind_a_hole_is_pulled(self) -> None:
        tracker = Tracker(Positions("e1", 0, {"r": 0}), buffered=2)
        tracker.resume()
        tracker.resumed(resumed({"r": ("live", 0)}))
        for seq in (3, 4, 5, 6):
            tracker.received(event(seq))
        step = tracker.page(Pull("r", 0), page([event(1), event(2)], 2))
        assert seqs(step) == [1, 2, 3, 4]
        assert step.pulls == [Pull("r", 4)]

    def test_a_page_that_brings_nothing_of_what_exists_ends_in_a_reset(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        step = tracker.page(Pull("r", 5), page([], 8))
        assert step == Step(out=[Reset("r", 8)])
        assert seqs(tracker.received(event(9))) == [9]

    def test_a_page_older_than_what_became_known_meanwhile_is_asked_again(self) -> None:
        tracker = Tracker(Positions("e1", 0, {"r": 5}))
        tracker.resume()
        tracker.resumed(resumed({"r": ("replay", 5)}))
        tracker.received(event(7))
        assert tracker.page(Pull("r", 5), page([], 5)) == Step(pulls=[Pull("r", 5)])
        assert seqs(tracker.page(Pull("r", 5), page([event(6)], 7))) == [6, 7]

    def test_a_page_whose_beginning_was_purged_resets_to_its_end(self) -> None:
        tracker = holding(5)
        tracker.received(event(30))
        step = tracker.page(Pull("r", 5), page([event(20), event(21)], 29, live=False))
        assert step.out == [Reset("r", 29), Delivery("r", 30, event(30))]

    def test_a_refused_pull_resets_to_what_is_known(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        assert tracker.refused(Pull("r", 5), 2007).out == [Reset("r", 8)]

    def test_a_pull_refused_because_the_room_is_gone_drops_it(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        assert tracker.refused(Pull("r", 5), 3001).out == [Gone("r")]
        assert tracker.positions.rooms == {}

    def test_an_answer_for_a_room_dropped_meanwhile_is_nothing(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        tracker.refused(Pull("r", 5), 3001)
        assert tracker.page(Pull("r", 5), page([event(6)], 8)) == Step()
        assert tracker.refused(Pull("r", 5), 3001) == Step()

    def test_the_own_stream_has_holes_too(self) -> None:
        tracker = holding(5, own=2)
        assert tracker.received(me(4)).pulls == [Pull(None, 2)]
        assert seqs(tracker.page(Pull(None, 2), page([me(3)], 4)), None) == [3, 4]
        tracker.received(me(9))
        assert tracker.refused(Pull(None, 4), 2001).out == [Reset(None, 9)]


class TestResuming:
    def reconnect(self, tracker: Tracker, answer: dict[str, Any]) -> Step:
        tracker.disconnected()
        tracker.resume()
        return tracker.resumed(answer)

    def test_a_disconnection_forgets_what_waits_and_what_is_asked(self) -> None:
        tracker = holding(5)
        tracker.received(event(8))
        step = self.reconnect(tracker, resumed({"r": ("replay", 8)}))
        assert step == Step(pulls=[Pull("r", 5)])
        assert seqs(tracker.page(Pull("r", 5), page([event(6), event(7), event(8)], 8))) == [6, 7, 8]

    def test_replay_pulls_until_live(self) -> None:
        tracker = holding(5)
        assert self.reconnect(tracker, resumed({"r": ("replay", 9)})).pulls == [Pull("r", 5)]
        step = tracker.page(Pull("r", 5), page([event(6), event(7)], 9, live=False))
        assert step.pulls == [Pull("r", 7)]
        # Even where nothing is left, only `live` ends it: until then the server sends nothing by itself.
        step = tracker.page(Pull("r", 7), page([event(8), event(9)], 9, live=False))
        assert step.pulls == [Pull("r", 9)]
        assert tracker.page(Pull("r", 9), page([], 9)) == Step()

    def test_resync_resets_and_goes_on_after_the_head(self) -> None:
        tracker = holding(5)
        assert self.reconnect(tracker, resumed({"r": ("resync", 2000)})).out == [Reset("r", 2000)]
        assert seqs(tracker.received(event(2001))) == [2001]

    def test_a_state_of_a_later_version_is_a_resync(self) -> None:
        assert self.reconnect(holding(5), resumed({"r": ("archive", 6)})).out == [Reset("r", 6)]

    def test_gone_drops_the_room(self) -> None:
        tracker = holding(5)
        assert self.reconnect(tracker, resumed({"r": ("gone", 0)})).out == [Gone("r")]
        assert tracker.positions.rooms == {}

    def test_a_room_gained_while_away_has_to_be_loaded(self) -> None:
        tracker = holding(5)
        step = self.reconnect(tracker, resumed({"r": ("live", 5), "new": ("live", 17)}))
        assert step.out == [Reset("new", 17)]
        assert seqs(tracker.received(event(18, "new")), "new") == [18]

    def test_another_epoch_is_told_before_the_resets(self) -> None:
        tracker = holding(5, own=3)
        step = self.reconnect(tracker, resumed({"r": ("resync", 4)}, ("resync", 2), epoch="e2"))
        assert step.out == [NewEpoch("e2", "e1"), Reset(None, 2), Reset("r", 4)]
        assert tracker.resume() == {"epoch": "e2", "me": 2, "rooms": {"r": 4}}
        assert seqs(tracker.received(event(5))) == [5]

    def test_live_with_more_than_is_held_is_a_hole_and_with_less_a_reset(self) -> None:
        assert self.reconnect(holding(5), resumed({"r": ("live", 7)})).pulls == [Pull("r", 5)]
        assert self.reconnect(holding(5), resumed({"r": ("live", 3)})).out == [Reset("r", 3)]

    def test_a_lost_room_is_not_named_and_a_regained_one_keeps_its_place(self) -> None:
        tracker = holding(5)
        tracker.received(me(1, "room_lost"))
        assert tracker.resume()["rooms"] == {}
        tracker.received(me(2, "room_gained"))
        assert tracker.resume()["rooms"] == {"r": 5}
        step = tracker.received(event(8))
        assert step.pulls == [Pull("r", 5)]

    def test_a_lost_room_that_the_server_lists_again_has_to_be_loaded(self) -> None:
        tracker = holding(5)
        tracker.received(me(1, "room_lost"))
        step = self.reconnect(tracker, resumed({"r": ("live", 9)}, ("live", 1)))
        assert step.out == [Reset("r", 9)]

    @pytest.mark.parametrize(
        "answer", [{}, {"epoch": "e1", "me": {}, "rooms": {}}, {"epoch": "e1", "me": 3, "rooms": 4}]
    )
    def test_an_unreadable_answer_is_an_error(self, answer: dict[str, Any]) -> None:
        tracker = holding(5)
        with pytest.raises((KeyError, TypeError)):
            self.reconnect(tracker, answer)


ROOMS: list[str | None] = ["a", "b", None]
REPLAYED = 6
"""Further behind than this, the server below says resync."""


class Line:
    """A truthful server behind a line that loses, repeats and delays. Every choice is drawn by hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.heads: dict[str | None, int] = dict.fromkeys(ROOMS, 0)
        self.tracker = Tracker()
        self.delivered: dict[str | None, list[int]] = {room: [] for room in ROOMS}
        self.live: set[str | None] = set()
        self.flying: list[dict[str, Any]] = []
        self.pulls: list[Pull] = []
        self.connect(first=True)

    def frame(self, room: str | None, seq: int) -> dict[str, Any]:
        return me(seq, room="a") if room is None else event(seq, room)

    def connect(self, *, first: bool = False) -> None:
        self.tracker.disconnected()
        self.flying, self.pulls, self.live = [], [], set()
        asked = self.tracker.resume()
        held = {**asked["rooms"], None: asked["me"]}
        states: dict[str | None, tuple[str, int]] = {}
        for room, head in self.heads.items():
            if first or room not in held or held[room] == head:
                states[room] = ("live", head)
            else:
                states[room] = ("resync" if head - held[room] > REPLAYED else "replay", head)
            if states[room][0] != "replay":
                self.live.add(room)
        answer = resumed({room: state for room, state in states.items() if room is not None}, states[None])
        self.take(self.tracker.resumed(answer))

    def happen(self, room: str | None) -> None:
        self.heads[room] += 1
        if room in self.live:
            copies = self.data.draw(st.sampled_from([1, 1, 1, 0, 2]), label="copies")
            self.flying += [self.frame(room, self.heads[room])] * copies

    def arrive(self) -> None:
        if self.flying:
            at = self.data.draw(st.integers(0, min(3, len(self.flying) - 1)), label="which frame")
            self.take(self.tracker.received(self.flying.pop(at)))

    def answer(self) -> None:
        if self.pulls:
            pull = self.pulls.pop(self.data.draw(st.integers(0, len(self.pulls) - 1), label="which pull"))
            upto = min(self.heads[pull.room], pull.after + self.data.draw(st.integers(1, 5), label="limit"))
            events = [self.frame(pull.room, seq) for seq in range(pull.after + 1, upto + 1)]
            live = upto == self.heads[pull.room]
            if live:
                self.live.add(pull.room)
            self.take(self.tracker.page(pull, page(events, self.heads[pull.room], live)))

    def take(self, step: Step) -> None:
        self.pulls += step.pulls
        for item in step.out:
            assert not isinstance(item, Gone | NewEpoch)
            if isinstance(item, Reset):
                # Whoever loads anew holds everything up to the head.
                assert item.head >= len(self.delivered[item.room])
                self.delivered[item.room] = list(range(1, item.head + 1))
            else:
                self.delivered[item.room].append(item.seq)

    def settle(self) -> None:
        self.connect()
        while self.pulls or self.flying:
            self.answer()
            self.arrive()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_loss_repetition_and_order_ends_as_every_event_once_and_in_order(data: st.DataObject) -> None:
    line = Line(data)
    steps = st.lists(st.sampled_from(["happen", "happen", "happen", "arrive", "arrive", "answer", "cut"]), max_size=60)
    for what in data.draw(steps, label="steps"):
        if what == "happen":
            line.happen(data.draw(st.sampled_from(ROOMS), label="room"))
        elif what == "arrive":
            line.arrive()
        elif what == "answer":
            line.answer()
        else:
            line.connect()
        for seqs_so_far in line.delivered.values():
            assert seqs_so_far == list(range(1, len(seqs_so_far) + 1))
    line.settle()
    for room, head in line.heads.items():
        assert line.delivered[room] == list(range(1, head + 1)), room


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(1, n), max_size=60))))
def test_without_a_reconnection_pulls_alone_close_every_hole(case: tuple[int, list[int]]) -> None:
    newest, arriving = case
    tracker = Tracker(Positions("e1", 0, {"r": 0}), buffered=4)
    tracker.resume()
    tracker.resumed(resumed({"r": ("live", 0)}))
    got: list[int] = []
    pulls: list[Pull] = []
    for seq in [*arriving, newest]:
        step = tracker.received(event(seq))
        got += seqs(step)
        pulls += step.pulls
    while pulls:
        pull = pulls.pop()
        upto = min(newest, pull.after + 3)
        events = [event(seq) for seq in range(pull.after + 1, upto + 1)]
        step = tracker.page(pull, page(events, newest, upto == newest))
        assert not [item for item in step.out if isinstance(item, Reset)]
        got += seqs(step)
        pulls += step.pulls
    assert got == list(range(1, newest + 1))
