"""How far apart two networks are as functions: by their outputs, not by their weights.

This makes a fair comparison of networks: the operations in `symmetries` change a network's weights but not its outputs,
so these distances do not change either.
"""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_finite, problem
from taskembed_edu.formulas._pairwise import squared_euclidean_matrix
from taskembed_edu.formulas._vectors import Vectors, as_tensor
from taskembed_edu.networks.learners import Learner, Parameters, device_of

# The largest number of values computed at a time (16 MB in single precision); it limits the tasks per chunk.
_AT_A_TIME = 2**22

# The number of output columns compared at a time: the comparison makes copies in double precision.
_COLUMNS = 2**12


def outputs_at(learner: Learner, parameters: Parameters, probe: Vectors) -> Tensor:
    r"""The outputs of each network of a stack at the probe's inputs, flattened, one row per network.

    Numbers in regression. In classification, the probabilities: softmax of the logits. For words, the probabilities of
    every letter at every place, while the network reads its own letters.

    Shapes: parameters (n_tasks, *shape); probe (n_probe, *x_shape), the same for all networks, or
    (n_tasks, n_probe, *x_shape), one per network -> (n_tasks, n_probe * numbers per output). (A perceptron of n inputs
    takes any x_shape of n numbers; a probe that fits both shapes counts as the same for all.) The result is on the
    networks' device, wherever the probe is. Range: probabilities are in [0, 1].
    Errors: ValueError if the probe has neither shape.
    Worked number: a classifier of 3 classes with all weights 0 answers 1/3, 1/3, 1/3 at every input.
    """
    n_tasks, probe = len(next(iter(parameters.values()))), _as_probe(learner, parameters, probe)
    own = _is_own(learner, n_tasks, probe)
    likely = learner.answers != "numbers"

    def answers(network: Parameters, x: Tensor) -> Tensor:
        out = learner.apply(network, x)
        return (out.softmax(-1) if likely else out).flatten()

    widest = max(shape[-1] for shape in learner.shapes().values())
    numbers = probe[0].numel() if own else probe.numel()
    chunk = max(1, _AT_A_TIME // max(1, numbers * widest))
    return torch.func.vmap(answers, in_dims=(0, 0 if own else None), chunk_size=chunk)(parameters, probe)


@torch.no_grad()
def function_distance(learner: Learner, parameters: Parameters, probe: Vectors) -> Tensor:
    r"""The distance of every two networks of a stack as functions, over the inputs of a probe.

    .. math:: d(f, g) = \sqrt{\frac1n \sum_{i=1}^{n} \lVert f(x_i) - g(x_i) \rVert^2}, \qquad 0 \le d < \infty

    an estimate, from samples x_i, of the distance in L^2. The outputs f(x) are those of `outputs_at`. It is 0 for
    networks with equal outputs, however different their weights; at most sqrt(2) between classifiers, and at most
    sqrt(2 length) between networks that spell words. It is NaN for a diverged network. It has no gradient, because it
    is for evaluation only.

    Shapes: parameters (n_tasks, *shape), probe (n_probe, *x_shape) -> (n_tasks, n_tasks), symmetric, zero diagonal.
    Errors: ValueError for a probe that differs from task to task: two functions are compared at the same inputs.
    Source: Benjamin, Rolnick and Kording 2019, Measuring and regularizing networks in function space.
    Worked number: f(x) = x and g(x) = -x at the inputs 1 and 2: sqrt((2^2 + 4^2) / 2) = 3.1623.
    """
    n_tasks, probe = len(next(iter(parameters.values()))), _as_probe(learner, parameters, probe)
    if _is_own(learner, n_tasks, probe):
        if not bool((probe == probe[:1]).all()):
            cause = "At inputs of its own each network would be asked something else."
            raise ValueError(problem("probe", "other inputs for each task", "the same inputs for all tasks", cause))
        probe = probe[0]
    outputs = outputs_at(learner, parameters, probe)
    squares = torch.stack([squared_euclidean_matrix(part, part) for part in outputs.split(_COLUMNS, dim=1)])
    return (squares.sum(0) / len(probe)).sqrt()


def _as_probe(learner: Learner, parameters: Parameters, probe: Vectors) -> Tensor:
    """The probe on the networks' device, in the dtype of their weights; whole numbers stay where letters are read."""
    given = as_tensor("probe", probe)
    if learner.answers == "letters" and not given.is_floating_point():
        return given.to(device_of(parameters))
    lowered = given.to(next(iter(parameters.values())).dtype)
    if lowered.device.type == "cpu":  # on a card the check would wait for it, at every frame
        check_finite("probe", lowered)
    return lowered.to(device_of(parameters))


def _is_own(learner: Learner, n_tasks: int, probe: Tensor) -> bool:
    """Whether the probe has its own inputs for each task; a ValueError if it has neither own nor shared inputs."""
    shape = tuple(probe.shape)
    if 0 not in shape:
        if learner.reads(shape[1:]):
            return False
        if shape[0] == n_tasks and learner.reads(shape[2:]):
            return True
    expected = f"(n_probe, *x_shape) or ({n_tasks}, n_probe, *x_shape): inputs of a {learner.name}"
    raise ValueError(problem("probe", probe, expected, "At least one input is needed."))


__all__ = ["function_distance", "outputs_at"]
