"""EvaluationLab: two embedders on the same tasks, side by side, and what each of them is worth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.base import Embedder, chosen_device
from taskembed_edu.evaluation.geometry import NeighbourChanges
from taskembed_edu.evaluation.scorecard import Scorecard
from taskembed_edu.labs.evaluation_settings import SIDES, check_both_take, chosen_embedder, for_each, usual_settings
from taskembed_edu.labs.replayed import family_name, loaded, replayed
from taskembed_edu.labs.shown_lab import ShownLab
from taskembed_edu.session.codegen import opening_code
from taskembed_edu.session.history import Frame
from taskembed_edu.session.parsing import check_live
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import Setup
from taskembed_edu.session.side_by_side import Judged, changed_neighbours, same_step, same_tasks, scorecards
from taskembed_edu.tasks import task_family
from taskembed_edu.tasks.base import TaskFamily

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.live.panel import SessionPanel


class EvaluationLab(ShownLab):
    """Two embedders on the same tasks, side by side. One object has three uses.

    Displayed in a notebook it is a panel with a map for each embedder: a task that is chosen on one is chosen on both,
    "What changed?" shows which neighbours are others by the other embedder, and "Judge" gives both a scorecard on tasks
    that neither has seen. In a script it is two sessions: `lab.step(200)`, `lab.sessions`, `lab.scorecards()`,
    `lab.changed_neighbours()`. And `lab.picture()` is the static picture.

    `left` and `right` are embedders by name, also twice the same. A setting goes to the embedders that have it; the
    tasks, the seed and the map are those of both. `left_settings` and `right_settings` are for one alone:
    `EvaluationLab("metric", "metric", left_settings={"margin": 1.0}, right_settings={"margin": 3.0})`.
    Errors: ValueError for an unknown embedder or setting, a value beyond its range, an embedder that cannot read the
    tasks, and two whose maps would show different tasks.

    >>> EvaluationLab("metric", "context", "gaussians")
    EvaluationLab(metric and context on gaussians: step 0, 200 tasks)
    """

    title: ClassVar[str] = "Two embedders, the same tasks"
    main: ClassVar[tuple[str, ...]] = (
        "family",
        "loss",
        "metric",
        "margin",
        "inner_lr",
        "inner_steps",
        "start",
        "vector",
        "form",
        "learning_rate",
        "n_shot",
        "projection",
    )

    @short_errors
    def __init__(
        self,
        left: Embedder[Any, Any] | str = "metric",
        right: Embedder[Any, Any] | str = "context",
        family: TaskFamily | str = "sinusoids",
        n_tasks: int = 200,
        *,
        left_settings: Mapping[str, Any] | None = None,
        right_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self._embedders = tuple(chosen_embedder(*each) for each in zip(SIDES, (left, right), strict=True))
        check_both_take(self._embedders, family)
        own = (left_settings, right_settings)
        given = for_each(self._embedders, {"n_tasks": n_tasks, **settings}, own)
        self._family = family
        usual = [usual_settings(embedder, family_name(family)) for embedder in self._embedders]
        self._asked = [{**defaults, **each} for defaults, each in zip(usual, given, strict=True)]
        # Settings that the user did not give may change with the tasks.
        self._unasked = [defaults.keys() - each.keys() for defaults, each in zip(usual, given, strict=True)]
        self._sessions: tuple[Session, ...] = ()
        self._panel: SessionPanel | None = None
        self._judged: Judged | None = None
        for embedder, asked in zip(self._embedders, self._asked, strict=True):
            # A wrong value must fail here, where the user typed it, and not later, at its first use.
            _setup, theirs = Session.parse_settings(embedder, {**asked, "family": family})
            chosen_device(getattr(theirs, "device", "cpu"))

    # ---- the two runs ----------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The run of the left embedder, and the run of the right one."""
        if self._panel is not None:
            return self._panel.sessions
        if not self._sessions:
            self._sessions = self._begun()
        return self._sessions

    def _begun(self, **more: Any) -> tuple[Session, ...]:
        sessions = tuple(
            Session(embedder, self._family, **{**asked, **more})
            for embedder, asked in zip(self._embedders, self._asked, strict=True)
        )
        for session, unasked in zip(sessions, self._unasked, strict=True):
            session.user_set -= unasked
        return sessions

    @short_errors
    def step(self, n: int = 1) -> tuple[Frame, ...]:
        """Make n training steps of each run. Returns their latest frames."""
        check_whole("n", n, 0, None, "Time runs forwards.")
        return tuple(session.step(n) for session in self.sessions)

    @short_errors
    def set(self, **changes: Any) -> None:
        """Change settings of the runs that have them, before their next step; both runs or, with an error, neither."""
        parted = for_each([session.embedder for session in self.sessions], changes)
        for session, mine in zip(self.sessions, parted, strict=True):
            check_live(mine, session.declared(), session.offers)
            Session.parse_settings(session.embedder, {**session.values(), "family": self._now_on, **mine})
        for session, mine in zip(self.sessions, parted, strict=True):
            if mine:
                session.set(**mine)

    @short_errors
    def reset(self, **changes: Any) -> tuple[Frame, ...]:
        """Begin both runs again, with these settings changed in those that have them; the old runs go to `past`."""
        embedders = [session.embedder for session in self.sessions]
        parted = for_each(embedders, changes)
        family = changes.get("family", self._now_on)
        check_both_take(embedders, family)
        for session, mine in zip(self.sessions, parted, strict=True):
            Session.parse_settings(session.embedder, {**session.values(), **mine, "family": family})
        return tuple(session.reset(**mine) for session, mine in zip(self.sessions, parted, strict=True))

    @property
    def _now_on(self) -> TaskFamily | str:
        """The family of now: a reset may have changed it."""
        left = self.sessions[0]
        return left.family or left.setup.family

    @short_errors
    def replay(self, *recordings: dict[str, Any] | str | Path) -> tuple[Session, ...]:
        """Replay recorded runs in this lab, each on the side of its embedder (two of one embedder: left, then right).

        A recording is what a run's Export gives, or the path of it. Errors: ValueError for an outdated or broken
        recording, for one of neither embedder, and for runs on different tasks; RuntimeError if the lab is on screen.
        """
        if self._panel is not None:
            cause = "Replay into a fresh lab: lab = EvaluationLab(...); lab.replay(...)."
            raise RuntimeError(problem("replay", "a lab that is on screen already", "a fresh one", cause))
        sessions, free = list(self.sessions), [session.embedder.name for session in self.sessions]
        for recording in recordings:
            given = loaded(recording, self._family)
            if given.get("embedder") not in free:
                came = f"a run of the {given.get('embedder')!r} embedder"
                expected = f"one of {' and '.join(filter(None, free)) or 'no other: both are replayed'}"
                raise ValueError(problem("recording", came, expected, "Load it in the lab that it was saved in."))
            side = free.index(given["embedder"])
            sessions[side] = session = replayed(given, free[side], self._now_on)
            # A recording lacks who set what: what is as the lab begins counts as not set by the user.
            session.user_set = {*_shared_settings(session.values()), *_own_settings(session, session.values())}
            free[side] = ""
        _check_same_tasks(sessions)
        self._sessions = tuple(sessions)
        return self._sessions

    # ---- what they are worth ---------------------------------------------------------------------------------------

    @short_errors
    def changed_neighbours(self, k: int = 5) -> NeighbourChanges:
        """Which of each task's k nearest are others by the right embedder than by the left one.

        `lost(task)` are near by the left one alone, `gained(task)` by the right one alone; `share` is that of all.
        It is of the newest step that both have reached. Errors: ValueError if the runs have different tasks.
        """
        _check_same_tasks(self.sessions)
        one, other = same_step(self.sessions)
        return changed_neighbours(one, other, k)

    @short_errors
    def scorecards(self, n_tasks: int = 200, transfer_to: int = 60, seed: int = 0) -> tuple[Scorecard, ...]:
        """A scorecard of each embedder as it is now, on `n_tasks` tasks that neither has seen, the same for both.

        `transfer_to` of these are solved from the network of the known task that is nearest by each embedding. On
        screen the panel shows them. Errors: ValueError if the runs have different tasks, or for too few.
        """
        _check_same_tasks(self.sessions)
        self._judged = scorecards(self.sessions, n_tasks=n_tasks, transfer_to=transfer_to, seed=seed)
        if self._panel is not None:
            self._panel.judged = self._judged
        return self._judged.cards

    @property
    def judged(self) -> Judged | None:
        """The scorecards that were made last, by `scorecards()` or on screen, and at which steps; None: none yet."""
        return self._judged if self._panel is None else self._panel.judged

    # ---- how it is shown -------------------------------------------------------------------------------------------

    @property
    def panel(self) -> SessionPanel:
        """The panel on the page, made when first shown."""
        if self._panel is None:
            from taskembed_edu.live.panel import SessionPanel

            waiting = not self._sessions and all("projection" not in asked for asked in self._asked)
            if waiting:
                self._sessions = self._begun(projection="pca")  # shown until UMAP is compiled
            left, right = self.sessions
            self._panel = SessionPanel(
                left,
                self.title,
                self.main,
                umap_when_ready=waiting,
                defaults_for=partial(usual_settings, left.embedder),
                opened_by=self._opened_by,
                other=right,
                other_defaults=partial(usual_settings, right.embedder),
            )
            self._panel.judged = self._judged
        return self._panel

    def code_line(self) -> str:
        """The line of Python that opens this lab with the settings of now, below what must stand before it."""
        return self._opened_by(*((session, session.values()) for session in self.sessions))

    def _opened_by(self, *runs: tuple[Session, Mapping[str, Any]]) -> str:
        """The line that opens such a lab on these runs' tasks with these settings; defaults are left out."""
        (left, shared), _right = runs
        chosen = {side: session.embedder.name for side, (session, _values) in zip(SIDES, runs, strict=True)}
        # PCA until UMAP is ready is nobody's choice.
        unasked = {"projection"} - left.user_set
        both = {name: value for name, value in _shared_settings(shared).items() if name not in unasked}
        own = {f"{side}_settings": _own_settings(*run) for side, run in zip(SIDES, runs, strict=True)}
        given = {**chosen, **both, **{side: mine for side, mine in own.items() if mine}}
        return opening_code(type(self), left.named_family(), given, family_first=False)

    def picture(self) -> Figure:
        """Both maps, the curves and, where they were made, the scorecards, as a matplotlib figure."""
        from taskembed_edu.figures.side_by_side import side_by_side_figure

        return side_by_side_figure(self.sessions, judged=self.judged)

    def __repr__(self) -> str:
        names = " and ".join(embedder.name for embedder in self._embedders)
        if not self._sessions or not any(session.steps for session in self.sessions):
            family = family_name(self._family) if not self._sessions else self.sessions[0].setup.family
            return f"EvaluationLab({names} on {family}: step 0, {self._n_tasks()} tasks)"
        told = [
            f"{each.embedder.name} at step {each.steps}, {', '.join(each.validation_set.scores_in_words(each.frame))}"
            for each in self.sessions
        ]
        return f"EvaluationLab({self.sessions[0].setup.family}: {'; '.join(told)})"

    def _n_tasks(self) -> int:
        """How many tasks the maps show: fewer than asked for, where there are no more."""
        if self._sessions:
            return len(self.sessions[0].tasks)
        family = self._family if isinstance(self._family, TaskFamily) else task_family(self._family)
        split = family.split(torch.Generator().manual_seed(0))
        return self._embedders[0].watched_family(split).at_most(self._asked[0]["n_tasks"])


def _shared_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of both runs among these, without the family and the defaults."""
    usual, declared = Setup().as_dict(), Setup.declared()
    return {n: values[n] for n in usual if n != "family" and values[n] != usual[n] and not declared[n].hidden}


def _own_settings(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The embedder's own settings among these, without its defaults."""
    usual = {**session.embedder.settings_class().as_dict(), **usual_settings(session.embedder, values["family"])}
    declared = session.declared()
    return {n: values[n] for n in usual if values[n] != usual[n] and not declared[n].hidden}


def _check_same_tasks(sessions: tuple[Session, ...] | list[Session]) -> None:
    if not same_tasks(*(session.tasks for session in sessions)):
        told = " and ".join(
            f"{each.setup.family}, seed {each.setup.seed}, {len(each.tasks)} tasks" for each in sessions
        )
        cause = "Reset both with lab.reset(...), which gives both runs the same family, seed and number of tasks."
        raise ValueError(problem("sessions", told, "the same tasks in both", cause))
