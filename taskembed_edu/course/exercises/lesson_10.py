"""The exercises of lesson 10: a probability from distances, chance, the nearest prototype, sure and wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, wrong

Numbers = Sequence[float]
Labels = Sequence[int]


def _means(support: Numbers, labels: Labels) -> dict[int, float]:
    of = {k: [x for x, label in zip(support, labels, strict=True) if label == k] for k in labels}
    return {k: sum(values) / len(values) for k, values in of.items()}


def nearest_prototype(support: Numbers, labels: Labels, query: float) -> int:
    """The label of the class whose mean is nearest to the query."""
    means = _means(support, labels)
    return min(sorted(means), key=lambda k: abs(query - means[k]))


def _nearest_sample(support: Numbers, labels: Labels, query: float) -> int:
    return min(zip(support, labels, strict=True), key=lambda pair: abs(query - pair[0]))[1]


def _farthest(support: Numbers, labels: Labels, query: float) -> int:
    means = _means(support, labels)
    return max(sorted(means), key=lambda k: abs(query - means[k]))


def _of_sums(support: Numbers, labels: Labels, query: float) -> int:
    sums = {k: sum(x for x, label in zip(support, labels, strict=True) if label == k) for k in labels}
    return min(sorted(sums), key=lambda k: abs(query - sums[k]))


# A Hebrew letter lies nearer than this (squared) to the prototype of its own class, one example: 99 % of them.
_FAR, _SURE, _CLASSES = 11.0, 0.9, 5


def _read(pad: Any) -> dict[str, float]:
    try:
        distances, answers = pad.distances, pad.answers
    except ValueError:  # nothing is on the pad yet, or no class
        return {"seen": 0.0}
    return {
        "seen": 1.0,
        "strokes": float(len(pad.strokes)),
        "classes": float(len(distances)),
        "nearest": min(distances.values()),
        "sure": max(answers.values()),
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["seen"]:
        return Verdict("open", "Use the pad above: draw something that is none of the five letters.")
    if found["classes"] != _CLASSES:
        return wrong(f"This is asked of the {_CLASSES} classes of the lesson: run the cell of the pad again.")
    if not found["strokes"]:
        return wrong("That is a picture of a file or of the palette. Draw one of your own.")
    told = f"Squared distance to the nearest class {found['nearest']:.0f}, its probability {found['sure']:.2f}."
    if found["nearest"] < _FAR:
        said = f"The nearest class is nearer than {_FAR:g}: it may well be this letter. Draw what is no letter at all."
        return Verdict("wrong", said, told)
    if found["sure"] < _SURE:
        return Verdict("wrong", f"Far from all, but the network is in doubt. At least {_SURE:g} is asked for.", told)
    return Verdict("right", "Far from every class, and sure. A probability compares the classes that are there.", told)


def _pad(n_way: int = _CLASSES, stroke: Sequence[tuple[float, float]] = (), letter: str = "") -> Any:
    """The pad of the lesson, with a drawing on it or a letter of the palette."""
    from taskembed_edu.course.artefacts.letters import letter_features
    from taskembed_edu.labs.drawing_pad import DrawingPad
    from taskembed_edu.tasks.alphabets import Alphabets

    tasks = Alphabets(n_way=n_way, part=("Hebrew",)).sample(1, 1, rng=torch.Generator().manual_seed(1))
    support = {str(k): picture for k, picture in enumerate(tasks.support_x[0])}
    pad = DrawingPad([stroke] if stroke else [], features=letter_features(), support=support)
    if letter:
        pad.choose(letter)
    return pad


# It lies at a squared distance of about 14, and one of the five has a probability of 0.94.
STAR = [(0.5, 0.1), (0.74, 0.82), (0.12, 0.38), (0.88, 0.38), (0.26, 0.82), (0.5, 0.1)]

EXERCISES = [
    Exercise(
        name="10.probability",
        ask="A query lies at distance 1 from one prototype, and at distance 2 from the other. Squares first.",
        judge=number(
            1 / (1 + math.exp(-3)),
            {
                1 / (1 + math.exp(-1)): "That is by the distances themselves: the exponent has their squares, 1 and 4.",
                1 / (1 + math.exp(3)): "That is the probability of the farther class.",
                0.8: "That shares 1 by the squared distances. The softmax takes exp(-1) and exp(-4).",
                2 / 3: "That shares 1 by the distances. The softmax takes exp(-1) and exp(-4).",
                math.exp(-1): "That is exp(-1). Divide by the sum of exp(-1) and exp(-4).",
            },
            within=2e-3,
        ),
        right=1 / (1 + math.exp(-3)),
        mistakes=[
            (0.731, "by the distances themselves"),
            (0.047, "farther class"),
            (0.8, "by the squared distances"),
            (0.667, "by the distances"),
            (0.368, "Divide by the sum"),
        ],
        hints=("The squared distances are 1 and 4.", "exp(-1) and exp(-4).", "exp(-1) / (exp(-1) + exp(-4))."),
        solution="exp(-1) / (exp(-1) + exp(-4)) = 1 / (1 + exp(-3)) = 0.953.",
    ),
    Exercise(
        name="10.chance",
        ask="A guess among 20 letters is right once in 20. The error is the rest, in percent.",
        judge=number(
            95.0,
            {
                5.0: "That is the accuracy of a guess. The error is what is wrong.",
                80.0: "That is the error of a guess among 5 letters.",
                0.95: "In percent, please.",
                20.0: "That is the accuracy of a guess among 5 letters.",
            },
        ),
        right=95.0,
        mistakes=[(5, "accuracy of a guess"), (80, "among 5"), (0.95, "In percent"), (20, "among 5 letters")],
        hints=("Right: 1 of 20.", "Right: 5 %.", "Wrong: 100 % - 5 %."),
        solution="95 %: keep it in mind when an error of 20 % looks bad.",
    ),
    Exercise(
        name="10.function",
        ask="The mean of each class, then the label of the nearest mean.",
        judge=function(
            nearest_prototype,
            cases=[
                ([0.0, 1.0, 8.0, 4.0], [0, 0, 1, 1], 3.6),
                ([0.0, 2.0, 5.0], [0, 0, 1], 2.5),
                ([3.0, 5.0, -1.0, -3.0, 0.5], [1, 1, 0, 0, 2], 4.2),
                ([1.0, 7.0, 5.0], [0, 0, 1], 4.6),
                ([1.0, 7.0, 4.9], [0, 0, 1], 6.5),
            ],
            mistakes=[
                (_nearest_sample, "That is the label of the nearest sample. Take the mean of each class first."),
                (_farthest, "That is the farthest prototype."),
                (_of_sums, "You add up a class. Divide by how many samples it has."),
            ],
            arguments="support, labels, query",
        ),
        right=nearest_prototype,
        mistakes=[
            (_nearest_sample, "nearest sample"),
            (_farthest, "farthest"),
            (_of_sums, "Divide by how many"),
        ],
        hints=(
            "For each k in set(labels): the x whose label is k.",
            "sum(of_k) / len(of_k) is its prototype.",
            "min(prototypes, key=lambda k: abs(query - prototypes[k]))",
        ),
        solution=(
            "prototypes = {}\n"
            "for k in set(labels):\n"
            "    of_k = [x for x, label in zip(support, labels) if label == k]\n"
            "    prototypes[k] = sum(of_k) / len(of_k)\n"
            "return min(prototypes, key=lambda k: abs(query - prototypes[k]))"
        ),
    ),
    Exercise(
        name="10.sure_and_wrong",
        ask="Use the pad above: draw something that is none of the five letters.",
        judge=of_lab(_read, _judge, has=("strokes", "distances", "answers")),
        right=Later(lambda: _pad(stroke=STAR)),
        mistakes=[
            (Later(lambda: _pad(stroke=[(0.5, 0.1), (0.5, 0.9)])), "nearer than"),
            (Later(lambda: _pad(letter="\u03b1")), "Draw one of your own"),
            (Later(lambda: _pad(2, STAR)), "run the cell of the pad again"),
        ],
        hints=(
            "A star, a spiral, a zigzag: what has many lines lies far from every letter.",
            "The bars share 1 among the five classes. Nothing is left for 'none of them'.",
            "Undo and draw another, until one bar is nearly full.",
        ),
        solution="A star of five points, for example: far from all five letters, and still one bar is nearly full.",
    ),
]
