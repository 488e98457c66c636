"""A static picture of the DrawingPad for readers without a kernel: the pad, its picture, the answers, the map."""

from __future__ import annotations

from matplotlib.axes import Axes

from taskembed_edu.figures import colours, plots
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.rows import FONT, TITLE
from taskembed_edu.labs.drawing_answers import Answers, ScriptMap
from taskembed_edu.labs.drawing_readings import Seen, words_of
from taskembed_edu.labs.drawing_state import PadState


def figure(state: PadState, look: Seen, answers: Answers | None, scripts: ScriptMap | None) -> plots.Still:
    """What the panel shows now, from left to right: the pad, the picture, and what is computed from it."""
    extra = [draw for draw in (answers, scripts) if draw is not None]
    still = plots.Still(figsize=(6 + 4 * len(extra), 3.4), layout="constrained")
    pad, picture, *more = still.subplots(1, 2 + len(extra), width_ratios=(1, 1, *[1.5] * len(extra)))
    _pad(pad, state)
    picture.set_title("what the network sees", fontsize=TITLE)
    picture.set(xticks=[], yticks=[])
    if look.picture is not None:
        picture.imshow(look.picture[0].numpy(), cmap="gray_r", vmin=0, vmax=1)
    if answers is not None:
        _bars(more[0], look, answers)
    if scripts is not None:
        _map(more[-1], look, scripts)
    return still


def _pad(axes: Axes, state: PadState) -> None:
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[], aspect="equal")
    axes.set_title(as_written(f"the pad: {words_of(state)}"), fontsize=TITLE)
    for stroke in state.strokes if state.opened is None else ():
        x, y = zip(*stroke, strict=True)
        axes.plot(x, y, "k.-" if len(stroke) == 1 else "k-", linewidth=2 * state.settings.pen, solid_capstyle="round")


def _bars(axes: Axes, look: Seen, answers: Answers) -> None:
    shares = look.probabilities or (0.0,) * len(answers.names)
    best = shares.index(max(shares))
    names = [as_written(name) for name in answers.names]
    shades = [colours.BLUE if k == best else colours.GREY for k in range(len(names))]
    axes.barh(names, shares, color=shades)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xticks=[0, 0.5, 1])
    axes.tick_params(labelsize=FONT)
    axes.set_title("probability", fontsize=TITLE)
    axes.spines[["top", "right"]].set_visible(False)


def _map(axes: Axes, look: Seen, scripts: ScriptMap) -> None:
    for group, entry in enumerate(scripts.colouring.entries):
        places = scripts.layout[scripts.colouring.groups == group]
        axes.scatter(
            places[:, 0],
            places[:, 1],
            s=20,
            color=entry["colour"],
            marker=colours.MARKERS[entry["shape"]],
            label=entry["label"],
        )
    if look.place is not None:
        x, y = look.place
        axes.scatter(x, y, s=120, marker="P", color="black", edgecolors="white", label="the drawing")
    axes.set(xticks=[], yticks=[])
    axes.set_title("where it lies among scripts", fontsize=TITLE)
    axes.legend(fontsize=FONT, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
