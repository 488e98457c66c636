"""How one hand differs from another: drawings turned, sheared, scaled, bent and moved at random."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_number, check_rng, problem

# At distortion 1, drawings are so much smaller or larger, and the knots of a grid of 4 x 4 over the picture (2 high and
# wide) are moved so far in each direction (standard deviation).
_SCALED, _N_KNOTS, _MOVED = 0.15, 4, 0.09

# A hand shears less than it turns: 11 degrees (0.2) where it turns 15.
_SHEARED = 0.75


def places_by_hand(
    n: int, side: int, rng: torch.Generator, slant: float = 15.0, distortion: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Where each pixel of n drawings comes from, (n, side, side, 2) for `grid_sample`, and the scale of each (n,).

    They are turned by up to `slant` degrees either way, sheared by up to three quarters of that, and scaled and bent as
    far as `distortion` says: 0 not at all, 1 like handwriting.
    """
    slants = math.radians(slant) * (2 * torch.rand(2, n, generator=rng) - 1)
    turn, shear = slants[0], torch.tan(_SHEARED * slants[1])
    scale = 1 + _SCALED * distortion * (2 * torch.rand(n, generator=rng) - 1)
    cos, sin = turn.cos() / scale, turn.sin() / scale
    affine = torch.stack((cos, -sin + cos * shear, sin, cos + sin * shear), dim=1).view(n, 2, 2)
    knots = torch.randn(n, 2, _N_KNOTS**2, generator=rng) * (_MOVED * distortion)
    places = torch.cat((affine, knots), dim=2) @ _bases(side, torch.get_default_dtype())
    return places.transpose(1, 2).view(n, side, side, 2), scale


def drawn_anew(
    pictures: Tensor, rng: torch.Generator, slant: float = 15.0, distortion: float = 1.0, moved: float = 2.0
) -> Tensor:
    """Square pictures (n, 1, side, side) as other hands might have drawn them (`places_by_hand`), on paper 0.

    Each is also moved by up to `moved` pixels, to the side and up or down. Errors: ValueError for pictures of another
    shape, and for a slant beyond 45 degrees, a distortion beyond 2, or a negative number. Worked number: of slant,
    distortion and moved 0, the pictures come back as they are.
    """
    is_square = isinstance(pictures, Tensor) and pictures.ndim == 4 and pictures.shape[-1] == pictures.shape[-2] > 0
    if not is_square:
        expected = "square pictures, (n, 1, side, side)"
        raise ValueError(problem("pictures", pictures, expected, "Those of tasks are a row after x.flatten(0, 1)."))
    if not pictures.is_floating_point():
        raise TypeError(problem("pictures", pictures, "numbers from 0 to 1, of a floating type", "Write x / 255."))
    check_number("slant", slant, 0, 45)
    check_number("distortion", distortion, 0, 2)
    check_number("moved", moved, 0, None)
    check_rng(rng)
    n, side = len(pictures), pictures.shape[-1]
    places, _ = places_by_hand(n, side, rng, slant, distortion)
    shift = (2 * moved / side) * (2 * torch.rand(n, 1, 1, 2, generator=rng) - 1)
    return F.grid_sample(pictures, (places + shift).to(pictures), align_corners=False)


@functools.lru_cache(maxsize=4)
def _bases(side: int, dtype: torch.dtype) -> Tensor:
    """What x, y and each knot add to the place of every pixel: (2 + 16, side * side)."""
    middles = (torch.arange(side, dtype=dtype) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    one_knot = torch.eye(_N_KNOTS**2, dtype=dtype).view(-1, 1, _N_KNOTS, _N_KNOTS)
    knots = F.interpolate(one_knot, size=(side, side), mode="bicubic", align_corners=True)
    return torch.cat((torch.stack((x, y)).flatten(1), knots.flatten(1)))
