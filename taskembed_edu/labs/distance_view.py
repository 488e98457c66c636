"""The cable between a DistanceLab and its page: readings go out, wishes come in. It computes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs import distance_readings as read

if TYPE_CHECKING:
    from taskembed_edu.labs.distance import DistanceLab

HERE = Path(__file__).parent
LOOK = HERE.parent / "live" / "look.css"


class DistanceView(anywidget.AnyWidget):
    """The panel. `words` is said once, `readings` follows the lab; custom messages carry the page's wishes."""

    _esm = HERE / "distance_lab.js"
    _css = LOOK.read_text(encoding="utf-8") + (HERE / "distance_lab.css").read_text(encoding="utf-8")

    words = traitlets.Dict().tag(sync=True)
    readings = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: DistanceLab) -> None:
        self._lab = lab
        super().__init__(words=_words(lab), readings=lab.readings())
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        # Answered whatever happens: the page sends its next wish only when it hears that this one arrived.
        try:
            self._lab.hear(message)
        finally:
            self.send({"heard": message.get("number"), "page": message.get("page")})

    def __repr__(self) -> str:
        return repr(self._lab)


def _words(lab: DistanceLab) -> dict[str, Any]:
    declared = lab.settings.declared()
    return {
        "rows": [{"key": key, "name": name, "words": words} for key, (name, words) in read.ROWS.items()],
        "metrics": {key: {"is_metric": metric.is_metric, "why_not": metric.why_not} for key, metric in METRICS.items()},
        "settings": {
            name: {"label": s.label, "help": s.help, "low": s.low, "step": s.step} for name, s in declared.items()
        },
        "presets": list(lab.presets),
        "undefined": read.UNDEFINED,
    }
