"""The exercises of lesson 08: two inner steps, the gradient through one, an inner loop by hand, which start."""

import statistics
from collections.abc import Mapping
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, wrong


def adapt(w: float, c: float, inner_lr: float, steps: int) -> float:
    """The weight after so many steps on (w - c)^2."""
    for _step in range(steps):
        w = w - inner_lr * 2 * (w - c)
    return w


def _without_two(w: float, c: float, inner_lr: float, steps: int) -> float:
    return adapt(w, c, inner_lr / 2, steps)


def _uphill(w: float, c: float, inner_lr: float, steps: int) -> float:
    return adapt(w, c, -inner_lr, steps)


def _first_slope(w: float, c: float, inner_lr: float, steps: int) -> float:
    return w - steps * inner_lr * 2 * (w - c)


def _one_step(w: float, c: float, inner_lr: float, steps: int) -> float:
    return adapt(w, c, inner_lr, 1)


# At step 300 joint training ends near 1.13, Reptile near 0.86, MAML and its first order near 0.80 (seed 0).
_ASKED, _AT_STEP, _FRAMES = 0.95, 300, 5
_AS_BEGUN = {"learner": "wave", "inner_lr": 0.1, "inner_steps": 3}


def _read(session: Any) -> dict[str, float]:
    """The losses are means over the last frames: one frame hears of 250 tasks alone."""
    values, last = session.values(), list(session.history)[-_FRAMES:]
    losses = [(frame.loss, frame.diagnostics["loss_before"]) for frame in last if frame.step]
    after, before = (statistics.mean(each) for each in zip(*losses, strict=True)) if losses else (0.0, 0.0)
    return {
        "steps": float(session.steps),
        "as it began": float(all(values[name] == value for name, value in _AS_BEGUN.items())),
        "joint": float(values["method"] == "joint"),
        "loss": after,
        "before": before,
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["steps"]:
        return Verdict("open", f"Use the panel above: Play to step {_AT_STEP}, and look at both losses.")
    if not found["as it began"]:
        return wrong("More inner steps or a larger rate help any start. Keep 3 steps at rate 0.1: run the cell again.")
    if found["steps"] < _AT_STEP:
        return wrong(f"The start has not been learnt yet: let it train to step {_AT_STEP}.")
    told = f"After the inner loop {found['loss']:.2f}, before it {found['before']:.2f}."
    if found["loss"] < _ASKED:
        return Verdict("right", "A start that is no better at first answers better once it has left.", told)
    joint = "Joint training never looks behind an inner step." if found["joint"] else "Try another method."
    return Verdict("wrong", f"A loss below {_ASKED:g} is asked for. {joint}", told)


def _trained(steps: int, **settings: Any) -> Any:
    from taskembed_edu.session.session import Session

    begun = {"method": "joint", "n_shot": 5, "learning_rate": 0.03, "seed": 0, **_AS_BEGUN, **settings}
    session = Session("adapted", "sinusoids", projection="pca", **begun)
    session.step(steps)
    return session


EXERCISES = [
    Exercise(
        name="08.two_steps",
        ask="First one step: the slope of w^2 at w = 1 is 2.",
        judge=number(
            0.64,
            {
                0.8: "That is after one step. Take another from there.",
                0.6: "The second step begins at 0.8, and its slope is 1.6.",
                0.81: "The slope of w^2 is 2 w, not w.",
                1.44: "You went uphill. Subtract the slope.",
                0.512: "That is after three steps.",
            },
        ),
        right=0.64,
        mistakes=[
            (0.8, "another from there"),
            (0.6, "begins at 0.8"),
            (0.81, "2 w"),
            (1.44, "uphill"),
            (0.512, "three"),
        ],
        hints=("w' = w - 0.1 times 2 w.", "So each step multiplies w by 0.8.", "0.8 times 0.8."),
        solution="0.64: each step multiplies w by 1 - 0.1 * 2 = 0.8.",
    ),
    Exercise(
        name="08.second_order",
        ask="First the place after the inner step: w' = 1 - 0.25 * 2.",
        judge=number(
            -0.5,
            {
                -1.0: "That is first order: it leaves dw'/dw out.",
                0.5: "The sign: w' - 1 is below 0.",
                -0.25: "The outer loss has a slope of 2 (w' - 1).",
                -0.32: "That is the one of the lesson, with an inner rate of 0.1.",
                -0.4: "That is first order, and with the inner rate of the lesson, 0.1.",
                -1.5: "dw'/dw is 1 minus 0.25 times 2, not 1 plus it.",
            },
        ),
        right=-0.5,
        mistakes=[
            (-1, "first order"),
            (0.5, "sign"),
            (-0.25, "2 (w' - 1)"),
            (-0.32, "of the lesson"),
            (-0.4, "first order, and"),
            (-1.5, "not 1 plus"),
        ],
        hints=("w' = 0.5.", "The outer slope at w' is 2 (0.5 - 1) = -1.", "dw'/dw = 1 - 0.25 * 2 = 0.5."),
        solution="2 (0.5 - 1) (1 - 0.25 * 2) = -0.5; first order says -1.",
    ),
    Exercise(
        name="08.adapt",
        ask="The slope of (w - c)^2 in w is 2 (w - c). Take it anew in each step.",
        judge=function(
            adapt,
            cases=[(1.0, 0.0, 0.1, 2), (0.0, 3.0, 0.25, 3), (5.0, 2.0, 0.1, 0), (1.0, -1.0, 0.4, 5)],
            mistakes=[
                (_without_two, "The slope of (w - c)^2 is 2 (w - c): the 2 is missing."),
                (_uphill, "You go uphill. Subtract the slope."),
                (_first_slope, "You use the first slope for all steps. Each step has a slope of its own."),
                (_one_step, "You take one step, whatever `steps` says."),
            ],
            arguments="w, c, inner_lr, steps",
        ),
        right=adapt,
        mistakes=[
            (_without_two, "2 is missing"),
            (_uphill, "Subtract"),
            (_first_slope, "slope of its own"),
            (_one_step, "whatever"),
        ],
        hints=("for _step in range(steps): ...", "slope = 2 * (w - c)", "w = w - inner_lr * slope, inside the loop."),
        solution="for _step in range(steps):\n    w = w - inner_lr * 2 * (w - c)\nreturn w",
    ),
    Exercise(
        name="08.leave_from",
        ask=f"Use the panel of two numbers: step {_AT_STEP}, and a loss after the inner loop below {_ASKED:g}.",
        judge=of_lab(_read, _judge, has=("frame", "history", "values", "steps"), embedder="adapted"),
        right=Later(lambda: _trained(_AT_STEP, method="maml")),
        mistakes=[
            (Later(lambda: _trained(20, method="maml")), "not been learnt"),
            (Later(lambda: _trained(20, inner_steps=10)), "Keep 3 steps"),
            (Later(lambda: _trained(_AT_STEP)), "never looks behind"),
            (Later(lambda: _trained(_AT_STEP, method="anil")), "another method"),
        ],
        hints=(
            "Joint training makes the loss *before* the inner loop small. Something else is asked for.",
            "Method: which of them looks at the loss after the inner loop?",
            "MAML, in second or in first order, or Reptile.",
        ),
        solution="Method: MAML. At step 300: about 0.8 after the inner loop, and 3.4 before it (joint training: 3.0).",
    ),
]
