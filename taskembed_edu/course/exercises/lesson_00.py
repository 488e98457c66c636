"""The exercises of lesson 00: two waves in the plane, the chance of a blind guess, and what limits recall@1."""

import math
from collections.abc import Mapping
from typing import Any

from taskembed_edu.course.exercise import RIGHT, Exercise, Later, Verdict, number, of_lab, wrong
from taskembed_edu.course.exercises.sessions import trained

_STEPS, _RECALL, _SPEARMAN = 200, 0.8, 0.8


def _read(session: Any) -> dict[str, float]:
    frame = [frame for frame in session.history if frame.step <= _STEPS][-1]
    found = {name: float(frame.diagnostics.get(name, 0.0)) for name in ("recall@1", "spearman")}
    waves = float(session.setup.family == "sinusoids")
    return {**found, "steps": float(frame.step), "all steps": float(session.steps), "waves": waves}


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["waves"]:
        return wrong("This lab has other tasks. Choose the sine waves again.")
    if found["all steps"] and not found["steps"]:
        return wrong(f"No picture was kept of the first {_STEPS} steps. Set Steps between pictures to 10, and Reset.")
    if not found["steps"]:
        return wrong("The lab has not been trained: press Play, or call lab.session.step(200).")
    reached = f"recall@1 {found['recall@1']:.2f} and Spearman {found['spearman']:.2f} at step {found['steps']:.0f}"
    if found["spearman"] < _SPEARMAN:
        return wrong(f"You have {reached}. Spearman must stay at {_SPEARMAN}: the order from near to far was lost.")
    if found["recall@1"] < _RECALL:
        return wrong(f"You have {reached}; {_RECALL} is asked of recall@1. What is it that the network lacks?")
    return Verdict("right", RIGHT.said, measured=f"You have {reached}.")


EXERCISES = [
    Exercise(
        name="00.opposite_waves",
        ask="Where do the two tasks lie in the plane?",
        judge=number(
            math.sqrt(18),
            {
                18.0: "This is the squared distance: take its square root.",
                3.0: "This is how long one of the two vectors is. The distance goes from one point to the other.",
                6.0: "You added the two differences. In the plane, Pythagoras holds: square, add, take the root.",
                0.0: "The two waves have the same amplitude, but not the same phase: they are different points.",
            },
            what="the distance as a number",
        ),
        right=math.sqrt(18),
        mistakes=[(18, "square root"), (3, "one point to the other"), (6, "Pythagoras"), (0, "phase")],
        hints=(
            "The wave A sin(x - phi) is the point (A cos(phi), A sin(phi)).",
            "cos(x) = sin(x + pi/2), so its phase phi is -pi/2.",
            "The points are (3, 0) and (0, -3). How far apart are they?",
        ),
        solution="The points are (3, 0) and (0, -3). Their distance is sqrt(3² + 3²) = sqrt(18), about 4.243.",
    ),
    Exercise(
        name="00.chance",
        ask="One of how many candidates is right?",
        judge=number(
            1 / 200,
            {
                1 / 199: "Nearly. The task's own first support set is among the candidates, so there are 200 of them.",
                0.5: "That is the chance between two candidates. Here are 200.",
                200.0: "That is how many candidates there are. What share of them is right?",
                5 / 200: "That is recall@5: the right one among five guesses. Recall@1 allows one guess.",
            },
            within=1e-6,
            what="a share between 0 and 1",
        ),
        right=1 / 200,
        mistakes=[(1 / 199, "200 of them"), (0.5, "two candidates"), (200, "What share"), (0.025, "one guess")],
        hints=(
            "A blind guess takes each candidate equally often.",
            "There are 200 candidates, and one of them is right.",
            "One divided by how many there are.",
        ),
        solution="One candidate of 200 is right, so 1/200 = 0.005.",
    ),
    Exercise(
        name="00.what_is_missing",
        ask="Which setting gives the network more to tell two tasks apart by?",
        judge=of_lab(_read, _judge, has=("history", "named_family"), embedder="metric", fewest=200),
        right=Later(lambda: trained(_STEPS, n_shot=64)),
        mistakes=[
            (Later(lambda: trained(0)), "not been trained"),
            (Later(lambda: trained(50)), "What is it that the network lacks?"),
            (Later(lambda: trained(100, metric="cosine")), "was lost"),
            (Later(lambda: trained(1, family="gaussians")), "other tasks"),
            (Later(lambda: trained(1, n_tasks=10)), "luck is enough"),
        ],
        hints=(
            "First try a larger learning rate. Is the network too slow, or does it lack something else?",
            "A support set holds 16 points here. Two waves may look alike in them.",
            "*Shots* says how many points a support set has. *Tasks in each step* helps too.",
        ),
        solution="Set Shots to 64, press Reset, and make 200 steps: with more points of each wave it is found again.",
    ),
]
