"""Scorecards of the two embedders of a page: the job that makes them, and what the page is told of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.base.checks import problem
from taskembed_edu.evaluation.card_rows import MEASURES, CardRow, as_shown, better_of, row_of, rows_of_card
from taskembed_edu.evaluation.scorecard import NEAREST, RANDOM, Scorecard
from taskembed_edu.evaluation.transfer import Transfer
from taskembed_edu.live.numbers import rounded
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import Judged, run_names, scorecards

# Below this, chance alone would seldom part two starts so far: only then one of them is called better.
_SELDOM = 0.05


class JudgingCancelledError(Exception):
    """The learner does not want to wait for the scorecards."""


class Judging:
    """The job: `judge(sessions)` on the player's worker, and `cancel()` from any thread while it runs."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the job that runs, at its next part; without one nothing happens."""
        self._cancelled.set()

    def judge(self, sessions: Sequence[Session]) -> Judged:
        """Scorecards of these sessions as they are. Errors: `JudgingCancelledError`; as `scorecards`."""
        self._cancelled.clear()
        return scorecards(sessions, cancelled=self._check)

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise JudgingCancelledError


def scorecards_packet(judged: Judged, sessions: Sequence[Session]) -> dict[str, Any]:
    """The scorecards as the page shows them: a row for each number, a column for each embedder, the better one marked.

    A number that one of them lacks is None, and a row that both lack is absent. `transfer` is None where no network of
    the package learns such tasks.
    """
    if len(judged.cards) != len(sessions):
        raise ValueError(problem("judged", f"{len(judged.cards)} cards", f"one for each of {len(sessions)} runs"))
    family = sessions[0].split.unseen.label
    return {
        "names": list(run_names(sessions)),
        "steps": list(judged.steps),
        "about": f"{judged.cards[0].n_tasks} tasks never seen ({family})",
        "rows": _rows([rows_of_card(card) for card in judged.cards]),
        "transfer": _transfer(judged.cards, run_names(sessions)),
    }


def _rows(cards: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for card in cards for name in card)
    return [
        _row(name, row_of(name), [rounded(card[name]) if name in card else None for card in cards]) for name in names
    ]


def _row(name: str, declared: CardRow, values: Sequence[float | None]) -> dict[str, Any]:
    better = better_of(declared.better, values[0], values[1])
    told = {"name": name, "label": declared.label, "help": declared.help, "better": better}
    return {**told, "values": list(values), "texts": list(map(as_shown, values))}


def _transfer(cards: Sequence[Scorecard], names: Sequence[str]) -> dict[str, Any] | None:
    """The measures of the query sets after each number of steps, from three starts; see `_measure`."""
    solved = [card.transfer for card in cards]
    first, second = solved
    if first is None or second is None:
        return None
    starts = [(names[0], first, NEAREST), (names[1], second, NEAREST), ("Random start", first, RANDOM)]
    return {
        "steps": list(first.steps),
        "n": int(first.of(NEAREST, "loss").shape[1]),
        "starts": [name for name, _found, _solver in starts],
        "measures": [_measure(measure, starts) for measure in first.measured[NEAREST]],
    }


def _measure(measure: str, starts: Sequence[tuple[str, Transfer, str]]) -> dict[str, Any]:
    """One measure: of each start the means and the ends of their intervals; for each step the better embedder, or None.

    Both solve the same tasks, so the better one is named only where chance alone would seldom part them (Wilcoxon).
    """
    declared, steps = MEASURES[measure], starts[0][1].steps
    means = [[found.mean(solver, measure, step) for step in steps] for _name, found, solver in starts]
    ends = [[found.interval(solver, measure, step) for step in steps] for _name, found, solver in starts]
    pair = Transfer(steps, {name: found.measured[solver] for name, found, solver in starts[:2]})
    one, other = pair.measured
    better = [
        better_of(declared.better, means[0][k], means[1][k])
        if pair.p_value(one, other, measure, step) < _SELDOM
        else None
        for k, step in enumerate(steps)
    ]
    return {
        "name": measure,
        "label": declared.label,
        "help": declared.help,
        "means": [list(map(rounded, line)) for line in means],
        "texts": [list(map(as_shown, line)) for line in means],
        "low": [[rounded(low) for low, _high in line] for line in ends],
        "high": [[rounded(high) for _low, high in line] for line in ends],
        "better": better,
    }
