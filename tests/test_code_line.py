"""The one line that opens a lab: run again, it gives a session with the same settings, and it names nothing in vain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskembed_edu.base.settings import Setting, Settings
from taskembed_edu.embedders import task_embedder
from taskembed_edu.labs.adaptation import AdaptationLab
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.labs.session_lab import SessionLab
from taskembed_edu.networks.factory import readers
from taskembed_edu.session.setup import Setup
from taskembed_edu.tasks import Digits, Gaussians, OwnTasks


class FisherLab(SessionLab):
    embedder: ClassVar[str] = "fisher"
    title: ClassVar[str] = "Fisher"
    main: ClassVar[tuple[str, ...]] = ("family",)

    def about(self, values: dict[str, Any]) -> str:
        return str(values["family"])


class SummaryLab(FisherLab):
    embedder: ClassVar[str] = "summary"

    @classmethod
    def defaults(cls, family: str) -> dict[str, Any]:
        return {"metric": "cosine", "n_shot": 3} if family == "gaussians" else {}


LABS: list[type[SessionLab]] = [MetricLab, ParameterLab, AdaptationLab, FisherLab, SummaryLab]
SMALL: dict[str, Any] = {"n_tasks": 8, "frame_every": 4, "projection": "pca"}


def opened(code: str, **known: Any) -> SessionLab:
    """The lab that the last line of this code opens; the lines before are run."""
    *before, line = code.split("\n")
    names: dict[str, Any] = {lab.__name__: lab for lab in LABS} | known
    exec("\n".join(before), names)
    lab = eval(line, names)
    assert isinstance(lab, SessionLab)
    return lab


def one_of(name: str, declared: Setting, default: Any, owner: Settings) -> st.SearchStrategy[Any]:
    if name == "device":
        return st.sampled_from(["auto", "cpu"])
    if name == "learner":  # a network that cannot read these tasks is refused where it is typed
        return st.sampled_from(["auto", *readers(Gaussians())])
    if declared.choices:
        return st.sampled_from(list(declared.choices))
    low, high = declared.low, declared.highest(owner)
    assert low is not None
    assert high is not None
    return st.integers(int(low), int(high)) if isinstance(default, int) else st.floats(low, high)


def some_of(of: Settings) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the settings, each with a value of its range."""
    declared = {name: each for name, each in of.declared().items() if name != "family" and not each.hidden}
    values = {name: one_of(name, each, getattr(of, name), of) for name, each in declared.items()}
    return st.fixed_dictionaries({}, optional=values)


SESSIONS = {lab: lab("gaussians", **SMALL).session for lab in LABS}


@pytest.mark.parametrize("lab", LABS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_settings_come_back(lab: type[SessionLab], data: st.DataObject) -> None:
    theirs = task_embedder(lab.embedder).settings_class()
    values = {
        **Setup().clamped(**data.draw(some_of(Setup()))).as_dict(),
        **theirs.clamped(**data.draw(some_of(theirs))).as_dict(),
        "family": "gaussians",
    }
    line = lab("gaussians")._opened_by(SESSIONS[lab], values)
    assert opened(line)._values == values


@pytest.mark.parametrize("lab", LABS)
def test_a_session_of_the_line_has_the_same_settings(lab: type[SessionLab]) -> None:
    made = lab("sinusoids", seed=3, metric="manhattan", n_shot=2, **SMALL)
    made.session.step(4)
    again = opened(made.code_line())
    assert again.session.values() == made.session.values()
    assert (again.session.tasks.support_x == made.session.tasks.support_x).all()


def test_it_names_only_what_differs() -> None:
    assert MetricLab().code_line() == 'from taskembed_edu import MetricLab\nMetricLab(family="sinusoids")'
    lab = MetricLab("gaussians", margin=1.4, metric="cosine", seed=3)
    line = 'MetricLab(family="gaussians", seed=3, metric="cosine", margin=1.4)'
    assert lab.code_line().split("\n")[1] == line
    lab.session.set(margin=1.0)
    assert "margin" not in lab.code_line()
    digits = ParameterLab("digits", learning_rate=0.1, hidden=8, n_tasks=10)
    assert digits.code_line().split("\n")[1] == 'ParameterLab(family="digits", n_tasks=10, hidden=8)'


def test_what_nobody_chose_is_not_named() -> None:
    lab = MetricLab("gaussians", n_tasks=20, n_neighbors=5)
    lab.session.user_set.discard("projection")
    lab.session.set_clamped(projection="pca")
    lab.session.set(umap_restarts=1)
    assert lab.code_line().endswith('\nMetricLab(family="gaussians", n_tasks=20, n_neighbors=5)')
    lab.session.set(projection="pca")
    assert 'projection="pca"' in lab.code_line()


@dataclass(frozen=True)
class Tight(Gaussians):
    name = "tight"
    spread: float = 0.1


@dataclass(frozen=True)
class Bent(Gaussians):
    name = "bent"
    by: Any = None


@pytest.mark.parametrize("by", [torch.sin, lambda x: x, math.nan, math.inf, [object()], torch.float32])
def test_a_field_that_no_line_can_hold_is_no_broken_line(by: Any) -> None:
    tasks = Bent(by=by)
    lab = MetricLab(tasks, projection="pca")
    before, line = lab.code_line().split("\n")[1:]
    assert before == "# Make `tasks` first: a Bent with fields that a line of code cannot hold."
    assert line == 'MetricLab(tasks, projection="pca")'
    assert opened(lab.code_line(), tasks=tasks).session.family is not None
    compile(lab.session.code(), "code", "exec")


def test_it_says_what_must_stand_before() -> None:
    lab = MetricLab(Digits(n_way=2), **SMALL)
    line = "MetricLab(Digits(n_way=2), "
    assert lab.code_line().startswith(f"from taskembed_edu import Digits, MetricLab\n{line}")
    assert opened(lab.code_line()).session.values() == lab.session.values()

    lab = MetricLab(Tight(box=2.0), **SMALL)
    assert "from tests.test_code_line import Tight\nMetricLab(Tight(box=2.0), " in lab.code_line()
    assert opened(lab.code_line()).session.family == Tight(box=2.0)

    tasks = OwnTasks(torch.rand(30, 8, 1), torch.rand(30, 8))
    lab = MetricLab(tasks, margin=2, projection="pca")
    assert lab.code_line() == (
        "from taskembed_edu import MetricLab\n"
        "# Make `tasks` first: they are your own, 30 of them (OwnTasks).\n"
        'MetricLab(tasks, projection="pca", margin=2.0)'
    )
    assert opened(lab.code_line(), tasks=tasks).session.values() == lab.session.values()

    class Mine(FisherLab):
        pass

    assert FisherLab().code_line() == 'from tests.test_code_line import FisherLab\nFisherLab(family="sinusoids")'
    assert Mine().code_line() == '# Mine is your own lab: define it first.\nMine(family="sinusoids")'
