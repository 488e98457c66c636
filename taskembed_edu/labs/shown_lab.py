"""What every lab with a panel does when a notebook shows it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from taskembed_edu.labs.static import with_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.live.panel import SessionPanel


class ShownLab(ABC):
    """A lab whose cell shows its panel, with a still picture for a page without a kernel."""

    @property
    @abstractmethod
    def panel(self) -> SessionPanel:
        """The panel on the page, made when first shown."""

    @abstractmethod
    def picture(self) -> Figure:
        """What the lab shows now, as a matplotlib figure."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from taskembed_edu.live.cells import note_shown, running_cell

        note_shown(running_cell(), self.panel)
        data = with_picture(self.panel.view._repr_mimebundle_(**kwargs), self)
        self.panel.still.place()
        if isinstance(data, tuple):
            return {**data[0], "text/plain": repr(self)}, data[1]
        return {**(data or {}), "text/plain": repr(self)}
