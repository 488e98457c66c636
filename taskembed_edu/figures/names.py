"""Names beside the points of a map that is drawn: those that have room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from taskembed_edu.projection.umap_steps import Layout

_LONGEST_NAME = 24  # letters
# In pixels: what stays free inside the frame, and how far a point's sign reaches.
_FRAME_AIR, _SIGN_REACH = 5.0, 2.0


def draw_names(axes: Axes, names: Sequence[str], layout: Layout, diverged_tasks: Sequence[int] = ()) -> None:
    """Draw names beside their points; one that would meet another name, a point or the frame is omitted.

    The axes' place must be final: see `snapshots`.
    """
    frame_box, taken = axes.get_window_extent().padded(-_FRAME_AIR), list[Any]()
    points = axes.transData.transform(layout)
    for task, (name, (x, y)) in enumerate(zip(names, layout, strict=True)):
        if task in diverged_tasks:
            continue
        for side, align in ((4, "left"), (-4, "right")):
            text = axes.annotate(
                _shortened(name), (x, y), (side, 2), textcoords="offset points", fontsize=7, ha=align, parse_math=False
            )
            text.set_in_layout(False)
            box = text.get_window_extent()
            inside = all(frame_box.contains(*corner) for corner in (box.min, box.max))
            over = box.padded(_SIGN_REACH).contains
            covers = any(over(*point) for other, point in enumerate(points) if other != task)
            if inside and not covers and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
