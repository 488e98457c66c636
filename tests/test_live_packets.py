"""The page is never flooded: no second picture before the first is taken, none faster than a page can look.

And the view takes in from a page only what a page may say.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from taskembed_edu.live.lab_view import LabView, PictureGate

# ---- one at a time -------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Latest:
    """A sender of whatever was offered last, through a gate."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, int]] = []
        self._newest: Any = None
        self.gate = PictureGate(lambda number: self.sent.append((self._newest, number)), pictures_a_second=10)
        self.taken, self.flush = self.gate.taken, self.gate.flush

    def offer(self, thing: Any, now: bool = False) -> None:
        self._newest = thing
        self.gate.changed(now)

    def again(self, thing: Any) -> None:
        self._newest = thing
        self.gate.again()


def slot() -> tuple[Latest, list[tuple[Any, int]]]:
    latest = Latest()
    return latest, latest.sent


def test_the_first_goes_out_unasked_and_no_second_before_it_is_taken(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    assert sent == [("a", 1)]
    clock.now += 1.9
    latest.offer("b", now=True)
    latest.offer("c")
    latest.flush()
    assert sent == [("a", 1)]
    latest.taken(1)
    assert sent == [("a", 1), ("c", 2)]


def test_no_more_than_so_many_a_second(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer(0)
    for k in range(1, 1000):
        clock.now += 0.001
        latest.taken(sent[-1][1])
        latest.offer(k)
    assert 9 <= len(sent) <= 11
    assert [number for _thing, number in sent] == list(range(1, len(sent) + 1))


def test_the_newest_wins_and_nothing_is_sent_twice(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.offer("b")
    latest.offer("c")
    assert sent == [("a", 1)]
    clock.now += 0.2
    latest.taken(1)
    assert sent == [("a", 1), ("c", 2)]
    latest.taken(2)
    clock.now += 10
    latest.taken(2)
    latest.flush()
    assert len(sent) == 2


def test_a_flush_does_not_wait_for_the_clock(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.offer("b")
    assert len(sent) == 1
    latest.flush()
    assert sent[-1] == ("b", 2)
    latest.taken(2)
    latest.offer("c", now=True)
    assert sent[-1] == ("c", 3)


def test_a_flush_is_remembered_until_the_page_is_ready(clock: Clock) -> None:
    """Pause falls between sending a frame and its acknowledgement: the last frame must still arrive."""
    latest, sent = slot()
    latest.offer("a")
    latest.offer("last")
    latest.flush()
    clock.now += 0.001
    latest.taken(1)
    assert sent[-1] == ("last", 2)
    latest.taken(2)
    latest.offer("later")
    assert len(sent) == 2  # the hurry was for one picture


def test_a_flush_of_nothing_hurries_nothing(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.flush()
    latest.offer("b")
    assert len(sent) == 1


def test_numbers_that_were_never_sent_are_not_believed(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(99)
    latest.taken(0)
    latest.taken(-1)
    clock.now += 1
    latest.offer("b")
    assert sent == [("a", 1)]


def test_without_an_answer_the_newest_goes_again_every_two_seconds(clock: Clock) -> None:
    latest, sent = slot()
    for k in range(41):
        latest.offer(k)
        clock.now += 0.25  # eight of them are two seconds, to the last bit
    assert [thing for thing, _number in sent] == [0, 8, 16, 24, 32, 40]
    latest.taken(sent[-2][1])  # late, and not the answer to the last one
    latest.offer("b")
    assert len(sent) == 6
    latest.taken(sent[-1][1])
    assert sent[-1] == ("b", 7)


def test_a_page_that_has_lost_everything_is_not_waited_for(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.again("b")
    assert sent == [("a", 1), ("b", 2)]
    latest.offer("c", now=True)
    assert len(sent) == 2


def test_a_sending_that_failed_is_not_waited_for(clock: Clock) -> None:
    broken, sent = [True], []

    def send(number: int) -> None:
        if broken:
            broken.pop()
            raise OSError("no socket")
        sent.append(number)

    gate = PictureGate(send)
    with pytest.raises(OSError, match="no socket"):
        gate.changed()
    clock.now += 1
    gate.changed()
    assert sent == [1]


# ---- the view ------------------------------------------------------------------------------------------------------


@pytest.fixture
def view() -> Iterator[LabView]:
    made = LabView(title="Lab")
    yield made
    made.close()


@pytest.fixture
def messages(view: LabView, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes out to the page."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view, "_send", lambda message, buffers=None: sent.append(message))
    return sent


def test_the_view_knows_its_own_id(view: LabView) -> None:
    assert view.model_id_ == view.model_id


def test_what_is_put_together_travels_in_one_message(view: LabView, messages: list[dict[str, Any]]) -> None:
    view.put(picture={"number": 1, "points": b"abc"}, marks=[[]], title="Lab")
    (message,) = messages
    assert set(message["state"]) == {"picture", "marks"}
    view.put(marks=[[]])
    assert len(messages) == 1
    view.send_again("marks")
    assert messages[1]["state"] == {"marks": [[]]}
    view.send_again()
    assert {"title", "tasks", "picture", "chosen"} <= set(messages[2]["state"])
    assert "_esm" not in messages[2]["state"]


def test_a_page_sets_what_is_its_own(view: LabView) -> None:
    view.set_state({"chosen": 3, "selected": [1, 2], "colour": 1})
    assert (view.chosen, view.selected, view.colour) == (3, [1, 2], 1)


@pytest.mark.parametrize(
    "state",
    [
        {"chosen": "3"},
        {"chosen": -2},
        {"chosen": None},
        {"chosen": 1.5},
        {"selected": 3},
        {"selected": [1, "2"]},
        {"selected": [-1]},
        {"colour": -1},
        {"colour": True},
        {"title": "mine"},
        {"picture": {"number": 9}},
        {"transport": {}},
    ],
)
def test_what_a_page_may_not_set_is_passed_over(view: LabView, state: dict[str, Any]) -> None:
    before = {name: getattr(view, name) for name in state}
    view.set_state({**state, "colour": state.get("colour", 1)})
    assert {name: getattr(view, name) for name in state} == before
