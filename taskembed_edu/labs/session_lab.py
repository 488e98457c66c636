"""The base class of labs with a session: a panel in a notebook, a session in a script, a picture without a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders import task_embedder
from taskembed_edu.embedders.base import chosen_device
from taskembed_edu.labs.replayed import family_name, replayed
from taskembed_edu.labs.shown_lab import ShownLab
from taskembed_edu.session.codegen import opening_code
from taskembed_edu.session.parsing import declared_settings
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import task_family
from taskembed_edu.tasks.base import TaskFamily

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.live.panel import SessionPanel


class SessionLab(ShownLab):
    """A lab with one session. Subclasses set the embedder, the panel's title, and the settings always visible (`main`).

    `defaults(family)` are the settings that a lab begins with unless the user gives others.
    """

    embedder: ClassVar[str]
    title: ClassVar[str]
    main: ClassVar[tuple[str, ...]]

    @short_errors
    def __init__(self, family: TaskFamily | str = "sinusoids", **settings: Any) -> None:
        _check_class(type(self))
        usual = self.defaults(family_name(family))
        self._asked = {**usual, "family": family, **settings}
        # Settings that the user did not give may change with the tasks; the lab's default projection stays.
        self._unasked = usual.keys() - settings.keys() - {"projection"}
        self._session: Session | None = None
        self._panel: SessionPanel | None = None
        # A wrong name or value must fail here, where the user typed it, and not later, at its first use.
        mine, theirs = Session.parse_settings(self.embedder, self._asked)
        self._values = {**mine.as_dict(), **theirs.as_dict()}
        chosen_device(getattr(theirs, "device", "cpu"))  # what is not trained has no device

    @classmethod
    def defaults(cls, family: str) -> dict[str, Any]:
        """Settings to begin with for tasks of this family."""
        return {}

    @property
    def session(self) -> Session:
        """The run itself: `step(n)`, `set(...)`, `reset(...)`, `history`, `events`, `recording()`.

        With two runs on screen it is run A; see `sessions`.
        """
        if self._panel is not None:
            return self._panel.sessions[0]
        if self._session is None:
            self._session = self._begun()
        return self._session

    def _begun(self, **more: Any) -> Session:
        session = Session(self.embedder, **self._asked, **more)
        session.user_set -= self._unasked
        return session

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The runs: one, or run A and run B side by side, once branched on screen."""
        return (self.session,) if self._panel is None else self._panel.sessions

    @property
    def panel(self) -> SessionPanel:
        """The panel on the page, made when first shown."""
        if self._panel is None:
            from taskembed_edu.live.panel import SessionPanel

            waiting = self._session is None and "projection" not in self._asked
            if waiting:
                # The first picture should not wait until UMAP is compiled: show PCA until then.
                self._session = self._begun(projection="pca")
            self._panel = SessionPanel(
                self.session,
                self.title,
                self.main,
                umap_when_ready=waiting,
                defaults_for=self.defaults,
                opened_by=lambda run: self._opened_by(*run),
            )
        return self._panel

    @short_errors
    def replay(self, recording: dict[str, Any] | str | Path) -> Session:
        """Replay a recorded run in this lab, from a recording or the path of a saved one.

        Errors: ValueError for an outdated or broken recording, or one of another family; RuntimeError if the lab is
        on screen already.
        """
        if self._panel is not None:
            fresh = f"lab = {type(self).__name__}(...); lab.replay(...)"
            raise RuntimeError(f"replay: the lab is already on screen. Replay into a fresh lab: {fresh}.")
        # The family is the session's where there is one: a reset may have changed it.
        asked = self._asked["family"] if self._session is None else self._session.family or self._session.setup.family
        session = replayed(recording, self.embedder, asked)
        session.user_set -= self._unchanged(session)
        if "projection" not in self._asked and _went_over_to_umap(session):
            session.user_set.discard("projection")
        self._session = session
        return session

    def _unchanged(self, session: Session) -> set[str]:
        """The settings at this lab's defaults. A recording lacks who set them: these count as not set by the user."""
        first, theirs = Session.parse_settings(self.embedder, self.defaults(session.setup.family))
        usual = {**first.as_dict(), **theirs.as_dict()}
        return {name for name, value in session.values().items() if value == usual[name]} - {"family", "projection"}

    def code_line(self) -> str:
        """The line of Python that opens this lab with the settings of now, below what must stand before it.

        It names what differs from the lab's defaults. The page shows it too, for the moment that it shows (Code).
        """
        return self._opened_by(self.session, self.session.values())

    def _opened_by(self, session: Session, values: Mapping[str, Any]) -> str:
        """The line that opens such a lab on this session's tasks with these settings."""
        declared = session.declared()
        first, theirs = Session.parse_settings(self.embedder, self.defaults(session.setup.family))
        usual = {**first.as_dict(), **theirs.as_dict(), "family": values["family"]}
        # PCA until UMAP is ready is nobody's choice; what a method of its own counts (Embed again) is no setting.
        unasked = {"projection"} - session.user_set | {name for name in declared if declared[name].hidden}
        chosen = {n: value for n, value in values.items() if value != usual[n] and n not in unasked}
        return opening_code(type(self), session.named_family(), chosen)

    def picture(self) -> Figure:
        """The map and the curves as they are now, as a matplotlib figure; both maps where the lab shows both."""
        from taskembed_edu.figures.snapshots import session_figure

        beside = None if self._panel is None else self._panel.beside(self.session.frame)
        return session_figure(self.session, beside=beside)

    def about(self, values: dict[str, Any]) -> str:
        """The lab's main settings in a few words, for its repr; without them, the tasks alone."""
        return str(values["family"])

    def __repr__(self) -> str:
        values = self._values if self._session is None else self.session.values()
        about = f"{type(self).__name__}({self.about(values)}"
        if self._session is None or self.session.steps == 0:
            return f"{about}: step 0, {self._n_tasks()} tasks)"
        scores = self.session.validation_set.scores_in_words(self.session.frame)
        return f"{about}: step {self.session.steps}, {', '.join(scores)})"

    def _n_tasks(self) -> int:
        """How many tasks the map shows: fewer than asked for, where there are no more (languages)."""
        if self._session is not None:
            return len(self._session.tasks)
        asked, rng = self._asked["family"], torch.Generator().manual_seed(self._values["seed"])
        family = asked if isinstance(asked, TaskFamily) else task_family(asked)
        return task_embedder(self.embedder).watched_family(family.split(rng)).at_most(self._values["n_tasks"])


def _check_class(lab: type[SessionLab]) -> None:
    """Raise a TypeError or ValueError that names what is missing or wrong in the class of a lab."""
    for name, example in (("embedder", "'metric'"), ("title", "'Triplets of tasks'"), ("main", "('family', 'margin')")):
        if not hasattr(lab, name):
            raise TypeError(problem(name, "none", f"one that {lab.__name__} declares", f"Write {name} = {example}."))
    if not isinstance(lab.embedder, str):
        cause = "A lab makes its embedder by name: EMBEDDERS['mine'] = MyEmbedder, and embedder = 'mine'."
        raise TypeError(problem(f"embedder of {lab.__name__}", repr(lab.embedder), "the name of an embedder", cause))
    if isinstance(lab.main, str):
        cause = f"One is a tuple of one: main = ({lab.main!r},)."
        raise TypeError(problem(f"main of {lab.__name__}", repr(lab.main), "a tuple of names of settings", cause))
    declared = declared_settings(task_embedder(lab.embedder))
    for name in lab.main:
        check_choice(f"main of {lab.__name__}", name, declared)


def _went_over_to_umap(session: Session) -> bool:
    """Whether the run changed from PCA to UMAP once and in no event but its own: a lab does so by itself."""
    changes = [event.changes for event in session.events if "projection" in event.changes]
    return session.setup.projection == "umap" and changes == [{"projection": "umap"}]
