"""The network of few-shot learning on pictures: blocks of convolution, normalisation, ReLU and pooling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.networks.encoders import init_weights
from taskembed_edu.tasks.kinds import picture_shape


class ConvBlocks(nn.Module):
    r"""Pictures to features, by blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 max-pooling.

    While it trains, a block normalises by the mean and spread of its batch. Judging, it must be in `eval()` mode: then
    it takes those of training. Normalised by its own batch, a query would be seen beside all the other queries: that
    is more than a new task gives (the network peeks).

    Shapes: (n, channels, height, width) -> (n, channels[-1] * (height // 2^k) * (width // 2^k)) after k blocks.
    Source: Vinyals and others 2016, section 4.1.1 (four blocks of 64); Snell 2017, section 3. Errors: ValueError for
    pictures that so many blocks leave nothing of, and for pictures of another shape than `x_shape`. Worked number:
    three blocks of 32 make 32 * 3 * 3 = 288 numbers of a picture of 28 x 28.
    """

    def __init__(self, x_shape: tuple[int, ...] = (1, 28, 28), channels: tuple[int, ...] = (32, 32, 32)) -> None:
        super().__init__()
        before, height, width = self.x_shape = _whole(x_shape, channels)
        if min(height, width) >> len(channels) < 1:
            cause = "Each block halves the picture."
            raise ValueError(problem("channels", f"{len(channels)} blocks for {height}x{width}", "fewer blocks", cause))
        layers: list[nn.Module] = []
        for after in channels:
            convolution = nn.Conv2d(before, after, 3, padding=1)
            layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
            before = after
        self.blocks = nn.Sequential(*layers, nn.Flatten())
        # Channels side by side in memory: on a processor pooling and normalising are then half as long.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a stub without it
        self.width = before * (height >> len(channels)) * (width >> len(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or tuple(x.shape[1:]) != self.x_shape:
            cause = "Pictures of several tasks go through it as one row of pictures: x.flatten(0, 1)."
            raise ValueError(problem("x", x, f"pictures, (n, {', '.join(map(str, self.x_shape))})", cause))
        dtype = self.blocks[0].weight.dtype
        if x.dtype != dtype:
            cause = "Weights and pictures have one type: x.float(), or network.double() for both."
            raise TypeError(problem("x", x, f"pictures of dtype {str(dtype).removeprefix('torch.')}", cause))
        return self.blocks(x)


def _whole(x_shape: tuple[int, ...], channels: tuple[int, ...]) -> tuple[int, int, int]:
    """The pictures' shape, if it is one and there are blocks. Errors: TypeError, ValueError."""
    for argument, sizes in (("x_shape", x_shape), ("channels", channels)):
        if not isinstance(sizes, Sequence) or isinstance(sizes, str):
            raise TypeError(problem(argument, repr(sizes), "whole numbers in a row, such as (32, 32, 32)"))
        if not sizes:
            raise ValueError(problem(argument, "none", "at least one whole number"))
        for size in sizes:
            check_whole(argument, size, 1, None)
    return picture_shape(tuple(x_shape))


def conv_blocks(
    rng: torch.Generator, x_shape: tuple[int, ...] = (1, 28, 28), channels: tuple[int, ...] = (32, 32, 32)
) -> ConvBlocks:
    """`ConvBlocks` with weights drawn from `rng`."""
    return init_weights(lambda: ConvBlocks(x_shape, channels), rng)
