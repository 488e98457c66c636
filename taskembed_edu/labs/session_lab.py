"""The base class of labs with a session: a panel in a notebook, a session in a script, a picture without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from taskembed_edu.embedders.base import chosen_device
from taskembed_edu.labs.static import with_picture
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import FAMILIES
from taskembed_edu.tasks.base import TaskFamily

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.live.panel import SessionPanel


class SessionLab:
    """A lab with one session. Subclasses set the embedder, the panel's title, and the settings always visible (`main`).

    `defaults(family)` are the settings that a lab begins with unless the user gives others.
    """

    embedder: ClassVar[str]
    title: ClassVar[str]
    main: ClassVar[tuple[str, ...]]

    def __init__(self, family: TaskFamily | str = "sinusoids", **settings: Any) -> None:
        usual = self.defaults(_name(family))
        self._asked = {**usual, "family": family, **settings}
        # Settings that the user did not give may change with the tasks; the lab's default projection stays.
        self._unasked = usual.keys() - settings.keys() - {"projection"}
        self._session: Session | None = None
        self._panel: SessionPanel | None = None
        # A wrong name or value must fail here, where the user typed it, and not later, at its first use.
        try:
            mine, theirs = Session.parse_settings(self.embedder, self._asked)
        except (ValueError, TypeError) as error:
            raise error.with_traceback(None) from None  # the sentence counts: the checks inside explain nothing
        self._values = {**mine.as_dict(), **theirs.as_dict()}
        chosen_device(theirs.device)

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
                self.session, self.title, self.main, umap_when_ready=waiting, defaults_for=self.defaults
            )
        return self._panel

    def replay(self, recording: dict[str, Any] | str | Path) -> Session:
        """Replay a recorded run in this lab, from a recording or the path of a saved one.

        Errors: ValueError for an outdated or broken recording, or one of another family; RuntimeError if the lab is
        on screen already.
        """
        from taskembed_edu.session.recordings import check_recording, load_recording

        if self._panel is not None:
            fresh = f"lab = {type(self).__name__}(...); lab.replay(...)"
            raise RuntimeError(f"replay: the lab is already on screen. Replay into a fresh lab: {fresh}.")
        # The family is the session's where there is one: a reset may have changed it.
        asked = self._asked["family"] if self._session is None else self._session.family or self._session.setup.family
        own = asked if isinstance(asked, TaskFamily) else None
        given = recording if isinstance(recording, dict) else load_recording(recording, known=own is not None)
        check_recording(given, _name(asked), known=own is not None, embedder=self.embedder)
        session = Session.replay(given, own if own is not None and own.name not in FAMILIES else None)
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

    def picture(self) -> Figure:
        """The map and the curves as they are now, as a matplotlib figure."""
        from taskembed_edu.figures.snapshots import session_figure

        return session_figure(self.session)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from taskembed_edu.live.cells import note_shown, running_cell

        note_shown(running_cell(), self.panel)
        data = with_picture(self.panel.view._repr_mimebundle_(**kwargs), self)
        self.panel.still.place()
        if isinstance(data, tuple):
            return {**data[0], "text/plain": repr(self)}, data[1]
        return {**(data or {}), "text/plain": repr(self)}

    def about(self, values: dict[str, Any]) -> str:
        """The lab's main settings in a few words, for its repr."""
        raise NotImplementedError

    def __repr__(self) -> str:
        values = self._values if self._session is None else self.session.values()
        about = f"{type(self).__name__}({self.about(values)}"
        if self._session is None or self.session.steps == 0:
            return f"{about}: step 0, {len(self.session.tasks) if self._session else values['n_tasks']} tasks)"
        scores = self.session.validation_set.scores_in_words(self.session.frame)
        return f"{about}: step {self.session.steps}, {', '.join(scores)})"


def _went_over_to_umap(session: Session) -> bool:
    """Whether the run changed from PCA to UMAP once and in no event but its own: a lab does so by itself."""
    changes = [event.changes for event in session.events if "projection" in event.changes]
    return session.setup.projection == "umap" and changes == [{"projection": "umap"}]


def _name(family: TaskFamily | str) -> str:
    return family if isinstance(family, str) else family.name
