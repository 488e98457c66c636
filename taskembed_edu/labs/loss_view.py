"""The cable between a LossLab and its page: readings go out, wishes come in. It computes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs.loss_readings import readings
from taskembed_edu.labs.loss_steps import ANCHORS, LOSSES, PHASES, LossSettings

if TYPE_CHECKING:
    from taskembed_edu.labs.loss import LossLab

HERE = Path(__file__).parent
LOOK = HERE.parent / "live" / "look.css"

CHOICE_LABELS = {
    "loss": LOSSES,
    "metric": {name: metric.label for name, metric in METRICS.items()},
    "mining": {"all": "All", "hard": "Hard", "semi-hard": "Semi-hard"},
    "anchors": ANCHORS,
}


class LossView(anywidget.AnyWidget):
    """The panel. `words` is said once, `readings` follows the lab; custom messages carry the page's wishes."""

    _esm = HERE / "loss_lab.js"
    _css = LOOK.read_text(encoding="utf-8") + (HERE / "loss_lab.css").read_text(encoding="utf-8")

    words = traitlets.Dict().tag(sync=True)
    readings = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: LossLab) -> None:
        self._lab = lab
        super().__init__(words=_words(lab), readings=readings(lab))
        self.on_msg(self._hear)

    def publish(self, trouble: str = "") -> None:
        """Send the lab's state, and why the last wish was not granted."""
        self.readings = {**readings(self._lab), "trouble": trouble}

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        # Answered whatever happens: the page sends its next wish only when it hears that this one arrived.
        try:
            self._lab.hear(message)
        finally:
            self.send({"heard": message.get("number"), "page": message.get("page")})

    def __repr__(self) -> str:
        return repr(self._lab)


def _words(lab: LossLab) -> dict[str, Any]:
    """What does not change while the lab lives: the controls as they are declared, the sub-steps, the presets."""
    controls = [
        {
            "name": name,
            "label": declared.label,
            "help": declared.help,
            "choices": [{"value": c, "label": CHOICE_LABELS[name][c]} for c in declared.choices],
            "low": declared.low,
            "high": None if callable(declared.high) else declared.high,
            "step": declared.step,
        }
        for name, declared in LossSettings.declared().items()
    ]
    presets = list(dict.fromkeys([lab._own.title, *lab.presets]))
    return {"controls": controls, "presets": presets, "phases": list(PHASES)}
