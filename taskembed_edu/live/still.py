"""What a saved notebook shows of a lab: a still picture and one line, in an output of its own.

A widget's view cannot be drawn without its kernel, and JupyterLab shows "model not found" instead. So there is a second
output beside it: it is hidden while the live panel is there, and hides the view while the panel is not there. It begins
as an empty picture and is filled only when a page has drawn the lab, so that a run without a page (a check of the
lesson, say) neither draws nor compares anything.
"""

from __future__ import annotations

import base64
import io
import threading
import uuid
from collections.abc import Sequence
from html import escape
from typing import Any

from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session

# A run and the frame of it that is shown.
Shown = tuple[Session, Frame]

LINE = "This is a picture of the lab as it was. Run the cell to have it live."

# The view is the output right after the still. In programs other than JupyterLab only the view is visible.
_STYLE = """
.te-still { display: none; }
.jp-OutputArea:not(:has(.te-panel)) .te-still { display: block; }
.jp-OutputArea:has(.te-panel) > .jp-OutputArea-child:has(.te-still),
.jp-OutputArea:not(:has(.te-panel)) > .jp-OutputArea-child:has(.te-still) + .jp-OutputArea-child { display: none; }
"""

# The smallest picture there is: one transparent dot.
_EMPTY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


class Still:
    """The still output of one lab: `place()` it beside the view, `fill()` it, `draw(...)` it when nothing changes."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._placed = False
        self._shown: Any = None  # the frame, or its placeholder, that the still shows
        self._shows_both = False  # whether it shows the frame's PCA map too
        self._drawing: threading.Thread | None = None

    def place(self) -> None:
        """Put the empty output into the running cell; outside a notebook this does nothing."""
        self._placed = _publish({"image/png": _EMPTY}, self._id, update=False) or self._placed
        self._shown = None

    def fill(self) -> None:
        """Write the line, once a page has drawn the lab: the notebook may be saved before there is a picture."""
        if self._placed and self._shown is None:
            self._shown = LINE
            _publish({"text/html": _html("")}, self._id, update=True)

    def draw(
        self, session: Session, frame: Frame, words: str, beside: Frame | None = None, pair: Sequence[Shown] = ()
    ) -> None:
        """Draw this frame, and its second map, on a thread of its own, unless the still shows them already.

        `pair`: the frames of two embedders side by side, drawn in its place.
        """
        busy = self._drawing is not None and self._drawing.is_alive()
        if not self._placed or busy or (self._shown is frame and self._shows_both == (beside is not None)):
            return
        self._shown, self._shows_both = frame, beside is not None
        self._drawing = threading.Thread(
            target=_draw, args=(self._id, session, frame, words, beside, pair), name="taskembed-still", daemon=True
        )
        self._drawing.start()


def _draw(
    display_id: str, session: Session, frame: Frame, words: str, beside: Frame | None, pair: Sequence[Shown]
) -> None:
    from taskembed_edu.figures.side_by_side import side_by_side_figure
    from taskembed_edu.figures.snapshots import session_figure

    memory = io.BytesIO()
    try:
        if pair:
            sessions, frames = zip(*pair, strict=True)
            figure = side_by_side_figure(sessions, frames=frames)
        else:
            figure = session_figure(session, frame=frame, beside=beside)
        figure.savefig(memory, format="png")
    except (ValueError, IndexError):
        return  # the run changed while it was drawn: it is drawn again when nothing changes
    picture = base64.b64encode(memory.getvalue()).decode()
    image = f'<img src="data:image/png;base64,{picture}" alt="{escape(words)}" style="max-width: 100%">'
    _publish({"text/html": _html(image)}, display_id, update=True)


def _html(image: str) -> str:
    return f'<style>{_STYLE}</style><div class="te-still">{image}<p>{LINE}</p></div>'


def _publish(data: dict[str, str], display_id: str, update: bool) -> bool:
    """Send an output to the notebook; False where there is none."""
    shell = _kernel_shell()
    if shell is None:
        return False
    shell.display_pub.publish(data=data, metadata={}, transient={"display_id": display_id}, update=update)
    return True


def _kernel_shell() -> Any:
    """The shell of a notebook's kernel; None in a script or a terminal."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None
