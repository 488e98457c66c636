"""Shapes to lines one pixel wide."""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem


def thinned(shapes: Tensor) -> Tensor:
    r"""The lines of shapes, one pixel wide: (n, height, width) of booleans to the same (Zhang and Suen 1984).

    Number the neighbours of an ink pixel P_1 ... P_8, from the one above, clockwise. B is the number of inked ones, A
    the number of changes from paper to ink on the way around. The pixel goes if

        2 <= B <= 6,  A = 1,  and  P_1 P_3 P_5 = P_3 P_5 P_7 = 0   (in every other round: P_1 P_3 P_7 = P_1 P_5 P_7 = 0)

    All pixels of a round go at once; rounds end when nothing goes. The numbers are the paper's P_2 ... P_9, less one.
    Source: Zhang and Suen 1984, "A fast parallel algorithm for thinning digital patterns", conditions (a) to (d').
    Errors: TypeError and ValueError for what is no stack of shapes. Worked number: a bar of 3 x 9 pixels becomes a line
    of 1 x 6. A square of 2 x 2 vanishes, as in the paper: one pixel of such a shape is kept.
    """
    if not isinstance(shapes, Tensor) or shapes.dtype != torch.bool:
        raise TypeError(problem("shapes", shapes, "a tensor of booleans", "Ink is True: compare with a threshold."))
    if shapes.ndim != 3:
        raise ValueError(problem("shapes", shapes, "(n, height, width)", "One shape is a stack of one: shape[None]."))
    padded = torch.nn.functional.pad(shapes, (1, 1, 1, 1))
    flat, width = padded.flatten(), padded.shape[2]
    around = torch.tensor([-width, 1 - width, 1, 1 + width, width, width - 1, -1, -1 - width])
    ink = flat.nonzero().squeeze(1)
    quiet = 0
    while quiet < 2:
        for goes in _GOES:
            gone = ink[goes[_code(flat, ink, around)]]
            flat[gone] = False
            ink = ink[flat[ink]]
            quiet = 0 if len(gone) else quiet + 1
    lines = flat.view_as(padded)[:, 1:-1, 1:-1]
    return lines | _middles(shapes, ~lines.flatten(1).any(1))


def _code(flat: Tensor, at: Tensor, around: Tensor) -> Tensor:
    """The neighbours of each pixel as one number, a bit each."""
    neighbours = flat.view(torch.uint8)
    code = torch.zeros(len(at), dtype=torch.uint8)
    for bit, step in enumerate(around.tolist()):
        code |= neighbours[at + step] << bit
    return code.int()


def _rule(second: bool) -> Tensor:
    """For each of the 256 neighbourhoods: whether the pixel goes in this round."""
    p = torch.arange(256)[:, None] >> torch.arange(8) & 1
    inked = p.sum(1)
    changes = ((p == 0) & (p.roll(-1, 1) == 1)).sum(1)
    up, right, down, left = p[:, 0], p[:, 2], p[:, 4], p[:, 6]
    kept = (up * right * left) | (up * down * left) if second else (up * right * down) | (right * down * left)
    return (inked >= 2) & (inked <= 6) & (changes == 1) & (kept == 0)


_GOES = (_rule(second=False), _rule(second=True))


def _middles(shapes: Tensor, vanished: Tensor) -> Tensor:
    """One pixel near the middle of each shape that vanished, and of no other."""
    found = torch.zeros_like(shapes)
    for row in (vanished & shapes.flatten(1).any(1)).nonzero().flatten().tolist():
        inked = shapes[row].nonzero()
        found[row][tuple(inked[len(inked) // 2])] = True
    return found
