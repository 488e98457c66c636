"""The grid of embedders, families and seeds, on all cores: what is missing in a file of results is made, and kept."""

from __future__ import annotations

import math
import statistics
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from joblib import Parallel, delayed  # type: ignore[import-untyped]
from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.embedders import EMBEDDERS, task_embedder
from taskembed_edu.evaluation.results import Cell, Outcome, ResultsFile
from taskembed_edu.evaluation.scorecard import NEAREST, RANDOM, evaluate
from taskembed_edu.tasks import at_hand, task_family

# A worker that was killed takes the cells in its hands with it: they are tried so often in all.
ATTEMPTS = 3

# The mean over seeds, the standard deviation, and how many seeds there were.
Summary = tuple[float, float, int]
# Makes the outcomes of some cells, in any order.
Pool = Callable[[Sequence[Cell]], Iterable[Outcome]]


def grid(
    embedders: Iterable[str] = EMBEDDERS,
    families: Iterable[str] | None = None,
    seeds: int = 3,
    steps: int = 300,
    shots: Iterable[int] = (0,),
) -> list[Cell]:
    """The cells of an embedder and a family that go together, for each number of shots (0: as the tasks come).

    As many shots as a family's tasks come with are the same cell as 0. `families`: by default those that need nothing
    which has to be fetched first.

    Errors: ValueError for an unknown name, no seed, fewer than 0 steps or shots, or where none go together.
    """
    shots = [int(check_whole("shots", n_shot, 0, None)) for n_shot in dict.fromkeys(shots)]
    check_whole("seeds", seeds, 1, None, "Each seed is a run of its own: 0, 1, and so on.")
    check_whole("steps", steps, 0, None)
    embedders, families = dict.fromkeys(embedders), dict.fromkeys(at_hand() if families is None else families)
    pairs = [
        (embedder, family)
        for family in families
        for embedder in embedders
        if task_embedder(embedder).takes(task_family(family))
    ]
    if not pairs:
        asked = f"{', '.join(embedders)} on {', '.join(families)}"
        raise ValueError(problem("grid", asked, "an embedder that can read a family", "Sets and sequences differ."))
    usual = {family: task_family(family).default_shot for family in families}
    return list(
        dict.fromkeys(
            Cell(embedder, family, seed, steps, 0 if n_shot == usual[family] else n_shot)
            for seed in range(seeds)
            for n_shot in shots
            for embedder, family in pairs
        )
    )


def run_cell(cell: Cell) -> Outcome:
    """Make one scorecard. What goes wrong is a part of the outcome, so that the others go on."""
    begun = time.perf_counter()
    try:
        settings = task_embedder(cell.embedder).settings_class(**{"n_shot": cell.n_shot} if cell.n_shot else {})
        card = evaluate(cell.embedder, cell.family, steps=cell.steps, settings=settings, seed=cell.seed)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" (line {last[0].lineno} of {last[0].filename})" if last else ""
        reason = f"{type(error).__name__}: {error}{where}"
        return Outcome(cell, {}, time.perf_counter() - begun, reason)
    scores = {**card.scores, "ms an embedding": 1e3 * card.seconds, "numbers": float(card.numbers)}
    if card.transfer is not None:
        for step in card.transfer.steps:
            scores[f"transfer loss, {step} steps"] = card.transfer.mean(NEAREST, "loss", step)
            scores[f"random start, {step} steps"] = card.transfer.mean(RANDOM, "loss", step)
    return Outcome(cell, scores, time.perf_counter() - begun)


def on_this_machine(jobs: int = -1) -> Pool:
    """The cells on this machine's cores: `jobs` processes, -1 for one a core. Each computes with one thread.

    Errors: ValueError for 0 processes.
    """
    if check_whole("jobs", jobs, None, None) == 0:
        raise ValueError(problem("jobs", "0", "how many processes", "-1 takes one a core."))

    def pool(cells: Sequence[Cell]) -> Iterator[Outcome]:
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered", inner_max_num_threads=1, backend="loky")(
            delayed(run_cell)(cell) for cell in cells
        )

    return pool


def run_missing(
    cells: Sequence[Cell], results: ResultsFile, pool: Pool, told: Callable[[Outcome, int, int], None] | None = None
) -> int:
    """Make what is missing, and keep each outcome at once. `told(outcome, done, of)` hears of each.

    A worker that dies takes only the cells in its hands with it; these are begun again, up to `ATTEMPTS` times.
    Returns how many cells are still without a scorecard. Errors: ValueError where another run holds the file.
    """
    with results.writing():
        waiting = results.missing(cells)
        total, heard = len(waiting), set[Cell]()
        for _ in range(ATTEMPTS):
            left = [cell for cell in waiting if cell not in heard]
            if not left:
                break
            try:
                for outcome in pool(left):
                    heard.add(outcome.cell)
                    results.add(outcome)
                    if told is not None:
                        told(outcome, len(heard), total)
            except TerminatedWorkerError:
                continue
        for cell in (cell for cell in waiting if cell not in heard):
            results.add(Outcome(cell, {}, math.nan, f"its process died {ATTEMPTS} times: out of memory, or ended"))
        return len(results.missing(cells))


# ---- the leaderboard -------------------------------------------------------------------------------------------------

# Of these the smaller is the better; of all others the larger.
_SMALLER = ("transfer loss", "random start", "ms an embedding", "numbers")


def smaller_is_better(score: str) -> bool:
    """Whether a leaderboard's score is a loss, a time or a size.

    >>> smaller_is_better("transfer loss, 0 steps"), smaller_is_better("recall@1")
    (True, False)
    """
    return score.startswith(_SMALLER)


def leaderboard(outcomes: Iterable[Outcome]) -> dict[str, dict[str, dict[str, Summary]]]:
    """By family, embedder and score: the mean over seeds, the standard deviation, and how many seeds there were.

    A family whose support sets were made smaller stands for itself: "sinusoids, 5 shots".

    Errors: ValueError for outcomes after different numbers of steps: their mean would be of neither.
    """
    outcomes = list(outcomes)
    if len(steps := sorted({outcome.cell.steps for outcome in outcomes})) > 1:
        came = f"outcomes after {', '.join(map(str, steps))} steps"
        raise ValueError(problem("outcomes", came, "one number of steps", "Choose those of one: outcome.cell.steps."))
    found: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for outcome in outcomes:
        if not outcome.reason:
            for score, value in outcome.scores.items():
                found[_tasks(outcome.cell)][outcome.cell.embedder][score].append(value)
    return {
        family: {
            embedder: {score: _summary(values) for score, values in scores.items()} for embedder, scores in by.items()
        }
        for family, by in found.items()
    }


def _tasks(cell: Cell) -> str:
    return cell.family if cell.n_shot == 0 else f"{cell.family}, {cell.n_shot} shots"


def _summary(values: Sequence[float]) -> Summary:
    if not all(map(math.isfinite, values)):  # a transfer that diverged: of its spread there is nothing to say
        return sum(values), math.nan, len(values)
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values)


SHOWN = (
    "recall@1",
    "spearman",
    "purity",
    "neighbours kept",
    "linear probe",
    "transfer loss, 0 steps",
    "transfer loss, 20 steps",
    "ms an embedding",
)


def columns_of(by: Mapping[str, Mapping[str, Summary]]) -> list[str]:
    """The scores that a family's table shows: those of `SHOWN` that some embedder has."""
    return [score for score in SHOWN if any(score in scores for scores in by.values())]


def shown(summary: Summary | None) -> str:
    """A mean and its spread as a table shows them; empty for a score that is absent.

    >>> shown((0.6254, 0.1768, 2))
    '0.625 ±0.18'
    """
    return "" if summary is None else f"{summary[0]:.3g} ±{summary[1]:.2g}"


def markdown(board: Mapping[str, Mapping[str, Mapping[str, Summary]]]) -> str:
    """The leaderboard as tables in Markdown, one a family; the best of a column is bold, the spread stands behind."""
    parts = []
    for family, by in board.items():
        columns = columns_of(by)
        lines = [f"### {family}", "", f"| embedder | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
        best = {score: _best(score, by) for score in columns}
        for embedder, scores in by.items():
            cells = [_cell(scores.get(score), best[score]) for score in columns]
            lines.append(f"| {embedder} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _best(score: str, by: Mapping[str, Mapping[str, Summary]]) -> float:
    means = [scores[score][0] for scores in by.values() if score in scores and math.isfinite(scores[score][0])]
    if not means:
        return math.nan
    return min(means) if smaller_is_better(score) else max(means)


def _cell(summary: Summary | None, best: float) -> str:
    text = shown(summary)
    if summary is None or summary[0] != best:
        return text
    mean, _space, spread = text.partition(" ")
    return f"**{mean}** {spread}"
