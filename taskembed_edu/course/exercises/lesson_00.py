"""The exercises of lesson 00: two waves in the plane, and the chance of a blind guess."""

import math

from taskembed_edu.course.exercise import Exercise, number

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
]
