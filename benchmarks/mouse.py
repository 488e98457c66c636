"""Letters as a mouse would draw them: their lines followed stroke by stroke, by a hand that trembles and leans."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from taskembed_edu.tasks.font_letters import font_letters
from taskembed_edu.tasks.pen import SIDE, from_strokes

# A letter's line is where its distance field is below this, in pixels; a stroke goes on to points no farther than that.
_ON_THE_LINE, _NEXT = 0.6, 2.3
# In pixels, standard deviations: a mouse's points tremble, and whole strokes are put down a little beside their place.
_TREMBLE, _BESIDE = 0.35, 0.5
# A mouse tells of its place every few pixels only; a hand leans by up to so many degrees.
_EVERY, _LEANS = 2, 12.0
_PEN = 3.0


def mouse_drawn(letters: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """n drawings of each letter by `from_strokes`: (...,) -> (..., n, 1, 28, 28)."""
    known = font_letters()
    pictures = []
    for letter in letters.flatten().repeat_interleave(n).tolist():
        style = int(torch.randint(int(known.n_styles[letter]), (1,), generator=rng))
        strokes = [_by_hand(stroke, rng) for stroke in _strokes(int(known.first[letter]) + style)]
        turn = math.radians(_LEANS) * float(2 * torch.rand(1, generator=rng) - 1)
        turned = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        pictures.append(from_strokes([stroke @ turned for stroke in strokes], _PEN))
    return torch.stack(pictures).view(*letters.shape, n, 1, SIDE, SIDE)


def _by_hand(stroke: Tensor, rng: torch.Generator) -> Tensor:
    kept = stroke[::_EVERY] if len(stroke) > 2 * _EVERY else stroke
    tremble = _TREMBLE * torch.randn(kept.shape, generator=rng)
    return kept + tremble + _BESIDE * torch.randn(1, 2, generator=rng)


@functools.cache
def _strokes(picture: int) -> tuple[Tensor, ...]:
    """The lines of a letter's picture, each an ordered row of points (n, 2): x and y in pixels."""
    field = font_letters().distances(torch.tensor([picture]))[0]
    left = [(float(x), float(y)) for y, x in (field < _ON_THE_LINE).nonzero().tolist()]
    strokes: list[Tensor] = []
    while left:
        line = [left.pop(_an_end(left))]
        while left and math.dist(line[-1], near := min(left, key=lambda point: math.dist(line[-1], point))) <= _NEXT:
            line.append(near)
            left.remove(near)
        if len(line) > 1 or not strokes:
            strokes.append(torch.tensor(line))
    return tuple(strokes)


def _an_end(points: list[tuple[float, float]]) -> int:
    """The place of the point with the fewest others beside it: the end of a line, where there is one."""
    beside = [sum(math.dist(point, other) < 1.5 for other in points) for point in points]
    return beside.index(min(beside))
