"""What is done to the pictures of tasks: turned, moved and scaled, a task at a time or a class at a time."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_rng, problem
from taskembed_edu.tasks.batch import TaskBatch, check_tasks


def rotate(images: Tensor, angle: Tensor, shift: Tensor | None = None, scale: Tensor | float | None = None) -> Tensor:
    """Images (n_tasks, n, 1, h, w) rotated by each task's angle in radians, bilinear, black outside.

    Then each task's are made larger by its factor `scale` (n_tasks,), and moved by its `shift` (n_tasks, 2) in pixels,
    to the right and down.
    """
    cos, sin = angle.to(images).cos(), angle.to(images).sin()
    if scale is not None:
        cos, sin = cos / scale, sin / scale
    matrix = torch.stack((torch.stack((cos, -sin), 1), torch.stack((sin, cos), 1)), 1)
    # Where a pixel of the result comes from: the way back, so the shift is taken away first. A picture is 2 wide.
    size = torch.tensor([images.shape[-1], images.shape[-2]], dtype=images.dtype, device=images.device)
    moved = torch.zeros_like(matrix[:, 0]) if shift is None else -2 * shift.to(images) / size
    matrix = torch.cat((matrix, matrix @ moved.unsqueeze(2)), dim=2)
    # One grid per task, with its pictures as channels: a rotation is one gather for any number of pictures.
    stacked = images.squeeze(2)
    grid = F.affine_grid(matrix, list(stacked.shape), align_corners=False)
    return F.grid_sample(stacked, grid, align_corners=False).unsqueeze(2)


def turned_classes(tasks: TaskBatch, rng: torch.Generator) -> TaskBatch:
    """The same tasks with each class turned or mirrored in a way of its own, its support and its query set alike.

    So five digits give forty classes, as many as a square has symmetries: with few classes a network learns these few
    and nothing else. Source: Santoro, Bartunov, Botvinick, Wierstra and Lillicrap 2016, section 4.1 (quarter turns).
    Errors: ValueError for tasks without classes or of samples that are no square pictures.
    Worked number: one class in eight stays as it is.
    """
    _check_squares(tasks)
    check_rng(rng)
    which = torch.randint(8, (len(tasks), tasks.n_way), generator=rng).to(tasks.support_y.device)
    return _turned(tasks, which.gather(1, tasks.support_y), which.gather(1, tasks.query_y))


def turned_tasks(tasks: TaskBatch, rng: torch.Generator) -> TaskBatch:
    """The same tasks with all pictures of each turned or mirrored in one way: letters of an alphabet of its own.

    So one alphabet makes eight, as many as a square has symmetries, and the letters of a task are as hard to tell apart
    as they were. Errors: ValueError for tasks without classes or of samples that are no square pictures.
    Worked number: one task in eight stays as it is.
    """
    _check_squares(tasks)
    check_rng(rng)
    which = torch.randint(8, (len(tasks), 1), generator=rng).to(tasks.support_y.device)
    return _turned(tasks, which.expand_as(tasks.support_y), which.expand_as(tasks.query_y))


def _check_squares(tasks: TaskBatch) -> None:
    check_tasks(tasks)
    if tasks.support_y.is_floating_point() or tasks.support_x.ndim != 5 or len(set(tasks.support_x.shape[-2:])) > 1:
        expected = "classes of square pictures, (n_tasks, n, channels, side, side)"
        raise ValueError(problem("tasks", tasks.support_x, expected, "They are turned by quarter turns."))


def _turned(tasks: TaskBatch, of_support: Tensor, of_query: Tensor) -> TaskBatch:
    """Each picture turned in its way: 0 to 3 quarter turns, and the mirrored ones, 4 to 7."""

    def turned(x: Tensor, way: Tensor) -> Tensor:
        both = (x, x.flip(-1))
        ways = torch.stack([torch.rot90(each, k, (-2, -1)) for each in both for k in range(4)])
        return ways.gather(0, way[None, :, :, None, None, None].expand(1, *x.shape)).squeeze(0)

    support_x, query_x = turned(tasks.support_x, of_support), turned(tasks.query_x, of_query)
    return dataclasses.replace(tasks, support_x=support_x, query_x=query_x)
