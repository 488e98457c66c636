"""At the front doors a wrong argument is a short error, and every other error keeps all that it has to tell."""

from __future__ import annotations

import dataclasses
import inspect
import statistics
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from taskembed_edu import (
    LOSSES,
    Digits,
    DistanceLab,
    DrawingPad,
    LossLab,
    MetricEmbedder,
    MetricLab,
    OwnTasks,
    ParameterLab,
    Session,
    Sinusoids,
    load_recording,
    register_loss,
    register_score,
    set_encoder,
    task_learner,
    train_tasks,
)
from taskembed_edu.base import short_errors as short_errors_module
from taskembed_edu.base.checks import check_whole
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.evaluation.registry import SCORES
from taskembed_edu.tasks import Gaussians
from tests.runs import generator, small_session


def trained(**wrong: Any) -> Any:
    learner, tasks = task_learner(Sinusoids(), hidden=4), Sinusoids().sample(3, rng=generator())
    return train_tasks(learner, tasks, 2, start=start_networks(learner, 3, generator()), **wrong)


def own(**wrong: Any) -> OwnTasks:
    x = torch.zeros(30, 8, 1)
    return OwnTasks(x, **{"y": torch.zeros(30, 8), **wrong})


DOORS: dict[str, Callable[[], Any]] = {
    "MetricLab(margn)": lambda: MetricLab(margn=1),
    "MetricLab(margin)": lambda: MetricLab(margin=-1),
    "ParameterLab(device)": lambda: ParameterLab(learner="lstn"),
    "lab.replay": lambda: MetricLab(family="digits").replay(small_session().recording()),
    "Session(embedder)": lambda: Session("metrics"),
    "Session(family)": lambda: Session("metric", family="number_words"),
    "session.set": lambda: small_session().set(margin=9),
    "session.reset": lambda: small_session().reset(margn=1),
    "session.reset(family)": lambda: small_session().reset(family="gausians"),
    "session.step": lambda: small_session().step(-1),
    "session.rewind": lambda: small_session().rewind(at=9),
    "session.branch": lambda: small_session().branch(at=9),
    "session.undo_reset": lambda: small_session().undo_reset(),
    "session.nearest": lambda: small_session().nearest(small_session().frame, 99),
    "Session.replay": lambda: Session.replay({}),
    "LossLab(margin)": lambda: LossLab(margin=-1),
    "LossLab(margn)": lambda: LossLab(margn=1),  # type: ignore[call-arg]
    "LossLab.set": lambda: LossLab().set(loss="tripplet"),
    "LossLab.move": lambda: LossLab().move("nobody", (1, 2)),
    "LossLab.preset": lambda: LossLab().preset("none"),
    "LossLab.step": lambda: LossLab().step(0),
    "DistanceLab(metric)": lambda: DistanceLab(metric="cosin"),
    "DistanceLab(x)": lambda: DistanceLab(x=[1, 2, 3]),
    "DistanceLab.set": lambda: DistanceLab().set(radius=-1),
    "DistanceLab.move": lambda: DistanceLab().move(x=[]),
    "DrawingPad(strokes)": lambda: DrawingPad([[(0.1, 0.2, 0.3)]]),
    "DrawingPad(featurs)": lambda: DrawingPad(featurs=len),  # type: ignore[call-arg]
    "DrawingPad.draw": lambda: DrawingPad().draw([]),
    "DrawingPad.open": lambda: DrawingPad().open("there_is_no.png"),
    "DrawingPad.choose": lambda: DrawingPad().choose("no letter of any script"),
    "DrawingPad.set": lambda: DrawingPad().set(pen=9),
    "DrawingPad.picture": lambda: DrawingPad().picture,
    "DrawingPad.answers": lambda: DrawingPad().answers,
    "DrawingPad.place": lambda: DrawingPad().place,
    "OwnTasks(y)": lambda: own(y=torch.zeros(3, 8)),
    "OwnTasks(truht)": lambda: own(truht={}),
    "train_tasks(compiled)": lambda: trained(compiled="perhaps"),
    "train_tasks(learning_rate)": lambda: trained(learning_rate=-1),
    "task_learner": lambda: task_learner(Sinusoids(), "lstm"),
    "set_encoder": lambda: set_encoder(Sinusoids(), generator(), features="furier"),
    "load_recording": lambda: load_recording(__file__),
    "register_loss": lambda: register_loss(dataclasses.replace(LOSSES["contrastive"])),
    "register_score": lambda: register_score(dataclasses.replace(SCORES["spearman"])),
    "Sinusoids(amplitude)": lambda: Sinusoids(amplitude=(2, 1)),
    "Digits(n_way)": lambda: Digits(n_way=20),
    "family.sample": lambda: Sinusoids().sample(0, rng=generator()),
    "embedder.fit": lambda: MetricEmbedder().fit(Sinusoids(), 1, device="cpu"),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_argument_is_a_short_error(door: str) -> None:
    with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as caught:
        DOORS[door]()
    frames = [
        frame
        for frame in traceback.extract_tb(caught.value.__traceback__)
        if frame.filename not in (__file__, "<string>")
    ]
    assert len(frames) == 1, "where the package was entered"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "got " in str(caught.value)


def test_an_unknown_argument_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        TypeError, match=r"^LossLab: got an argument 'margn', expected one of .*Did you mean 'margin'\?$"
    ):
        LossLab(margn=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'steps'"):
        train_tasks(None, None, start={})  # type: ignore[arg-type, call-arg]


def test_an_error_in_the_learners_own_family_keeps_its_lines() -> None:
    class Broken(Gaussians):
        name = "broken"

        def draw_samples(self, truth: torch.Tensor, n_shot: int, rng: torch.Generator) -> Any:
            check_whole("my number", -1, 0, None)

    for call in (lambda: Session("metric", Broken()), lambda: small_session().reset(family=Broken())):
        with pytest.raises(ValueError, match="my number") as caught:
            call()
        names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert "draw_samples" in names, "the mistake is there"


def my_loss() -> float:
    return 1 / 0


def of_the_package(line: str) -> Callable[[], None]:
    """A front door of the package behind which this line stands, in a function of its own."""
    path = Path(short_errors_module.__file__).parents[1] / "made.py"
    names: dict[str, Any] = {"__name__": "taskembed_edu.made", "statistics": statistics, "my_loss": my_loss}
    exec(compile(f"def behind():\n    {line}\ndef door():\n    behind()", str(path), "exec"), names)
    door: Callable[[], None] = names["door"]
    return short_errors(door)


@pytest.mark.parametrize(
    ("line", "lines_kept"),
    [
        ("raise ValueError('n: got 1, expected 2.')", False),
        ("raise FloatingPointError('n: got nan, expected a number.')", False),
        ("int('x')", True),  # Python raised it, with nobody's intention
        ("statistics.mean([])", True),  # a library raised it on purpose, but not for a learner of this package
        ("raise KeyError('n')", True),  # no message to a learner
        ("raise AttributeError('n')", True),
    ],
)
def test_an_error_that_was_not_meant_for_the_learner_keeps_its_lines(line: str, lines_kept: bool) -> None:
    """It may be a fault of the package: whoever reports it needs the lines."""
    with pytest.raises((ValueError, ArithmeticError, LookupError, AttributeError)) as caught:
        of_the_package(line)()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert ("behind" in names) == lines_kept


def test_a_cause_in_the_learners_own_code_stays_and_another_does_not() -> None:
    for called, stays in (("my_loss()", True), ("statistics.mean([])", False)):
        lines = f"""try: {called}
    except Exception as error: raise ValueError("loss: got an error, expected a number.") from error"""
        with pytest.raises(ValueError, match="loss: got an error") as caught:
            of_the_package(lines)()
        told = "".join(traceback.format_exception(caught.value))
        assert ("in my_loss" in told) == stays
        assert ("ZeroDivisionError" in told) == stays
        assert "StatisticsError" not in told


def test_a_front_door_says_what_it_is() -> None:
    assert train_tasks.__name__ == "train_tasks"
    assert "steps" in inspect.signature(train_tasks).parameters
    assert "points" in inspect.signature(LossLab).parameters
