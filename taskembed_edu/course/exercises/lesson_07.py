"""The exercises of lesson 07: Fisher information by hand, the mean of two networks, Task2Vec, which weights."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, wrong

Numbers = Sequence[float]


def _cosine(a: Numbers, b: Numbers) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def _shares(a: Numbers, b: Numbers) -> tuple[list[float], list[float]]:
    sums = [x + y for x, y in zip(a, b, strict=True)]
    return [x / s for x, s in zip(a, sums, strict=True)], [y / s for y, s in zip(b, sums, strict=True)]


def task2vec(a: Numbers, b: Numbers) -> float:
    """The cosine distance of the shares, entry by entry."""
    return 1 - _cosine(*_shares(a, b))


def _similarity(a: Numbers, b: Numbers) -> float:
    return _cosine(*_shares(a, b))


def _of_the_vectors(a: Numbers, b: Numbers) -> float:
    return 1 - _cosine(a, b)


def _of_whole_sums(a: Numbers, b: Numbers) -> float:
    return math.dist([x / sum(a) for x in a], [y / sum(b) for y in b])


def _euclidean(a: Numbers, b: Numbers) -> float:
    return math.dist(*_shares(a, b))


# Spearman to be reached at this step: all weights give 0.55, the second hidden layer 0.69, the output layer 0.73.
_ASKED, _AT_STEP = 0.65, 500


def _read(session: Any) -> dict[str, float]:
    settings, setup, scores = session.settings, session.setup, session.frame.diagnostics
    return {
        "steps": float(session.steps),
        "as it began": float(setup.family == "sinusoids" and setup.seed == 0 and setup.n_tasks == 100),
        "fisher": float(getattr(settings, "vector", "") == "fisher"),
        "all": float(getattr(settings, "layer", "") == "all"),
        "spearman": scores.get("spearman", 0.0),
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["steps"]:
        return Verdict("open", "Use the panel above: Play to step 500, and look at Spearman.")
    if not found["as it began"]:
        return wrong("These are other tasks, or another seed: run the cell of the lab again, so that numbers compare.")
    if not found["fisher"]:
        return wrong("The vector is not the Fisher information. Set Task vector to Fisher information.")
    if found["steps"] < _AT_STEP:
        return wrong(f"The networks have not learnt their waves yet: let them train to step {_AT_STEP}.")
    if found["spearman"] >= _ASKED:
        return Verdict("right", "Right: some weights say more than all together.", f"Spearman {found['spearman']:.2f}.")
    said = "All weights count here. Look at one layer alone." if found["all"] else "Try another layer or distance."
    return Verdict("wrong", f"Spearman of {_ASKED:g} is asked for. {said}", f"Spearman {found['spearman']:.2f}.")


def _trained(steps: int, **settings: Any) -> Any:
    from taskembed_edu.labs.parameter import ParameterLab

    chosen = {"vector": "fisher", "n_tasks": 100, "seed": 0, **settings}
    session = ParameterLab("sinusoids", **chosen).session
    session.step(steps)
    return session


_HAS = ("frame", "settings", "setup", "steps")

EXERCISES = [
    Exercise(
        name="07.fisher",
        ask="Both labels have probability 1/2. What is the squared slope of log p?",
        judge=number(
            2.25,
            {
                9.0: "x squared is there. Each slope also holds the probability of the other label, 1/2, squared.",
                0.75: "The slope is squared, so x is squared too.",
                1.5: "That is the length of the slope. Square it.",
                4.5: "You added both labels. Each counts with its probability, 1/2.",
                1.0: "That is the answer for x = 2.",
            },
        ),
        right=2.25,
        mistakes=[
            (9, "other label"),
            (0.75, "squared too"),
            (1.5, "Square it"),
            (4.5, "its probability"),
            (1.0, "x = 2"),
        ],
        hints=(
            "Change x_one in the cell above, or go on by hand.",
            "The slope of log sigmoid(w x) in w is x (1 - sigmoid(w x)): here 3 / 2. For the other label it is -3 / 2.",
            "Square each, and take the mean with weights 1/2 and 1/2.",
        ),
        solution="(3 / 2)^2 = 2.25 for each label, so the mean is 2.25, which is x^2 p (1 - p).",
    ),
    Exercise(
        name="07.mean",
        ask="First the mean of the two w, and of the two v.",
        judge=number(
            0.0,
            {
                round(3 * math.tanh(2), 6): "That is what both networks answer, and the mean of their *answers*.",
                3.0: "v has a mean as well: of 3 and -3.",
                2.0: "w has a mean as well: of 2 and -2.",
                round(6 * math.tanh(4), 6): "You subtracted where the mean adds: (2 + (-2)) / 2.",
            },
            within=2e-3,
        ),
        right=0.0,
        mistakes=[(3 * math.tanh(2), "answers"), (3, "3 and -3"), (2, "2 and -2"), (6 * math.tanh(4), "subtracted")],
        hints=("The mean of 2 and -2.", "The mean of 3 and -3.", "0 times tanh(0 times 1)."),
        solution="0: both means are 0, so it answers 0 everywhere, though both networks are the same function.",
    ),
    Exercise(
        name="07.task2vec",
        ask="First the shares F_a / (F_a + F_b), entry by entry, and those of F_b.",
        judge=function(
            task2vec,
            cases=[([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]), ([1.0, 1.0], [10.0, 10.0]), ([5.0, 0.5, 1.0], [1.0, 2.0, 1.0])],
            mistakes=[
                (_similarity, "That is the similarity: the distance is 1 minus it."),
                (_of_the_vectors, "You compare the vectors themselves. Divide each entry by the sum of both first."),
                (_euclidean, "The shares are right. Their distance is the cosine distance, not the Euclidean one."),
                (_of_whole_sums, "You divide by the sum of one vector. Divide each entry by F_a + F_b at its place."),
            ],
            arguments="f_a, f_b",
        ),
        right=task2vec,
        mistakes=[
            (_similarity, "1 minus"),
            (_of_the_vectors, "vectors themselves"),
            (_euclidean, "not the Euclidean"),
            (_of_whole_sums, "at its place"),
        ],
        hints=(
            "a = [one / (one + other) for one, other in zip(f_a, f_b)], and b with other on top.",
            "The cosine: the sum of the products of a and b, over the product of their lengths.",
            "The length of a: math.hypot(*a). The distance: 1 minus the cosine.",
        ),
        solution=(
            "a = [one / (one + other) for one, other in zip(f_a, f_b)]\n"
            "b = [other / (one + other) for one, other in zip(f_a, f_b)]\n"
            "return 1 - sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))"
        ),
    ),
    Exercise(
        name="07.which_weights",
        ask="Use the panel: Fisher information, step 500, and a Spearman of 0.65.",
        judge=of_lab(_read, _judge, has=_HAS, embedder="parameters"),
        right=Later(lambda: _trained(500, layer="hidden_2")),
        mistakes=[
            (Later(lambda: _trained(5)), "not learnt"),
            (Later(lambda: _trained(5, vector="weights")), "not the Fisher"),
            (Later(lambda: _trained(5, seed=1)), "another seed"),
            (Later(lambda: _trained(500)), "All weights count"),
        ],
        hints=(
            "The lab can show the layers one by one.",
            "Layer: Hidden 1, Hidden 2 or Output. The networks stay the same.",
            "The first hidden layer is no better than all. Look at those behind it.",
        ),
        solution="Layer: Hidden 2, or Output. Task vector: Fisher information. Step 500.",
    ),
]
