"""The exercises of lesson 06: a network's symmetries, a report to be read, and own starts compared."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, word, wrong


def undo(order: Sequence[int]) -> list[int]:
    """The order that undoes an order."""
    return [list(order).index(k) for k in range(len(order))]


def _reversed(order: Sequence[int]) -> list[int]:
    return list(order)[::-1]


def _the_same(order: Sequence[int]) -> list[int]:
    return list(order)


def _sorted(order: Sequence[int]) -> list[int]:
    return sorted(order)


# The purity to be reached with own starts: weights stay below 0.36, outputs lie between 0.47 and 0.71 (seeds 0 to 2).
_ASKED = 0.45
# Before this step the networks have hardly moved.
_FEWEST_STEPS = 20


def _read(session: Any) -> dict[str, float]:
    scores = session.frame.diagnostics
    settings = session.settings
    return {
        "steps": float(session.steps),
        "own": float(getattr(settings, "start", "") == "own"),
        "languages": float(session.setup.family == "number_words" and "purity" in scores),
        "weights": float(getattr(settings, "vector", "") == "weights"),
        "purity": scores.get("purity", 0.0),
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["steps"]:
        return Verdict("open", "Use the panel above: One each, Reset, Play, and look at the purity.")
    if not found["languages"]:
        return wrong("These are not the languages. Choose Number words as the tasks of the lab, and reset it.")
    if not found["own"]:
        return wrong("All networks have one start here. Set Start to One each, and press Reset.")
    if found["steps"] < _FEWEST_STEPS:
        return wrong(f"The networks have hardly learnt anything: let them train for {_FEWEST_STEPS} steps at least.")
    if found["purity"] >= _ASKED:
        return Verdict(
            "right", "Right: the starts differ, and relatives come together.", f"Purity {found['purity']:.2f}."
        )
    said = f"Not pure enough yet: {_ASKED:g} is asked for."
    if found["weights"]:
        said = f"{said} You compare weights. With own starts, which other vector has no hidden units in it?"
    return Verdict("wrong", said, f"Purity {found['purity']:.2f}.")


def _trained(steps: int, **settings: Any) -> Any:
    from taskembed_edu.labs.parameter import ParameterLab

    session = ParameterLab("number_words", seed=0, **settings).session
    session.step(steps)
    return session


_HAS = ("frame", "settings", "setup", "steps")

EXERCISES = [
    Exercise(
        name="06.forms",
        ask="Orders of 4 units, times a sign for each of them.",
        judge=number(
            math.factorial(4) * 2**4,
            {
                24.0: "These are the orders. Each unit may also change its sign.",
                16.0: "These are the signs. The units may also change places.",
                40.0: "You added orders and signs. Each order goes with each choice of signs: multiply.",
                192.0: "Each of the 4 units has two signs of its own: 2 * 2 * 2 * 2.",
                48.0: "Each unit has its own sign, so there are more than two choices of signs.",
            },
            within=1e-6,
        ),
        right=384,
        mistakes=[(24, "sign"), (16, "places"), (40, "multiply"), (48, "its own sign")],
        hints=(
            "4 units can stand in 4! = 24 orders.",
            "tanh(-x) = -tanh(x): each unit may have all its signs changed.",
            "24 orders times 2 * 2 * 2 * 2 choices of signs.",
        ),
        solution="4! * 2^4 = 384. Each is another task vector of the same task.",
    ),
    Exercise(
        name="06.report",
        ask="The losses say that the tasks are learnt. What differs between the computers?",
        judge=word(
            "own starts",
            {
                "not trained": "All losses are below 0.01: each network has learnt its task.",
                "collapse": "Each network has a task of its own, and its loss is small: nothing collapsed.",
                "overfitting": "Perhaps, but that changes each network's own task. What makes vectors incomparable?",
            },
        ),
        right="own starts",
        mistakes=[("not trained", "below 0.01"), ("collapse", "nothing collapsed"), ("overfitting", "incomparable")],
        hints=(
            "A network's vector is where it ended. Where did it begin?",
            "Each of the 20 computers drew first weights.",
            "Vectors can be compared if all networks began in one place.",
        ),
        solution='"own starts": each computer drew its own first weights. Send one file of them to all computers.',
    ),
    Exercise(
        name="06.undo",
        ask="Where did each old unit go?",
        judge=function(
            undo,
            cases=[([2, 0, 1, 3],), ([3, 2, 1, 0],), ([1, 2, 3, 0],)],
            mistakes=[
                (_reversed, "You read the order backwards. Ask for each old unit k: in which place is it now?"),
                (_the_same, "The same order once more undoes it only where two units changed places."),
                (_sorted, "That is the old order, not the places where to find it."),
            ],
            arguments="order",
        ),
        right=undo,
        mistakes=[(_reversed, "backwards"), (_the_same, "once more"), (_sorted, "the old order")],
        hints=(
            "order[k] is the old unit that now stands in place k.",
            "Old unit 0 now stands where order has a 0: in place order.index(0).",
            "Ask the same for 1, 2, ...: a list of order.index(k).",
        ),
        solution="return [order.index(k) for k in range(len(order))]",
    ),
    Exercise(
        name="06.own_starts",
        ask="Use the panel: One each, Reset, and a purity of 0.45.",
        judge=of_lab(_read, _judge, has=_HAS, embedder="parameters", fewest=100),
        right=Later(lambda: _trained(20, start="own", vector="outputs")),
        mistakes=[
            (Later(lambda: _trained(5)), "one start"),
            (Later(lambda: _trained(5, start="own", vector="outputs")), "hardly learnt"),
            (Later(lambda: _trained(20, start="own")), "You compare weights"),
            (Later(lambda: _trained(1, start="own", n_tasks=14)), "luck is enough"),
        ],
        hints=(
            "Layers, forms and distances of the weights do not help: no unit of one network is that of another.",
            "What stays the same when two hidden units change places?",
            "What the networks answer. Look at the choices of Task vector.",
        ),
        solution="Start: One each. Reset. Task vector: Outputs. Play for 20 steps or more.",
    ),
]
