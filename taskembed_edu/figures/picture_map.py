"""A map of tasks on which each task is a picture of its own: a writing system shows itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import check_finite, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import DARK, OKABE_ITO
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.rows import FONT, PROJECTED, TITLE

_SIDE = 0.02  # half a picture's side, as a share of the map's longer one
_MOST_GROUPS = len(OKABE_ITO)


@short_errors
def picture_map_figure(
    layout: Tensor | NDArray[np.floating[Any]],
    pictures: Tensor,
    groups: Tensor,
    names: Sequence[str],
    *,
    own: tuple[Sequence[float], Tensor] | None = None,
    title: str = "",
) -> Still:
    """Tasks at their places (n, 2), each drawn as its picture (n, height, width), in the colour of its group.

    `pictures` are in [0, 1], ink is 1; a task with several shows the one that you give. `groups` (n,) are indices into
    `names`. `own`: the place and the picture of a task of one's own, drawn larger, in a frame.
    Errors: ValueError for numbers of tasks that differ, for NaN, and for more than six groups: there are six colours
    that everybody can tell apart.
    """
    places, drawn, of = _checked(layout, pictures, groups, names)
    figure = Still(figsize=PROJECTED, layout="constrained")
    panel = figure.subplots()
    mine = None if own is None else _own(own)
    ends = places.numpy() if mine is None else np.concatenate((places.numpy(), mine[0][None]))
    side = _SIDE * float(np.ptp(ends, axis=0).max() or 1.0)
    for place, picture, group in zip(places.tolist(), drawn.numpy(), of.tolist(), strict=True):
        _draw(panel, place, picture, OKABE_ITO[group], side)
    if mine is not None:
        _draw_own(panel, *mine, 2 * side)
    _finish(panel, ends, side, names)
    if title:
        figure.suptitle(as_written(title), fontsize=TITLE + 2)
    return figure


def _checked(layout: object, pictures: object, groups: object, names: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    places = check_finite("layout", _tensor("layout", layout).double(), "A task without a place has no picture.")
    drawn, of = check_finite("pictures", _tensor("pictures", pictures).float()), _tensor("groups", groups)
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(problem("names", repr(names), "the groups' names in a list"))
    n = len(places) if places.ndim else 0
    if places.ndim != 2 or places.shape[1] != 2 or not n:
        raise ValueError(problem("layout", places, "a place (x, y) for each task: (n, 2)"))
    if drawn.ndim != 3 or len(drawn) != n:
        raise ValueError(problem("pictures", drawn, f"({n}, height, width): a picture for each task"))
    if of.shape != (n,) or of.is_floating_point() or int(of.min()) < 0 or int(of.max()) >= len(names):
        raise ValueError(problem("groups", of, f"an index into the {len(names)} names for each task"))
    if len(names) > _MOST_GROUPS:
        raise ValueError(problem("names", f"{len(names)} groups", f"at most {_MOST_GROUPS}", "Show some of them."))
    return places, drawn, of.long()


def _own(own: object) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The place (2,) and the picture (height, width) of a task of one's own."""
    expected = "a place (x, y) and a picture (height, width)"
    if not isinstance(own, tuple) or len(own) != 2:
        raise TypeError(problem("own", f"a {type(own).__name__}", f"a pair: {expected}"))
    try:
        place = torch.as_tensor(own[0], dtype=torch.double)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(problem("own", f"a {type(own[0]).__name__} for its place", expected)) from None
    picture = _tensor("own", own[1]).float().squeeze()
    if place.shape != (2,) or picture.ndim != 2:
        came = f"shapes {tuple(place.shape)} and {tuple(picture.shape)}"
        raise ValueError(problem("own", came, f"shapes (2,) and (height, width): {expected}"))
    found: NDArray[np.float32] = check_finite("own", picture).numpy()
    return check_finite("own", place).numpy(), found


def _draw_own(panel: Axes, place: NDArray[np.float64], picture: NDArray[np.float32], side: float) -> None:
    """A task of one's own, in a frame."""
    _draw(panel, place, picture, DARK, side)
    corners = place + side * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    panel.plot(*corners.T, color=DARK)


def _tensor(argument: str, value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    raise TypeError(problem(argument, f"a {type(value).__name__}", "a tensor"))


def _draw(panel: Axes, place: Iterable[float], picture: NDArray[np.float32], colour: str, side: float) -> None:
    """The ink in this colour, and the paper clear."""
    x, y = place
    inked = np.concatenate(
        (np.broadcast_to(to_rgb(colour), (*picture.shape, 3)), picture[..., None].clip(0, 1)), axis=2
    )
    panel.imshow(inked, extent=(x - side, x + side, y - side, y + side), interpolation="bilinear")


def _finish(panel: Axes, ends: NDArray[np.float64], side: float, names: Sequence[str]) -> None:
    low, high = ends.min(0) - 2 * side, ends.max(0) + 2 * side
    panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    for name, colour in zip(names, OKABE_ITO, strict=False):
        panel.plot([], [], marker="s", linestyle="none", markersize=10, color=colour, label=as_written(name))
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(names), frameon=False, fontsize=FONT)
