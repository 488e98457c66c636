"""MetricLab: watch a space of tasks organise itself while you move the margin and switch the distance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskembed_edu.embedders.base import chosen_device
from taskembed_edu.session import Session
from taskembed_edu.tasks import FAMILIES
from taskembed_edu.tasks.base import TaskFamily

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.live.panel import SessionPanel

_MAIN = ("family", "loss", "metric", "margin", "learning_rate", "projection")


class MetricLab:
    """The live lab of the metric-based embedder. Three doors, one room.

    Shown in a notebook it is a panel: the map of the task space with its whole past, settings that may be moved while
    training runs, loss and scores, and a second run beside the first when branched. In a script it is a session:
    `lab.session.step(200)`. And `lab.picture()` is the static picture for a page without a kernel.

    Any setting can be given by name: `MetricLab(family="digits", loss="triplet", margin=0.5, seed=1)`.
    Errors: ValueError for an unknown setting, or a value beyond its range; RuntimeError for device="cuda" without one.

    >>> MetricLab(family="gaussians")
    MetricLab(gaussians, contrastive loss, euclidean distance, margin 1: step 0, 200 tasks)
    """

    def __init__(self, family: TaskFamily | str = "sinusoids", **settings: Any) -> None:
        self._asked = {"family": family, **settings}
        self._session: Session | None = None
        self._panel: SessionPanel | None = None
        # A wrong name or value should fail here, where it was typed, and not later, where it is first used.
        mine, theirs = Session.dealt("metric", self._asked)
        self._values = {**mine.as_dict(), **theirs.as_dict()}
        chosen_device(theirs.device)

    @property
    def session(self) -> Session:
        """The run itself: `step(n)`, `set(...)`, `reset(...)`, `history`, `events`, `recording()`.

        With two runs on screen it is run A; see `sessions`.
        """
        if self._panel is not None:
            return self._panel.sessions[0]
        if self._session is None:
            self._session = Session("metric", **self._asked)
        return self._session

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
                # The first picture should not wait for UMAP to compile: PCA holds its place.
                self._session = Session("metric", **self._asked, projection="pca")
            self._panel = SessionPanel(self.session, "Metric-based task embedding", _MAIN, umap_when_ready=waiting)
        return self._panel

    def replay(self, recording: dict[str, Any] | str | Path) -> Session:
        """Make a recorded run again in this lab, from a recording or the path of a saved one.

        Errors: ValueError for an outdated or broken recording, or one of another family; RuntimeError where the lab is
        on screen already.
        """
        from taskembed_edu.recordings import check_recording, load_recording

        if self._panel is not None:
            raise RuntimeError(
                "replay: the lab is already on screen. Replay into a fresh lab: lab = MetricLab(...); lab.replay(...)."
            )
        # The family is the session's where there is one: a reset may have changed it.
        asked = self._asked["family"] if self._session is None else self._session.family or self._session.setup.family
        own = asked if isinstance(asked, TaskFamily) else None
        given = recording if isinstance(recording, dict) else load_recording(recording, known=own is not None)
        check_recording(given, _name(asked), known=own is not None)
        self._session = Session.replay(given, own if own is not None and own.name not in FAMILIES else None)
        return self._session

    def picture(self) -> Figure:
        """The map and the curves as they are now, as a matplotlib figure."""
        from taskembed_edu.snapshots import session_figure

        return session_figure(self.session)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        data = self.panel.view._repr_mimebundle_(**kwargs)
        self.panel.still.place()
        if isinstance(data, tuple):
            return {**data[0], "text/plain": repr(self)}, data[1]
        return {**(data or {}), "text/plain": repr(self)}

    def __repr__(self) -> str:
        values = self._values if self._session is None else self.session.values()
        about = f"{values['family']}, {values['loss']} loss, {values['metric']} distance, margin {values['margin']:g}"
        if self._session is None or self.session.steps == 0:
            return f"MetricLab({about}: step 0, {values['n_tasks']} tasks)"
        scores = self.session.frame.diagnostics
        return (
            f"MetricLab({about}: step {self.session.steps}, recall@1 {scores['recall@1']:.2f}, "
            f"spearman {scores['spearman']:.2f})"
        )


def _name(family: TaskFamily | str) -> str:
    return family if isinstance(family, str) else family.name
