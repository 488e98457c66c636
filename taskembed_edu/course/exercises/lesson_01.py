"""The exercises of lesson 01: Manhattan, a right angle, a detour in squares, and distances that do not agree."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import RIGHT, Exercise, Later, Verdict, as_number, number, of_lab, wrong


def _entries(answer: Any) -> tuple[float, float] | str:
    """The two finite numbers of a vector, or the sentence that says why it is none."""
    entries = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) != 2:
        return "Give a vector of two numbers, such as [1, 1]."
    numbers = [as_number(entry) for entry in entries]
    if isinstance(numbers[0], str) or isinstance(numbers[1], str):
        return f"Give a vector of two numbers. {next(each for each in numbers if isinstance(each, str))}"
    return numbers[0], numbers[1]


def _right_angle(answer: Any) -> Verdict:
    entries = _entries(answer)
    if isinstance(entries, str):
        return wrong(entries)
    x, y = entries
    length = math.hypot(x, y)
    if length == 0:
        return wrong("The zero vector has no direction, so it has no angle.")
    cosine, as_long = (3 * x + y) / (length * math.hypot(3, 1)), abs(length - math.hypot(3, 1)) < 1e-6
    if abs(cosine) < 1e-6:
        return (
            RIGHT if as_long else wrong(f"The angle is right, but it is {length:.3g} long, not {math.hypot(3, 1):.3g}.")
        )
    if abs(cosine - 1) < 1e-6:
        return wrong("It points the same way: its cosine distance is 0.")
    if abs(cosine + 1) < 1e-6:
        return wrong("It points the opposite way: its cosine distance is 2, not 1.")
    return wrong(f"Its cosine distance from [3, 1] is {1 - cosine:.6g}{', though it is as long' if as_long else ''}.")


def _stop(answer: Any) -> Verdict:
    y = as_number(answer)
    if isinstance(y, str):
        return wrong(f"{y} Give the number y.")
    by_way = y**2 + (10 - y) ** 2
    if by_way <= 50 + 1e-9:
        return RIGHT
    if y in (0, 10):
        return wrong("That is no stop on the way: the detour is then as long as the way itself, 100.")
    if not 0 < y < 10:
        return wrong(f"{y:g} does not lie between 0 and 10, so by way of it is longer: {by_way:g}.")
    return wrong(f"By way of {y:g} it is {by_way:g}, and you want at most 50.")


_JUDGES = ("euclidean", "manhattan", "cosine")


def _read(lab: Any) -> dict[str, float]:
    """How much farther than y the vector z is from x, by each of three distances: below 0, z is the nearer one."""
    by = {metric: lab.triangle(metric) for metric in _JUDGES}
    return {metric: triangle.direct - triangle.first for metric, triangle in by.items()}


def _disagree(found: Mapping[str, float]) -> Verdict:
    if any(math.isnan(value) for value in found.values()):
        return wrong("One of the vectors is zero: it has no direction, and so no cosine.")
    if all(abs(value) < 1e-9 for value in found.values()):
        return wrong("Here y and z are equally far by every distance. Move one of them.")
    ties = [metric for metric, value in found.items() if abs(value) < 1e-9]
    if ties:
        return wrong(f"By the {ties[0]} distance y and z are equally far from x: neither is nearer. Move one of them.")
    nearer = {metric: "y" if value > 0 else "z" for metric, value in found.items()}
    said = ", ".join(f"{metric} says {name}" for metric, name in nearer.items())
    if len(set(nearer.values())) == 1:
        return wrong(f"All three agree that {nearer['cosine']} is nearer to x.")
    if nearer["euclidean"] == nearer["manhattan"]:
        return wrong(f"Only the cosine disagrees ({said}). Now part the Euclidean and the Manhattan distance.")
    if (nearer["euclidean"], nearer["cosine"]) != ("y", "z"):
        return wrong(f"Not the parties that are asked for: {said}.")
    return RIGHT


def _lab(x: Sequence[float], y: Sequence[float], z: Sequence[float]) -> Any:
    from taskembed_edu.labs.distance import DistanceLab  # torch comes with it

    return DistanceLab(x=x, y=y, z=z)


EXERCISES = [
    Exercise(
        name="01.manhattan",
        ask="How large is each of the three differences?",
        judge=number(
            9,
            {
                27.0: "You squared the differences. Manhattan adds them as they are.",
                math.sqrt(
                    27
                ): "This is the Euclidean distance. Manhattan adds the differences without squares and roots.",
                3.0: "This is one difference (or their mean). Add all three.",
                -9.0: "A distance is never negative: take each difference without its sign.",
            },
        ),
        right=9,
        mistakes=[(27, "squared"), (math.sqrt(27), "Euclidean"), (3, "all three"), (-9, "never negative")],
        hints=(
            "Manhattan distance: how far one walks along the streets.",
            "Take the three differences, each without its sign.",
            "They are 3, 3 and 3.",
        ),
        solution="Each entry differs by 3, and 3 + 3 + 3 = 9.",
    ),
    Exercise(
        name="01.right_angle",
        ask="Which angle has cosine 0?",
        judge=_right_angle,
        right=[-1, 3],
        mistakes=[
            ([3, 1], "same way"),
            ([-3, -1], "opposite way"),
            ([-2, 6], "long"),
            ([1, 3], "cosine distance from"),
            ([0, 0], "no direction"),
        ],
        hints=(
            "A cosine distance of 1 means a cosine of 0.",
            "The cosine is 0 where the dot product 3x + 1y is 0.",
            "Turn [3, 1] by a quarter: exchange the two numbers, and change the sign of one.",
        ),
        solution="A quarter turn: [-1, 3] or [1, -3]. The dot product 3·(-1) + 1·3 is 0, and the length stays.",
    ),
    Exercise(
        name="01.detour",
        ask="From 0 to 10 is 100 in squares. Where would you stop on the way?",
        judge=_stop,
        right=5,
        mistakes=[(0, "no stop"), (2, "at most 50"), (-5, "between 0 and 10"), ("5", "quotation marks")],
        hints=(
            "By way of y it is y² + (10 - y)².",
            "Try y = 2 and y = 4: which is shorter?",
            "The sum is smallest where both parts are equally long.",
        ),
        solution="Only y = 5: 25 + 25 = 50. In general y² + (10 - y)² = 50 + 2(y - 5)².",
    ),
    Exercise(
        name="01.who_is_nearer",
        ask="Place the three vectors with the panel: the distances are to name different neighbours of x.",
        judge=of_lab(_read, _disagree, has=("triangle", "distances")),
        right=Later(lambda: _lab([1, 1], [3, -1], [4, 1])),
        mistakes=[
            (Later(lambda: _lab([3, 1], [1, 2.5], [-1, 4])), "All three agree"),
            (Later(lambda: _lab([1, 1], [1, 2], [4, 4])), "Only the cosine"),
            (Later(lambda: _lab([1, 1], [3, 3], [4, 1])), "Not the parties"),
            (Later(lambda: _lab([1, 1], [3, 2], [3, 2])), "equally far"),
            (Later(lambda: _lab([1, 1], [0, 0], [3, 2])), "no direction"),
            (Later(lambda: _lab([1, 1], [2.5, -0.5], [4, 1])), "By the manhattan distance"),
        ],
        hints=(
            "Manhattan walks along the axes: a way straight along one axis is no longer for it than for a bird.",
            "Let z lie straight along an axis from x, and y on a diagonal. Then compare 3 with 2 + 2.",
            "The diagonal may go to the side on which the angle at the origin grows.",
        ),
        solution="x = [1, 1], y = [3, -1], z = [4, 1]: Euclidean 2.83 and 3, Manhattan 4 and 3, y's angle is wider.",
    ),
]
