"""The exercises of lesson 09: macro-F1 by hand and as a function, how many tasks an interval needs, who is better."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, wrong

Labels = Sequence[int]


def _f1(labels: Labels, answers: Labels, one: int) -> float:
    both = sum(label == answer == one for label, answer in zip(labels, answers, strict=True))
    return 2 * both / (list(labels).count(one) + list(answers).count(one))


def macro_f1(labels: Labels, answers: Labels) -> float:
    """The mean of F1 over the classes that are there, or that were answered."""
    classes = {*labels, *answers}
    return sum(_f1(labels, answers, one) for one in classes) / len(classes)


def _accuracy(labels: Labels, answers: Labels) -> float:
    return sum(label == answer for label, answer in zip(labels, answers, strict=True)) / len(labels)


def _recall(labels: Labels, answers: Labels) -> float:
    classes = set(labels)
    found = [
        sum(a == b == one for a, b in zip(labels, answers, strict=True)) / list(labels).count(one) for one in classes
    ]
    return sum(found) / len(classes)


def _largest(labels: Labels, answers: Labels) -> float:
    return _f1(labels, answers, max(set(labels), key=list(labels).count))


def _sum(labels: Labels, answers: Labels) -> float:
    return sum(_f1(labels, answers, one) for one in {*labels, *answers})


# Spearman of the context embedder above that of the metric-based one: -0.06 at step 200, 0.03 at 400, 0.05 at 600.
_AHEAD, _LEFT, _RIGHT = 0.02, "metric", "context"
# What would make the metric-based embedder lose.
_ITS_OWN = ("loss", "metric", "margin", "learning_rate", "n_shot")


def _read(lab: Any) -> dict[str, float]:
    left, right = lab.sessions
    scores = [session.with_last_step().history[-1].diagnostics for session in (left, right)]
    changed = {name for session in (left, right) for event in session.events for name in event.changes}
    usual = type(left.settings)()
    own = [name for name in _ITS_OWN if getattr(left.settings, name) != getattr(usual, name)]
    return {
        "steps": float(min(left.steps, right.steps)),
        "both": float((left.embedder.name, right.embedder.name) == (_LEFT, _RIGHT)),
        "as it began": float(left.setup.family == "sinusoids" and not own and changed <= {"projection"}),
        **{f"left {name}": value for name, value in scores[0].items()},
        **{f"right {name}": value for name, value in scores[1].items()},
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["steps"]:
        return Verdict("open", "Use the panel above: Play, and compare recall@1 and Spearman of both.")
    if not found["both"]:
        return wrong(
            f"This is asked of the embedders {_LEFT} (left) and {_RIGHT} (right): run the cell of the lab again."
        )
    if not found["as it began"]:
        return wrong(
            "Settings were changed, so it is no longer a fair match: run the cell of the lab again, then Play."
        )
    ahead = found["right spearman"] - found["left spearman"]
    told = f"Spearman {found['left spearman']:.2f} and {found['right spearman']:.2f}, "
    told += f"recall@1 {found['left recall@1']:.2f} and {found['right recall@1']:.2f}."
    if ahead >= _AHEAD and found["left recall@1"] > found["right recall@1"]:
        return Verdict("right", "Now each is better by one score. Who is the better one is the wrong question.", told)
    return Verdict("wrong", f"The context's Spearman is to be ahead by {_AHEAD:g}. Give both more time.", told)


def _lab(steps: int, left: str = _LEFT, right: str = _RIGHT, **settings: Any) -> Any:
    from taskembed_edu.labs.evaluation import EvaluationLab

    lab = EvaluationLab(left, right, "sinusoids", seed=0, projection="pca", **settings)
    lab.step(steps)
    return lab


EXERCISES = [
    Exercise(
        name="09.macro_f1",
        ask="Class 0: 3 hits, 3 in truth, 4 answered. Class 1: none was found.",
        judge=number(
            3 / 7,
            {
                0.75: "That is the accuracy.",
                round(6 / 7, 6): "That is the F1 of class 0. Class 1 counts as much.",
                0.5: "That is the mean recall: F1 also asks how many answers were right.",
                round(3 / 4 * 6 / 7, 6): "You weighed the classes by their size. Macro means: each counts the same.",
            },
            within=2e-3,
        ),
        right=3 / 7,
        mistakes=[
            (0.75, "accuracy"),
            (6 / 7, "Class 1 counts"),
            (0.5, "mean recall"),
            (18 / 28, "each counts the same"),
        ],
        hints=(
            "F1 of a class: 2 hits / (how many there are + how many were answered).",
            "Class 0: 2 * 3 / (3 + 4). Class 1: 0.",
            "The mean of 6/7 and 0.",
        ),
        solution="(6/7 + 0) / 2 = 3/7 = 0.43, where the accuracy says 0.75.",
    ),
    Exercise(
        name="09.how_many",
        ask="The width falls with the square root of the number of tasks.",
        judge=number(
            400.0,
            {
                100.0: "Four times as many tasks make the interval half as wide, not a quarter.",
                50.0: "Twice as many tasks make it narrower by the square root of 2 only.",
                1600.0: "That gives 1 point.",
                200.0: "8 points / 2 points is 4, and its square is 16.",
            },
        ),
        right=400.0,
        mistakes=[(100, "half as wide"), (50, "square root of 2"), (1600, "1 point"), (200, "16")],
        hints=("It must become 4 times narrower.", "So 4 squared times as many tasks.", "16 times 25."),
        solution="400: 4 times narrower takes 16 times as many tasks.",
    ),
    Exercise(
        name="09.function",
        ask="For each class that is there or was answered: F1. Then the mean.",
        judge=function(
            macro_f1,
            cases=[
                ([0, 0, 1], [0, 1, 1]),
                ([0, 0, 0, 1], [0, 0, 0, 0]),
                ([0, 1, 2, 2, 2], [0, 2, 2, 2, 1]),
                ([1, 1, 2], [1, 2, 2]),
            ],
            mistakes=[
                (_accuracy, "That is the accuracy: the share of right answers."),
                (_recall, "That is the mean recall. F1 divides by (how many there are + how many were answered)."),
                (_largest, "That is the F1 of the largest class alone. Take the mean over classes."),
                (_sum, "You add the F1 of the classes. Take their mean."),
            ],
            arguments="labels, answers",
        ),
        right=macro_f1,
        mistakes=[
            (_accuracy, "accuracy"),
            (_recall, "mean recall"),
            (_largest, "largest class alone"),
            (_sum, "Take their mean"),
        ],
        hints=(
            "for one in {*labels, *answers}: count the hits, labels.count(one) and answers.count(one).",
            "2 * hits / (labels.count(one) + answers.count(one))",
            "The sum over classes, divided by the number of classes.",
        ),
        solution=(
            "classes = {*labels, *answers}\n"
            "hits = {one: sum(a == b == one for a, b in zip(labels, answers)) for one in classes}\n"
            "f1 = [2 * hits[one] / (labels.count(one) + answers.count(one)) for one in classes]\n"
            "return sum(f1) / len(f1)"
        ),
    ),
    Exercise(
        name="09.who_is_better",
        ask="Use the panel above. At step 200 the metric-based embedder is the better one by both scores.",
        judge=of_lab(_read, _judge, has=("sessions", "changed_neighbours")),
        right=Later(lambda: _lab(600)),
        mistakes=[
            (Later(lambda: _lab(10)), "more time"),
            (Later(lambda: _lab(10, right="summary")), "run the cell of the lab again"),
            (Later(lambda: _lab(10, left_settings={"margin": 0.0})), "no longer a fair match"),
        ],
        hints=(
            "One of the two learns more slowly.",
            "Play on, and watch the curves of Spearman.",
            "At step 600 it is plain.",
        ),
        solution="lab.step(600): Spearman about 0.90 and 0.95, recall@1 about 0.73 and 0.23.",
    ),
]
