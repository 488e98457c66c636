"""Show me the code: lines that a learner can read, and that make the very same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskembed_edu.base.spelling import spelt
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Gaussians
from tests.runs import SMALL, assert_same_frames, small_session


def run(code: str, **known: Any) -> Session:
    names: dict[str, Any] = dict(known)
    exec(code, names)
    return names["session"]


def test_an_untouched_run_is_one_line() -> None:
    session = Session("metric", n_tasks=10, projection="pca")
    assert session.code() == (
        "from taskembed_edu import Session\n"
        "from taskembed_edu.figures.snapshots import session_figure\n\n"
        'session = Session("metric", family="sinusoids", n_tasks=10, projection="pca")\n'
        "session_figure(session)\n"
    )
    assert Session("metric", family="gaussians", projection="pca", n_tasks=200).code().count("=") == 3


def test_every_change_stands_at_its_step() -> None:
    session = small_session()
    session.step(6)
    session.set(metric="cosine", margin=0.5)
    session.set(learning_rate=0.01)
    session.step(3)
    assert session.code() == (
        "from taskembed_edu import Session\n"
        "from taskembed_edu.figures.snapshots import session_figure\n\n"
        "session = Session(\n"
        '    "metric",\n    family="gaussians",\n    n_tasks=12,\n    frame_every=4,\n    projection="pca",\n'
        '    batch=4,\n    hidden=8,\n    dim=2,\n    device="cpu",\n)\n'
        "session.step(6)\n"
        'session.set(metric="cosine", margin=0.5)\n'
        "session.set(learning_rate=0.01)\n"
        "session.step(3)\n"
        "session_figure(session)\n"
    )
    assert_same_frames(run(session.code()), session)


def test_many_changes_are_a_table_and_a_loop() -> None:
    session = small_session()
    for k in range(8):
        session.set(**({"margin": 1.5 + 0.1 * k} if k % 2 else {"learning_rate": 0.001 * (k + 2)}))
        session.step(k % 3)
    session.step(5)
    code = session.code()
    assert code.count("session.set(") == 1
    assert '    (0, {"margin": 1.6}),\n' in code
    assert len(code.splitlines()) < 40
    assert_same_frames(run(code), session)


def test_a_slow_drag_is_one_move() -> None:
    session = small_session()
    session.step(4)
    for k in range(18):
        session.set(margin=1.0 + 0.1 * k)
        session.step(k % 2)
    code = session.code()
    assert code.count("margin") == 2
    assert len(code.splitlines()) < 20
    assert_same_frames(run(code), session)
    for k in range(7):
        session.set(learning_rate=0.001 * (k + 2), batch=5 + k % 2)
    assert sum("margin" in line for line in session.code().splitlines()) == 1
    assert_same_frames(run(session.code()), session)


def test_stops_of_one_slider_before_one_step_are_its_last() -> None:
    session = small_session()
    for k in range(9):
        session.set(margin=1.5 + 0.1 * k)
    session.step(4)
    assert session.code().count("session.set(") == 1
    assert "session.set(margin=2.3)" in session.code()
    assert_same_frames(run(session.code()), session)


def test_umap_that_nobody_chose_is_no_line() -> None:
    session = small_session(n_neighbors=5)
    session.user_set.discard("projection")
    session.step(4)
    session.set_clamped(projection="umap", min_dist=0.2)
    session.step(4)
    code = session.code()
    assert "pca" not in code
    assert "umap" not in code
    assert "session.set(min_dist=0.2)" in code
    made = run(code)
    assert made.setup.projection == "umap"
    assert (made.frame.embedding == session.frame.embedding).all()
    session.set(projection="pca")
    assert 'session.set(projection="pca")' in session.code()


def test_a_family_with_fields_of_its_own_is_its_constructor() -> None:
    values = {name: value for name, value in SMALL.items() if name != "family"}
    session = Session("metric", Digits(n_way=2, angle=(0.0, 1.0)), **values)
    session.step(4)
    code = session.code()
    assert code.startswith("from taskembed_edu import Digits, Session\n")
    assert "Digits(n_way=2, angle=(0.0, 1.0))" in code
    assert_same_frames(run(code), session)
    assert "Gaussians(" not in Session("metric", Gaussians(), **values).code()


@dataclass(frozen=True)
class TightGaussians(Gaussians):
    name = "tight"
    spread: float = 0.1


def test_a_family_of_ones_own_is_imported_from_where_it_lives() -> None:
    values = {name: value for name, value in SMALL.items() if name != "family"}
    session = Session("metric", TightGaussians(box=2.0), **values)
    code = session.code()
    assert "from tests.test_recipes import TightGaussians\n" in code
    assert "TightGaussians(box=2.0)" in code
    assert_same_frames(run(code), session)

    @dataclass(frozen=True)
    class Wide(Gaussians):
        name = "wide"
        box: float = 9.0

    session = Session("metric", Wide(), **values)
    assert "# Wide is your own family of tasks: define it first." in session.code()
    assert_same_frames(run(session.code(), Wide=Wide), session)


def test_a_run_that_was_taken_back_tells_only_what_led_here() -> None:
    session = small_session()
    session.step(4)
    session.set(margin=3.0)
    session.step(8)
    session.undo()
    session.step(4)
    assert_same_frames(run(session.code()), session)
    session.rewind(at=1)
    assert "set(" not in session.code()
    assert_same_frames(run(session.code()), session)


CHANGES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict, margin=st.floats(0, 2)),
    st.builds(dict, metric=st.sampled_from(["euclidean", "cosine", "manhattan", "squared_euclidean"])),
    st.builds(dict, loss=st.sampled_from(["contrastive", "contrastive_squared", "triplet", "info_nce"])),
    st.builds(dict, learning_rate=st.floats(1e-5, 1e-2), batch=st.integers(2, 9)),
)


@given(moves=st.lists(st.one_of(st.integers(0, 5), CHANGES, st.sampled_from(["undo", "rewind", "reset"])), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_code_of_any_run_makes_it_bit_for_bit(moves: list[Any]) -> None:
    session = small_session()
    for move in moves:
        if isinstance(move, int):
            session.step(move)
        elif isinstance(move, dict):
            session.set(**move)
        elif move == "rewind":
            session.rewind(at=len(session.history) // 2)
        else:
            getattr(session, move)()
    assert_same_frames(run(session.code()), session)


def test_values_are_spelt_as_people_type_them() -> None:
    assert spelt("cosine") == '"cosine"'
    assert spelt(0.1) == "0.1"
    assert spelt((1.0, 2.0)) == "(1.0, 2.0)"
    assert spelt({"margin": 0.5, "loss": "triplet"}) == '{"margin": 0.5, "loss": "triplet"}'
