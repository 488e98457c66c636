"""The player: any mixture of its buttons gives the frames of plain steps, and its thread ends when it should.

No test waits for time to pass: each waits for a condition, and fails when it does not come about.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskembed_edu.live.cells import CellRun, running_cell, stop_replaced
from taskembed_edu.live.player import Player
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session, unlocked
from tests.runs import assert_same_frames, small_session

PATIENCE = 60.0


class Watch:
    """What a page would see, and a way to wait for it."""

    def __init__(self, *sessions: Session) -> None:
        self.frames: list[Frame] = []
        self.told = 0
        self.condition = threading.Condition()
        # Weakly: a session that nobody else holds must be free to go.
        self._newest: weakref.WeakKeyDictionary[Session, Frame] = weakref.WeakKeyDictionary()
        self.add(*sessions)

    def add(self, *sessions: Session) -> None:
        """Watch these too, from their frames of now on."""
        self._newest.update({session: session.frame for session in sessions})

    def changed(self) -> None:
        with self.condition:
            self.told += 1
            for session, frame in list(self._newest.items()):
                if session.frame is not frame:
                    self._newest[session] = session.frame
                    self.frames.append(session.frame)
            self.condition.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self.condition:
            assert self.condition.wait_for(true, timeout=PATIENCE)


@contextlib.contextmanager
def playing(session: Session) -> Iterator[tuple[Player, Watch]]:
    watch = Watch(session)
    player = Player(session, watch.changed)
    try:
        yield player, watch
    finally:
        player.stop()
        assert not player.alive


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name == "taskembed-player"]


@contextlib.contextmanager
def held(
    session: Session, monkeypatch: pytest.MonkeyPatch, at: int
) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A session whose step number `at` announces itself and then waits to be let go on."""
    reached, go_on = threading.Event(), threading.Event()
    step = session.embedder.step

    def waiting(state: Any, values: Any) -> Any:
        if state.step == at and not reached.is_set():
            reached.set()
            assert go_on.wait(PATIENCE)
        return step(state, values)

    monkeypatch.setattr(session.embedder, "step", waiting)
    try:
        yield reached, go_on
    finally:
        go_on.set()


# ---- the buttons ---------------------------------------------------------------------------------------------------


def test_step_makes_frames_and_pauses() -> None:
    session, plain = small_session(), small_session()
    with playing(session) as (player, watch):
        player.step()
        assert player.wait(PATIENCE)
        assert not player.playing
        assert session.steps == 4
        player.step(frames=3)
        assert player.wait(PATIENCE)
        assert session.steps == 16
        assert [frame.step for frame in watch.frames] == [4, 8, 12, 16]
        assert player.steps_a_second > 0
    plain.step(16)
    assert_same_frames(session, plain)


def test_play_goes_on_until_paused_at_the_end_of_a_frame() -> None:
    session, plain = small_session(), small_session()
    with playing(session) as (player, watch):
        player.play()
        assert player.playing
        player.play()
        watch.until(lambda: len(watch.frames) >= 3)
        assert not player.wait(timeout=0)
        player.pause()
        steps = session.steps
        assert steps % 4 == 0
        assert player.wait(0)
        assert not player.playing
        assert session.steps == steps
        assert len([t for t in threading.enumerate() if t.name == "taskembed-player"]) == 1
    plain.step(steps)
    assert_same_frames(session, plain)


def test_pause_waits_for_the_frame_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    with held(session, monkeypatch, at=1) as (reached, go_on), playing(session) as (player, _watch):
        player.play()
        assert reached.wait(PATIENCE)
        paused = threading.Thread(target=player.pause)
        paused.start()
        while player.playing:
            paused.join(0.01)  # waits for `pause` to have begun
        assert paused.is_alive()
        assert session.steps == 1
        go_on.set()
        paused.join(PATIENCE)
        assert not paused.is_alive()
        assert session.steps == 4
        player.pause()
        assert session.steps == 4


def test_a_step_while_playing_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    with held(session, monkeypatch, at=1) as (reached, go_on), playing(session) as (player, watch):
        player.play()
        assert reached.wait(PATIENCE)
        player.step()
        go_on.set()
        watch.until(lambda: len(watch.frames) >= 3)


# ---- settings while it plays ---------------------------------------------------------------------------------------


def test_a_wish_applies_between_two_steps_and_is_logged_there(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    with held(session, monkeypatch, at=5) as (reached, go_on), playing(session) as (player, _watch):
        player.step(frames=3)
        assert reached.wait(PATIENCE)
        player.set(margin=2.0)
        player.set(margin=3.0, learning_rate=1e-2)
        assert session.events == []
        go_on.set()
        assert player.wait(PATIENCE)
        assert [(event.step, event.changes) for event in session.events] == [
            (6, {"margin": 3.0, "learning_rate": 1e-2})
        ]
    plain = small_session()
    plain.step(6)
    plain.set(margin=3.0, learning_rate=1e-2)
    plain.step(6)
    assert_same_frames(session, plain)
    assert_same_frames(Session.replay(session.recording()), session)


def test_a_wish_while_paused_applies_at_once_and_redraws() -> None:
    session = small_session()
    with playing(session) as (player, watch):
        player.set(metric="cosine", margin=9.0)
        assert player.wait(PATIENCE)
        assert (session.settings.metric, session.settings.margin) == ("cosine", 2.0)
        assert session.steps == 0
        assert watch.frames == [session.frame]
        player.set(metric="cosine")
        assert player.wait(PATIENCE)
        assert len(session.events) == 1


def test_a_reset_begins_again_and_stops_playing() -> None:
    session = small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 2)
        player.set(margin=5.0)
        player.reset(seed=3)
        assert player.wait(PATIENCE)
        assert not player.playing
        assert session.steps == 0
        assert watch.frames[-1] is session.frame
        assert len(session.past) == 1
    assert_same_frames(session, small_session(seed=3, margin=session.settings.margin))


def test_a_wish_that_needs_a_reset_is_refused_and_said() -> None:
    session = small_session()
    with playing(session) as (player, _watch):
        player.set(seed=3)
        assert player.wait(PATIENCE)
        assert isinstance(player.failure, ValueError)
        assert "Use reset(seed=3)" in str(player.failure)
        assert session.setup.seed == 0


# ---- code in a cell ------------------------------------------------------------------------------------------------


def test_a_step_from_a_cell_pauses_the_player() -> None:
    session, plain = small_session(), small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 2)
        session.step(4)
        assert not player.playing
        assert player.wait(PATIENCE)
        assert watch.frames[-1] is session.frame
        steps = session.steps
    plain.step(steps)
    assert_same_frames(session, plain)


def test_a_set_from_a_cell_plays_on() -> None:
    session = small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 1)
        session.set(margin=2.0)
        seen = len(watch.frames)
        watch.until(lambda: len(watch.frames) > seen)
        assert player.playing
        with pytest.raises(ValueError, match="margin"):
            session.set(margin=99.0)
        seen = len(watch.frames)
        watch.until(lambda: len(watch.frames) > seen)
        twin = session.branch()
        seen = len(watch.frames)
        watch.until(lambda: len(watch.frames) > seen)
        player.pause()
        assert session.events[0].changes == {"margin": 2.0}
        assert twin.events == session.events
        twin.step(session.steps - twin.steps)
    assert_same_frames(twin, session)
    assert_same_frames(Session.replay(session.recording()), session)


def test_a_set_from_a_cell_adds_no_frame_to_those_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    with held(session, monkeypatch, at=1) as (reached, go_on), playing(session) as (player, _watch):
        player.step(frames=2)
        assert reached.wait(PATIENCE)
        setter = threading.Thread(target=lambda: session.set(margin=2.0))
        setter.start()
        while player.playing:
            setter.join(0.01)  # waits for `set` to have paused the player
        go_on.set()
        setter.join(PATIENCE)
        assert player.wait(PATIENCE)
        assert session.steps == 8
        assert [(event.step, event.changes) for event in session.events] == [(4, {"margin": 2.0})]


def test_a_reset_from_a_cell_pauses_the_player() -> None:
    session = small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 1)
        session.reset()
        assert not player.playing
        assert session.steps == 0
        assert player.wait(PATIENCE)
        assert watch.frames[-1] is session.frame


def test_a_call_within_a_call_waits_for_nobody() -> None:
    session, done = small_session(), threading.Event()

    def within() -> None:
        with session.lock("reset"):
            player.wake()
            while not player._busy:
                done.wait(0.01)  # waits for the worker to wait for the turn that this thread has
            with session.lock("read"):
                done.set()

    with playing(session) as (player, _watch):
        caller = threading.Thread(target=within)
        caller.start()
        assert done.wait(10)  # an inner guard that waited for the worker would take 30 s
        caller.join(PATIENCE)
        assert player.wait(PATIENCE)


def test_a_pause_during_a_cells_call_is_not_undone_by_it() -> None:
    session = small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 1)
        with session.lock("read"):
            player.pause(wait=False)
        assert not player.playing


def test_a_failure_during_a_cells_call_is_not_hidden_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()

    def broken(state: Any, values: Any) -> Any:
        raise FloatingPointError("loss: got inf")

    with held(session, monkeypatch, at=1) as (reached, go_on), playing(session) as (player, _watch):
        player.play()
        assert reached.wait(PATIENCE)
        setter = threading.Thread(target=lambda: session.set(margin=2.0))
        setter.start()
        while player.playing:
            setter.join(0.01)  # waits for `set` to have paused the player
        monkeypatch.setattr(session.embedder, "step", broken)
        go_on.set()
        setter.join(PATIENCE)
        assert player.wait(PATIENCE)
        assert str(player.failure) == "loss: got inf"
        assert not player.playing


# ---- any mixture ---------------------------------------------------------------------------------------------------

MOVES = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 2)),
    st.tuples(st.just("play"), st.integers(1, 2)),
    st.tuples(st.just("cell"), st.integers(0, 6)),
    st.tuples(st.just("margin"), st.integers(1, 5)),
)


@given(moves=st.lists(MOVES, min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_mixture_of_moves_gives_the_frames_of_plain_steps(moves: list[tuple[str, int]]) -> None:
    session = small_session()
    with playing(session) as (player, watch):
        for move, n in moves:
            if move == "step":
                player.step(frames=n)
                assert player.wait(PATIENCE)
            elif move == "play":
                seen = len(watch.frames)
                player.play()
                enough = seen + n
                watch.until(lambda enough=enough: bool(len(watch.frames) >= enough))  # type: ignore[misc]
                player.pause()
            elif move == "cell":
                session.step(n)
            else:
                player.set(margin=float(n))
        assert player.wait(PATIENCE)
        assert player.failure is None
    plain = small_session()
    for event in session.events:
        plain.step(event.step - plain.steps)
        plain.set(**event.changes)
    plain.step(session.steps - plain.steps)
    assert_same_frames(session, plain)


# ---- two runs side by side -----------------------------------------------------------------------------------------


def test_a_branch_catches_up_and_then_both_go_on_level() -> None:
    session = small_session()
    session.step(12)
    twin = session.branch(at=1)
    with playing(session) as (player, watch):
        watch.add(twin)
        player.set_sessions(session, twin)
        player.step(frames=2)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps) == (12, 12)
        player.step(frames=2)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps) == (20, 20)
        assert [frame.step for frame in watch.frames] == [8, 12, 16, 16, 20, 20]
    assert_same_frames(twin, session)


def test_who_does_not_wait_trains_both_runs_from_where_they_are() -> None:
    session = small_session()
    session.step(40)
    twin = session.branch(at=1)
    recordings = [one.recording() for one in (session, twin)]
    with playing(session) as (player, _watch):
        player.catch_up(False)
        assert not player.apart, "one run is behind nobody"
        player.set_sessions(session, twin)
        assert (player.gap, player.apart) == (36, False)
        player.catch_up(False)
        player.step(frames=2)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps, player.gap, player.apart) == (48, 12, 36, True)
        player.catch_up(True)
        player.step(frames=3)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps, player.apart) == (48, 24, False)
    for one, before in zip((session, twin), recordings, strict=True):
        assert one.recording()["events"] == before["events"], "whose turn it is is no event"
        assert_same_frames(Session.replay(one.recording()), one)


def test_once_the_runs_have_met_a_run_that_is_behind_catches_up_again() -> None:
    session = small_session()
    session.step(16)
    twin = session.branch(at=1)
    with playing(session) as (player, _watch):
        player.set_sessions(session, twin)
        player.catch_up(False)
        player.active = 0
        player.reset()
        player.step()
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps, player.gap, player.apart) == (4, 4, 0, False)
        player.step()
        assert player.wait(PATIENCE)
        player.reset()
        player.step(frames=2)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps) == (8, 8)


def test_skip_is_not_lost_where_a_frame_begins_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    session.step(40)
    twin = session.branch(at=1)
    asked = vars(Player)["gap"].fget
    with playing(session) as (player, _watch):
        player.set_sessions(session, twin)

        def skip_while_it_looks(mine: Player) -> int:
            gap: int = asked(mine)
            mine._catches_up = False  # the kernel's thread, between two lines of the worker's
            return gap

        monkeypatch.setattr(Player, "gap", property(skip_while_it_looks))
        player.step()
        assert player.wait(PATIENCE)
        assert player.apart


def test_settings_go_to_the_active_run_and_so_does_a_reset() -> None:
    session = small_session()
    session.step(8)
    twin = session.branch(at=2)
    with playing(session) as (player, _watch):
        player.set_sessions(session, twin)
        player.active = 1
        player.set(margin=3.0)
        player.step()
        assert player.wait(PATIENCE)
        assert (session.events, [event.changes for event in twin.events]) == ([], [{"margin": 3.0}])
        player.reset(seed=5)
        assert player.wait(PATIENCE)
        assert (session.steps, twin.steps, twin.setup.seed) == (12, 0, 5)


def test_settings_are_for_the_run_that_was_active_when_they_were_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    twin = session.branch()
    with held(session, monkeypatch, at=1) as (reached, go_on), playing(session) as (player, _watch):
        player.set_sessions(session, twin)
        player.step()
        assert reached.wait(PATIENCE)
        player.set(margin=3.0)
        player.active = 1
        player.set(margin=4.0)
        go_on.set()
        assert player.wait(PATIENCE)
        assert (session.settings.margin, twin.settings.margin) == (3.0, 4.0)


def test_code_in_a_cell_pauses_for_either_run_and_a_run_that_left_is_free() -> None:
    session = small_session()
    twin = session.branch()
    with playing(session) as (player, watch):
        watch.add(twin)
        player.set_sessions(session, twin)
        player.play()
        watch.until(lambda: len(watch.frames) >= 4)
        twin.step(4)
        assert not player.playing
        player.set_sessions(session)
        player.play()
        seen = len(watch.frames)
        watch.until(lambda: len(watch.frames) > seen)
        twin.step(4)
        assert player.playing


def test_a_stopped_player_guards_nothing() -> None:
    session = small_session()
    with playing(session) as (_player, _watch):
        assert session.lock is not unlocked
    assert session.lock is unlocked
    session.step(4)


SIDE_BY_SIDE = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 2)),
    st.tuples(st.just("margin of the first"), st.integers(1, 5)),
    st.tuples(st.just("margin of the second"), st.integers(1, 5)),
    st.tuples(st.just("cell moves the first"), st.integers(0, 6)),
    st.tuples(st.just("cell moves the second"), st.integers(0, 6)),
)


@given(moves=st.lists(SIDE_BY_SIDE, min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_runs_side_by_side_are_each_the_run_alone(moves: list[tuple[str, int]]) -> None:
    session = small_session()
    session.step(8)
    twin = session.branch(at=1)
    with playing(session) as (player, _watch):
        player.set_sessions(session, twin)
        for move, n in moves:
            which = int("second" in move)
            if move == "step":
                player.step(frames=n)
            elif "margin" in move:
                assert player.wait(PATIENCE)
                player.active = which
                player.set(margin=float(n))
            else:
                (session, twin)[which].step(n)
            assert player.wait(PATIENCE)
        assert player.failure is None
    for run in (session, twin):
        assert_same_frames(Session.replay(run.recording()), run)


# ---- failure -------------------------------------------------------------------------------------------------------


def test_a_failure_is_kept_and_said_and_the_worker_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()

    def broken(state: Any, values: Any) -> Any:
        raise FloatingPointError("loss: got inf")

    with playing(session) as (player, watch):
        with monkeypatch.context() as patch:
            patch.setattr(session.embedder, "step", broken)
            player.play()
            assert player.wait(PATIENCE)
            assert not player.playing
            assert str(player.failure) == "loss: got inf"
            assert player.alive
            assert watch.told >= 1
        player.step()
        assert player.wait(PATIENCE)
        assert player.failure is None
        assert session.steps == 4
        player.reset(seed=-1)
        assert player.wait(PATIENCE)
        assert "seed: got -1" in str(player.failure)
        player.reset()
        assert player.wait(PATIENCE)
        assert player.failure is None
        assert session.steps == 0


def test_a_page_that_fails_does_not_end_the_worker() -> None:
    session, failing = small_session(), threading.Event()

    def changed() -> None:
        if failing.is_set():
            assert threading.current_thread().name == "taskembed-player"
            raise RuntimeError("no page")

    player = Player(session, changed)
    failing.set()
    player.step()
    assert player.wait(PATIENCE)
    assert str(player.failure) == "no page"
    failing.clear()
    player.step()
    assert player.wait(PATIENCE)
    assert player.alive
    assert session.steps == 8
    player.stop()


# ---- the end -------------------------------------------------------------------------------------------------------


def test_stop_ends_the_thread_while_it_plays_and_the_session_stays() -> None:
    session, plain = small_session(), small_session()
    with playing(session) as (player, watch):
        player.play()
        watch.until(lambda: len(watch.frames) >= 1)
        player.stop()
        assert not player.alive
        assert not player.playing
        player.stop()
        session.step(3)
        session.set(margin=2.0)
        steps = session.steps
    plain.step(steps)
    plain.set(margin=2.0)
    assert_same_frames(session, plain)


def test_a_player_that_nobody_holds_ends_its_thread() -> None:
    session = small_session()
    ended = threading.Event()
    watch = Watch(session)
    player = Player(session, watch.changed)
    thread, gone = player._thread, weakref.ref(player, lambda _ref: ended.set())
    player.play()
    watch.until(lambda: len(watch.frames) >= 1)
    player.pause()
    del player, session
    gc.collect()
    # The worker may still be at the end of its last round; player and session hold each other: the collector's work.
    for _ in range(100):
        gc.collect()
        if ended.wait(0.1):
            break
    assert gone() is None
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_same_cell_run_again_stops_the_older_player() -> None:
    with (
        playing(small_session()) as (older, _w),
        playing(small_session()) as (other, _v),
        playing(small_session()) as (newer, _u),
    ):
        stop_replaced(CellRun("cell", "1"), older)
        stop_replaced(CellRun("other cell", "2"), other)
        stop_replaced(CellRun("cell", "1"), older)
        assert older.alive
        stop_replaced(CellRun("cell", "3"), newer)
        assert not older.alive
        assert other.alive
        assert newer.alive
        stop_replaced(None, other)
        assert other.alive
        assert newer.alive


def test_two_labs_in_one_run_of_a_cell_leave_each_other_alone() -> None:
    with (
        playing(small_session()) as (first, _w),
        playing(small_session()) as (second, _v),
        playing(small_session()) as (newer, _u),
    ):
        stop_replaced(CellRun("pair", "1"), first)
        stop_replaced(CellRun("pair", "1"), second)
        assert first.alive
        stop_replaced(CellRun("pair", "2"), newer)
        assert (first.alive, second.alive, newer.alive) == (False, False, True)


def test_outside_a_notebook_there_is_no_cell() -> None:
    assert running_cell() is None
