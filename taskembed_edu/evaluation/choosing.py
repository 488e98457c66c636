"""Which embedder? An answer computed from a leaderboard, with the row that it rests on.

    print(advise(board, "sinusoids", "solve"))
    print(advise(board, "sinusoids, 5 shots", "solve", needs_model=True, most_ms=0.1))

The document says that the choice depends on the task and the data. Here what matters is asked for, each need leaves
some embedders out, and the scores of those that are left decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from taskembed_edu.base.checks import check_choice, check_number, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.benchmark import Summary, shown, smaller_is_better

# What an embedding may be wanted for: in words, and the scores that say how good it is at that (the first that exists).
PURPOSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "find": ("to find a task again", ("recall@1",)),
    "compare": ("to see which tasks are alike", ("spearman", "purity")),
    "read": ("to read a task's properties off its vector", ("linear probe",)),
    "solve": ("to solve a new task from its neighbour's network", ("transfer loss, 20 steps",)),
}

_MS = "ms an embedding"

Scores = Mapping[str, Summary]


@dataclass(frozen=True)
class Advice:
    """The embedder to take, and why.

    `evidence` is its row of the leaderboard, `score` the column that decided. `rivals` are as good within the spread
    over seeds, and cost more for each task. `left_out` says of each other embedder which need it does not meet, or how
    far it is behind.
    """

    tasks: str
    purpose: str
    choice: str
    score: str
    evidence: Scores
    rivals: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        row = ", ".join(f"{name} {shown(value)}" for name, value in self.evidence.items() if name in (self.score, _MS))
        seeds = self.evidence[self.score][2]
        lines = [
            f"On {self.tasks}, {PURPOSES[self.purpose][0]}: {self.choice}",
            f"  evidence: {row} ({seeds} seed{'s' if seeds > 1 else ''})",
        ]
        if self.rivals:
            lines.append(f"  as good, but dearer for each task: {', '.join(self.rivals)}")
        lines += [f"  not {name}: {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines)


@short_errors
def advise(
    board: Mapping[str, Mapping[str, Scores]],
    tasks: str,
    purpose: str,
    *,
    needs_model: bool = False,
    most_ms: float = math.inf,
    most_numbers: float = math.inf,
) -> Advice:
    """The embedder for these needs, by a leaderboard (`evaluation.benchmark.leaderboard`).

    `tasks` names the leaderboard's table: the family, and how much data a task has ("sinusoids, 5 shots"). `purpose`:
    "find" a task again, "compare" tasks, "read" their properties, "solve" new ones. `needs_model`: each vector must be
    a model that answers its task. `most_ms`: how long a new task may take, where new tasks come often. `most_numbers`:
    how long its vector may be. Of those that meet the needs the best is sought; embedders whose means differ by less
    than the larger of both spreads count as equally good, and then the quicker one is taken.

    Errors: ValueError for an unknown name, for needs that no embedder meets (it says what each lacks), or a board
    without this score. Worked number: 0.20 ±0.06 at 1 ms and 0.25 ±0.02 at 0.1 ms are alike: the second is taken.
    """
    if not isinstance(board, Mapping) or not board:
        raise ValueError(problem("board", board, "a leaderboard of at least one table", "kept_leaderboard() is one."))
    for name, most in (("most_ms", most_ms), ("most_numbers", most_numbers)):
        if most != math.inf:
            check_number(name, most, 0, None)
    by = board[check_choice("tasks", tasks, board)]
    _words, wanted = PURPOSES[check_choice("purpose", purpose, PURPOSES)]
    score = next((name for name in wanted if any(name in scores for scores in by.values())), None)
    if score is None:
        cause = "No score of it was measured."
        raise ValueError(problem("purpose", purpose, f"one that {tasks} can be judged by", cause))
    lacking = {name: _lacking(name, scores, score, needs_model, most_ms, most_numbers) for name, scores in by.items()}
    left_out = {name: reason for name, reason in lacking.items() if reason}
    eligible = {name: scores for name, scores in by.items() if not lacking[name]}
    if not eligible:
        said = "; ".join(f"{name} {reason}" for name, reason in left_out.items())
        raise ValueError(problem("needs", "needs that no embedder meets", "fewer", f"{said}."))
    return _best(tasks, purpose, score, eligible, left_out)


def _lacking(name: str, scores: Scores, score: str, needs_model: bool, most_ms: float, most_numbers: float) -> str:
    """Which need this embedder does not meet; "" if it meets all."""
    if score not in scores or not math.isfinite(scores[score][0]):
        return f"has no {score} here"
    if needs_model and not (name in EMBEDDERS and EMBEDDERS[name].makes_models):
        return "gives a vector, and no model"
    if scores[_MS][0] > most_ms:
        return f"takes {scores[_MS][0]:.3g} ms a task"
    if scores["numbers"][0] > most_numbers:
        return f"needs {scores['numbers'][0]:,.0f} numbers a task"
    return ""


def _best(tasks: str, purpose: str, score: str, eligible: Mapping[str, Scores], left_out: Mapping[str, str]) -> Advice:
    sign = 1 if smaller_is_better(score) else -1
    # Of those that share the best mean the surest one, so that the answer does not hang on the order of the board.
    first = min((scores[score] for scores in eligible.values()), key=lambda found: (sign * found[0], found[1]))
    alike = [name for name, scores in eligible.items() if _alike(scores[score], first)]
    choice, *rivals = sorted(alike, key=lambda name: eligible[name][_MS][0])
    behind = {name: f"{score} {shown(eligible[name][score])}" for name in eligible if name not in alike}
    return Advice(tasks, purpose, choice, score, eligible[choice], tuple(rivals), {**behind, **left_out})


def _alike(one: Summary, other: Summary) -> bool:
    """Whether the means are no further apart than the larger spread."""
    return abs(one[0] - other[0]) <= max(one[1], other[1])
