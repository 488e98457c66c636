r"""A probe network's heads, and the Fisher information of its body: what the Fisher embedder is made of.

A learner of `networks.learners` is cut before its last layer, "output": the head. What lies before it is the body. The
functions here are pure: parameters and sets go in, stacks of tasks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.devices import moved
from taskembed_edu.networks.learners import (
    Learner,
    Parameters,
    cross_entropy,
    device_of,
    flatten,
    one_hot,
    squared_error,
)

LABELS = {"drawn": "Drawn from the prediction", "expected": "All, by their probability"}
AVERAGES = {"filter": "By filter", "weight": "By weight"}


@compared_by_value
class Rows(NamedTuple):
    """What a head sees: features (n_tasks, rows, width + 1), the last one 1; y; and which rows are real.

    A row is a sample, and for words a letter.
    """

    features: Tensor
    y: Tensor
    there: Tensor


def rows_of(learner: Learner, body: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Rows:
    """The body's features of sets x (n_tasks, n, *x_shape), y (n_tasks, n, ...): the last layer's inputs, and a 1.

    The sets may be on the CPU: what has to be read of them is then read there, and a GPU is not waited for.
    """
    width, device = learner.shapes()["output.weight"][0], device_of(body)
    through = {"output.weight": torch.eye(width, device=device), "output.bias": torch.zeros(1, width, device=device)}
    features = _answers(learner, {**body, **through}, x.flatten(0, 1), y.flatten(0, 1)).unflatten(0, x.shape[:2])
    there = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if mask is None else mask
    features = torch.cat((features, torch.ones_like(features[..., :1])), dim=-1)
    if not _spells(learner):
        return Rows(features, moved(y, device), moved(there, device))
    # Most places of a word are padding. Sort each task's letters to the front and keep as many rows as needed.
    there = ((y >= 0) & there.unsqueeze(-1)).flatten(1)
    order = there.int().argsort(dim=1, descending=True, stable=True)[:, : int(there.sum(1).amax())]
    y, there, order = (moved(part, device) for part in (y.flatten(1).gather(1, order), there.gather(1, order), order))
    letters = features.flatten(1, 2).gather(1, order.unsqueeze(-1).expand(-1, -1, features.shape[-1]))
    return Rows(letters, y.clamp(min=0), there)


def head_losses(learner: Learner, heads: Tensor, rows: Rows) -> Tensor:
    """Each task's mean loss over its rows, (n_tasks,): squared error, or cross-entropy of classes and letters."""
    return (squared_error if _regression(learner) else cross_entropy)(rows.features @ heads, rows.y, rows.there)


# The weight of the squared norm of a head in its loss (ridge regularisation).
RIDGE = 1e-3

# Steps of a classifier's refit. It need not converge: the same support set always gives the same head.
HEAD_STEPS = 20


def refitted_heads(learner: Learner, rows: Rows) -> Tensor:
    r"""Each task's own last layer, (n_tasks, width + 1, n_out), its bias last: a function of its rows alone.

    Numbers: ridge regression in closed form, the minimum of mean (features w - y)^2 + RIDGE |w|^2. Classes and letters:
    HEAD_STEPS full-batch gradient steps on the same with cross-entropy, from zero, with Nesterov's momentum and a step
    of one over the largest curvature that there can be (Nesterov 1983).
    """
    weights = (rows.there / rows.there.sum(1, keepdim=True).clamp(min=1)).unsqueeze(-1)
    weighted = (rows.features * weights).mT
    if _regression(learner):
        gram = weighted @ rows.features + RIDGE * torch.eye(rows.features.shape[-1], device=weights.device)
        solved: Tensor = torch.linalg.solve_ex(gram, weighted @ rows.y).result
        return solved
    n_out = learner.shapes()["output.bias"][1]
    right = one_hot(rows.y, n_out)
    # Cross-entropy bends at most half as much as a squared error, whose curvature is at most the mean square.
    rate = 1 / (0.5 * (weights * rows.features.detach().square()).sum((1, 2), keepdim=True) + RIDGE)
    heads = ahead = rows.features.new_zeros(len(rows.y), rows.features.shape[-1], n_out)
    for step in range(HEAD_STEPS):
        slope = weighted @ ((rows.features @ ahead).softmax(-1) - right) + RIDGE * ahead
        before, heads = heads, ahead - rate * slope
        ahead = heads + step / (step + 3) * (heads - before)
    return heads


def diagonal_fisher(
    learner: Learner,
    body: Parameters,
    heads: Tensor,
    x: Tensor,
    y: Tensor,
    mask: Tensor | None = None,
    *,
    labels: str = "drawn",
    draws: int = 1,
    seed: int = 0,
) -> Parameters:
    r"""Each task's diagonal Fisher information of the body's weights, parameters (n_tasks, *shape), all at least 0.

    .. math:: F_w = \frac1n \sum_i E_{y \sim p(y|x_i)} \Big[\Big(\frac{\partial \log p(y|x_i)}{\partial w}\Big)^2\Big]

    "drawn": y is drawn `draws` times a sample from the network's prediction, by random numbers that all tasks share.
    "expected": the sum over all labels, weighted by their probabilities. A number has unit variance around the answer:
    its expectation is the squared Jacobian. Words are teacher-forced: every letter is drawn given the right ones before
    it, and F is the mean over letters. The letters' gradients are independent with mean zero, so that the square of
    their sum has the sum of their squares as its expectation: one gradient serves a whole word.

    Shapes: x (n_tasks, n, *x_shape), y (n_tasks, n, ...), heads as `refitted_heads`. Samples where the mask is False do
    not count. Source: Achille 2019, section 2, whose networks classify; unit variance is this package's choice.
    Errors: ValueError for unknown labels, and for "expected" on words.
    """
    check_labels(learner, labels)
    # Every sample gets its own copy of the network: the gradient of the sum then holds each sample's own gradient.
    n_tasks, n = x.shape[:2]
    own = {name: value.expand(n_tasks * n, *value.shape) for name, value in body.items()}
    heads = heads.repeat_interleave(n, dim=0)
    head = {"output.weight": heads[:, :-1], "output.bias": heads[:, -1:]}
    return _fisher(learner, own, head, (x, y, mask), (labels, draws, seed))


def own_fisher(
    learner: Learner, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None, *, seed: int = 0
) -> Parameters:
    """As `diagonal_fisher`, of all weights of networks of the tasks' own: parameters (n_tasks, *shape) in and out.

    Labels are summed over; for words, four are drawn for each letter.
    """
    size, n = sum(value[0].numel() for value in parameters.values()), x.shape[1]
    chosen = ("drawn", 4, seed) if _spells(learner) else ("expected", 1, seed)
    blocks = []
    for rows in torch.arange(len(x), device=x.device).split(tasks_at_once(n * size)):
        own = {name: value[rows].repeat_interleave(n, dim=0) for name, value in parameters.items()}
        sets = (x[rows], y[rows], None if mask is None else mask[rows])
        blocks.append(_fisher(learner, own, {}, sets, chosen))
    return {name: torch.cat([block[name] for block in blocks]) for name in parameters}


# Numbers in the gradients of one block of tasks: 16 MB.
BLOCK = 2**22


def tasks_at_once(a_task: int) -> int:
    """How many tasks go into one block, from how many numbers the gradients of one are."""
    return max(1, BLOCK // a_task)


def _fisher(
    learner: Learner,
    own: Parameters,
    head: Parameters,
    sets: tuple[Tensor, Tensor, Tensor | None],
    choice: tuple[str, int, int],
) -> Parameters:
    """Fisher information of the parameters `own`, (n_tasks * n, *shape), with those of `head` fixed."""
    (x, y, mask), (labels, draws, seed) = sets, choice
    n_tasks, n = x.shape[:2]
    there = y >= 0 if _spells(learner) else torch.ones(n_tasks, n, 1, dtype=torch.bool, device=x.device)
    if mask is not None:
        there = there & mask.unsqueeze(-1)
    there = moved(there, device_of(own))
    x, y, there = x.flatten(0, 1), y.flatten(0, 1), there.flatten(0, 1)
    own = {name: value.detach().requires_grad_() for name, value in own.items()}
    with torch.enable_grad():
        answers = _answers(learner, {**own, **head}, x.unsqueeze(1), y.unsqueeze(1)).squeeze(1)
        chosen, weights = (_every_label if labels == "expected" else _drawn_labels)(learner, answers, n, draws, seed)
        likely = [_log_likelihood(learner, answers, label, there).sum() for label in chosen]
    shares = weights.unflatten(1, (n_tasks, n)) / there.unflatten(0, (n_tasks, -1)).sum((1, 2)).clamp(min=1)[:, None]
    sums = _sums_of_squares(likely, own, shares)
    return {name: value.view(n_tasks, *own[name].shape[1:]) for name, value in sums.items()}


def _sums_of_squares(likely: Sequence[Tensor], own: Parameters, shares: Tensor) -> Parameters:
    """The samples' squared gradients added up, task by task, by their shares (labels, n_tasks, n)."""
    sums: Parameters = {}
    for of_all, share in zip(likely, shares.unsqueeze(2), strict=True):
        gradients = torch.autograd.grad(of_all, list(own.values()), retain_graph=True)
        for name, gradient in zip(own, gradients, strict=True):
            added = share @ gradient.square_().flatten(1).unflatten(0, (share.shape[0], -1))
            sums[name] = sums[name] + added if name in sums else added
    return sums


def averaged(fisher: Parameters, by: str = "filter") -> Tensor:
    """Fisher information as vectors, one a task: (n_tasks, n_units) by "filter", (n_tasks, n_weights) by "weight".

    By filter it is the mean over the weights that lead into each unit; biases are left out, as in the paper's code.
    Worked number: a unit whose three weights have 1, 2 and 6 is one entry, 3.
    """
    check_choice("average", by, AVERAGES)
    if by == "weight":
        return flatten(fisher)
    return torch.cat([value.mean(-2) for name, value in fisher.items() if not name.endswith(".bias")], dim=1)


def _log_likelihood(learner: Learner, answers: Tensor, label: Tensor, there: Tensor) -> Tensor:
    """log p(label|x) of each sample, (n,), but for what does not depend on the weights; 0 where none is there."""
    if _regression(learner):
        return (label - answers).square().sum(-1) / -2 * there[:, 0]
    letters = answers.log_softmax(-1).gather(-1, label.unsqueeze(-1)).squeeze(-1)
    return (letters.view_as(there) * there).sum(-1)


def _drawn_labels(learner: Learner, answers: Tensor, n: int, draws: int, seed: int) -> tuple[Tensor, Tensor]:
    """Labels (draws, n_tasks * n, ...) from the prediction, and their weights; drawn on the CPU on any device."""
    rng = torch.Generator().manual_seed(seed)
    answers = answers.detach().unflatten(0, (-1, n))
    shape = (draws, 1, *answers.shape[1:])
    weights = answers.new_full((draws, answers.shape[0] * n), 1 / draws)
    if _regression(learner):
        return (answers + moved(torch.randn(shape, generator=rng), answers.device)).flatten(1, 2), weights
    chances = moved(torch.rand(shape[:-1], generator=rng), answers.device).unsqueeze(-1)
    below = _running_sums(answers.softmax(-1)) <= chances
    return below.sum(-1).clamp(max=answers.shape[-1] - 1).flatten(1, 2), weights


def _running_sums(shares: Tensor, *, by_product: bool | None = None) -> Tensor:
    """Sums of the first 1, 2, ... entries of the last dimension.

    `by_product` (None: only on a GPU) uses a matrix product: on a GPU `cumsum` has no fixed order, so two runs would
    round differently.
    """
    if shares.is_cuda if by_product is None else by_product:
        n = shares.shape[-1]
        return shares @ torch.ones(n, n, dtype=shares.dtype, device=shares.device).triu()
    return shares.cumsum(-1)


def _every_label(learner: Learner, answers: Tensor, n: int, draws: int, seed: int) -> tuple[Tensor, Tensor]:
    """All labels (n_out, n_tasks * n, ...) and their probabilities; for numbers one off the answer, each output."""
    answers = answers.detach()
    n_out = answers.shape[-1]
    if _regression(learner):
        return answers + torch.eye(n_out, device=answers.device).unsqueeze(1), torch.ones_like(answers).T
    return torch.arange(n_out, device=answers.device).unsqueeze(1).expand(-1, len(answers)), answers.softmax(-1).T


def _answers(learner: Learner, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
    device = device_of(parameters)
    if not _spells(learner):
        return learner.apply(parameters, moved(x, device))
    longest = int((y >= 0).sum(-1).amax())  # what comes after the longest word's end need not be spelt
    letters = learner.teacher_forced(parameters, moved(x, device), moved(y[..., :longest], device))
    return F.pad(letters, (0, 0, 0, y.shape[-1] - longest))


def _spells(learner: Learner) -> bool:
    return learner.answers == "letters"


def _regression(learner: Learner) -> bool:
    return learner.answers == "numbers"


def check_head(learner: Learner) -> None:
    """Errors: ValueError for a network that cannot be cut before its last layer."""
    if "output" not in learner.layers:
        cause = "The head, which each task has for itself, is the layer of this name: 'output.weight', 'output.bias'."
        came = f"a {learner.name} of {', '.join(learner.layers)}"
        raise ValueError(problem("learner", came, "a network whose last layer is called output", cause))


def check_labels(learner: Learner, labels: str) -> None:
    check_choice("labels", labels, LABELS)
    if labels == "expected" and _spells(learner):
        cause = "A word would take a gradient for each place and letter, a thousand and more."
        raise ValueError(problem("labels", repr(labels), "'drawn' for tasks whose answers are words", cause))
