"""The exercises of lesson 06: the length of a task vector, its symmetries, purity, and a report to be read."""

import math
from collections.abc import Sequence

from taskembed_edu.course.exercise import Exercise, function, number, word

Distances = Sequence[Sequence[float]]


def undo(order: Sequence[int]) -> list[int]:
    """The order that undoes an order."""
    return [list(order).index(k) for k in range(len(order))]


def _reversed(order: Sequence[int]) -> list[int]:
    return list(order)[::-1]


def _the_same(order: Sequence[int]) -> list[int]:
    return list(order)


def _sorted(order: Sequence[int]) -> list[int]:
    return sorted(order)


def purity(distances: Distances, groups: Sequence[int]) -> float:
    """Of the tasks that have another of their group, the share whose nearest task is of their group."""
    return _purity(distances, groups, lonely=False, itself=False)


def _purity(distances: Distances, groups: Sequence[int], lonely: bool, itself: bool) -> float:
    found = []
    for i, group in enumerate(groups):
        if lonely or list(groups).count(group) > 1:
            others = [j for j in range(len(groups)) if itself or j != i]
            found.append(groups[min(others, key=lambda j: distances[i][j])] == group)
    return sum(found) / len(found)


def _with_the_lonely(distances: Distances, groups: Sequence[int]) -> float:
    return _purity(distances, groups, lonely=True, itself=False)


def _with_itself(distances: Distances, groups: Sequence[int]) -> float:
    return _purity(distances, groups, lonely=False, itself=True)


def _counted(distances: Distances, groups: Sequence[int]) -> float:
    return purity(distances, groups) * sum(list(groups).count(group) > 1 for group in groups)


def _farthest(distances: Distances, groups: Sequence[int]) -> float:
    return purity([[-d for d in row] for row in distances], groups)


_LINE = [0.0, 1.0, 3.0, 9.0, 9.5, 2.1]
_BETWEEN = [[abs(a - b) for b in _LINE] for a in _LINE]

EXERCISES = [
    Exercise(
        name="06.numbers",
        ask="Weights in, biases, weights out, one bias.",
        judge=number(
            49,
            {
                32.0: "These are the weights. Each hidden unit has a bias too, and so has the output.",
                48.0: "The bias of the output is missing.",
                33.0: "The 16 biases of the hidden units are missing.",
                305.0: "This network has one hidden layer: nothing leads from 16 units to 16 units.",
            },
            within=1e-6,
        ),
        right=49,
        mistakes=[(32, "bias"), (48, "output"), (33, "hidden units"), (305, "one hidden layer")],
        hints=(
            "From one input to 16 units: 16 weights.",
            "Each of the 16 units has a bias.",
            "From 16 units to one output: 16 weights and one bias.",
        ),
        solution="16 + 16 + 16 + 1 = 49.",
    ),
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
        name="06.purity",
        ask="For each task with a mate: is the nearest other task of its group?",
        judge=function(
            purity,
            cases=[
                (_BETWEEN, [0, 0, 1, 2, 2, 1]),
                (_BETWEEN, [0, 1, 2, 3, 0, 1]),
                (_BETWEEN, [0, 0, 0, 1, 2, 3]),
            ],
            mistakes=[
                (_with_the_lonely, "Leave out tasks that have no mate: they could never be right."),
                (_with_itself, "Each task is its own nearest: leave it out."),
                (_counted, "You give how many. Divide by how many tasks have a mate."),
                (_farthest, "You take the farthest task. Take the nearest."),
            ],
            arguments="distances, groups",
        ),
        right=purity,
        mistakes=[
            (_with_the_lonely, "no mate"),
            (_with_itself, "its own nearest"),
            (_counted, "Divide"),
            (_farthest, "farthest"),
        ],
        hints=(
            "A task has a mate if groups.count(groups[i]) > 1.",
            "Its nearest: min((j for j in range(len(groups)) if j != i), key=lambda j: distances[i][j])",
            "Collect whether groups[nearest] == groups[i], and take the mean.",
        ),
        solution=(
            "found = []\nfor i in range(len(groups)):\n    if groups.count(groups[i]) > 1:\n"
            "        nearest = min((j for j in range(len(groups)) if j != i), key=lambda j: distances[i][j])\n"
            "        found.append(groups[nearest] == groups[i])\nreturn sum(found) / len(found)"
        ),
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
]
