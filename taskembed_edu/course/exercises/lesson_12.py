"""The exercises of lesson 12: runs of letters, which languages choose a rate, whole words, a map from few words."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, word, wrong

Words = Sequence[str]


def words_right(spelt: Words, truth: Words) -> float:
    """The share of words that are right from the first letter to the last."""
    return sum(mine == right for mine, right in zip(spelt, truth, strict=True)) / len(truth)


def _count(spelt: Words, truth: Words) -> float:
    return sum(mine == right for mine, right in zip(spelt, truth, strict=True))


def _letters(spelt: Words, truth: Words) -> float:
    hits = sum(a == b for mine, right in zip(spelt, truth, strict=True) for a, b in zip(mine, right, strict=False))
    return hits / sum(map(len, truth))


def _lengths(spelt: Words, truth: Words) -> float:
    return sum(len(mine) == len(right) for mine, right in zip(spelt, truth, strict=True)) / len(truth)


def _wherever(spelt: Words, truth: Words) -> float:
    return sum(mine in truth for mine in spelt) / len(truth)


# From two numbers of each language the purity is 0.85 at step 20 and 0.82 at step 100 (seed 0).
_ASKED, _MOST_NUMBERS, _FEWEST_STEPS = 0.75, 3, 20


def _read(session: Any) -> dict[str, float]:
    scores, settings, sets = session.frame.diagnostics, session.settings, session.setup
    return {
        "steps": float(session.steps),
        "languages": float(sets.family == "number_words" and "purity" in scores),
        "shared": float(getattr(settings, "start", "") == "shared"),
        "weights": float(getattr(settings, "vector", "") == "weights"),
        "numbers": float(getattr(settings, "n_shot", 0)),
        "purity": scores.get("purity", 0.0),
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["steps"]:
        return Verdict("open", "Use the panel above: fewer Shots, Reset, Play, and look at the purity.")
    if not found["languages"]:
        return wrong("These are not the number words. Run the cell of the lab again.")
    if not (found["shared"] and found["weights"]):
        return wrong("Keep one start for all, and weights as the vector: only the number of words is to change.")
    if not 0 < found["numbers"] <= _MOST_NUMBERS:
        return wrong(f"At most {_MOST_NUMBERS:.0f} numbers of each language. Lower Shots, and press Reset.")
    if found["steps"] < _FEWEST_STEPS:
        return wrong(f"The networks have hardly moved: let them train for {_FEWEST_STEPS} steps at least.")
    told = f"Purity {found['purity']:.2f} from {found['numbers']:.0f} numbers."
    if found["purity"] >= _ASKED:
        return Verdict("right", "So few words, and relatives find each other: the numbers are the same for all.", told)
    return Verdict("wrong", f"A purity of {_ASKED:g} is asked for. Some steps more, or one number more.", told)


def _lab(steps: int, **settings: Any) -> Any:
    from taskembed_edu.labs.parameter import ParameterLab

    lab = ParameterLab("number_words", seed=0, projection="pca", **settings)
    lab.session.step(steps)
    return lab


EXERCISES = [
    Exercise(
        name="12.runs",
        ask="A name of six letters, and its two ends: all runs of one to four letters.",
        judge=number(
            24.0,
            {
                18.0: "Its ends are marked too: from two letters on there are two places more.",
                26.0: "The marks themselves are no runs of one letter.",
                6.0: "Those are the runs of one letter only.",
                28.0: "A run of four begins at five places: 8 - 4 + 1.",
            },
        ),
        right=24.0,
        mistakes=[(18, "ends are marked"), (26, "no runs of one letter"), (6, "one letter only")],
        hints=(
            "With its ends the name has 8 places.",
            "Runs of n letters in 8 places: 8 - n + 1. Of one letter only the name's own count.",
            "6 + 7 + 6 + 5",
        ),
        solution="6 + 7 + 6 + 5 = 24.",
    ),
    Exercise(
        name="12.who_chooses",
        ask="Which languages choose a start's rate?",
        judge=word(
            "validation",
            {
                "training": "On these a trained start is good at any small rate: it has seen them.",
                "never seen": "Then they would have chosen what they are to judge, and the result is too good.",
                "all": "Then those that judge in the end have chosen too.",
            },
        ),
        right="validation",
        mistakes=[("training", "has seen them"), ("never seen", "too good"), ("all", "chosen too")],
        hints=(
            "Those that judge in the end must not choose.",
            "A trained start has seen those of training.",
            "There is a third part.",
        ),
        solution="validation: languages that neither trained the start nor judge it.",
    ),
    Exercise(
        name="12.words_right",
        ask="Two lists of words: which share is right in all letters?",
        judge=function(
            words_right,
            cases=[
                (["due", "tre"], ["due", "sei"]),
                (["uno", "dua", "tre", "otto"], ["uno", "due", "tre", "nove"]),
                (["sei", "sette", "nove"], ["sette", "sei", "dieci"]),
            ],
            mistakes=[
                (_count, "That is how many. Divide by the number of words."),
                (_letters, "That is the share of letters. A word with one wrong letter is wrong."),
                (_lengths, "You compare lengths. Compare the words."),
                (_wherever, "A word has to stand at its own place: compare pair by pair."),
            ],
            arguments="spelt, truth",
        ),
        right=words_right,
        mistakes=[
            (_count, "Divide"),
            (_letters, "share of letters"),
            (_lengths, "compare lengths"),
            (_wherever, "pair by pair"),
        ],
        hints=("zip(spelt, truth) gives pairs.", "Count the pairs that are equal.", "Divide by len(truth)."),
        solution="return sum(mine == right for mine, right in zip(spelt, truth)) / len(truth)",
    ),
    Exercise(
        name="12.few_words",
        ask="Use the panel above. Ten numbers of each language are known: how few are enough for a map?",
        judge=of_lab(_read, _judge, embedder="parameters", fewest=30),
        right=Later(lambda: _lab(40, n_shot=2)),
        mistakes=[
            (Later(lambda: _lab(30, n_shot=10)), "Lower Shots"),
            (Later(lambda: _lab(5, n_shot=2)), "hardly moved"),
            (Later(lambda: _lab(20, n_shot=2, start="own")), "one start for all"),
        ],
        hints=("Shots is how many numbers of each language there are.", "Reset begins with fewer.", "Try 3, then 2."),
        solution="lab.reset(n_shot=2); lab.step(40): a purity of about 0.85 from two numbers.",
    ),
]
