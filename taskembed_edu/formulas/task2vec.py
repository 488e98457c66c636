r"""Task2Vec's distances: how far apart two tasks are, by the Fisher information of one shared probe network.

A Fisher vector says how much each filter of the network matters to a task. Its entries are never negative and span
orders of magnitude, so the largest entries would dominate a plain distance. These distances therefore first compare the
two vectors entry by entry: what share of the sum of both entries belongs to each task?

They compare these shares and not the vectors, and need entries that are not negative: so they are not a `metric=` of
the package.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.formulas._vectors import Vectors, as_matching_vectors, as_vectors, check_rows, values_readable
from taskembed_edu.formulas.distances import cosine_distance


def task2vec_distance(fa: Vectors, fb: Vectors) -> Tensor:
    r"""The cosine distance between two tasks' shares of the sum of their Fisher information.

    .. math::
        d_\mathrm{sym}(F_a, F_b) = 1 - \cos\Big(\frac{F_a}{F_a + F_b}, \frac{F_b}{F_a + F_b}\Big),
        \qquad 0 \le d_\mathrm{sym} \le 1

    The division is entry by entry; where both entries are zero, both shares are 0. Shapes: (..., dim) and (..., dim) to
    (...). Symmetric; multiplying both vectors by one number changes nothing. It is no metric: d(F, 10 F) = 0. It is 1
    where no entry matters to both tasks.

    Source: Achille et al. 2019, section 4, "symmetric TASK2VEC distance". Their code adds 1e-8 to each sum, which gives
    the same zeros.
    Errors: ValueError for negative entries, and for a vector of zeros, which has no share of any entry.

    >>> task2vec_distance([1, 2, 3], [2, 3, 4])  # shares 1/3, 2/5, 3/7 and 2/3, 3/5, 4/7
    tensor(0.0140)
    """
    fa, fb = as_matching_vectors(fa=fa, fb=fb)
    _check_fisher(fa=fa, fb=fb)
    return _symmetric(fa, fb)


def asymmetric_task2vec_distance(fa: Vectors, fb: Vectors, trivial: Vectors, alpha: float = 0.15) -> Tensor:
    r"""How far task b is from task a for transfer from a to b: the more there is to learn in a, the smaller it is.

    .. math::
        d_\mathrm{asym}(a \to b) = d_\mathrm{sym}(F_a, F_b) - \alpha \, d_\mathrm{sym}(F_a, F_0),
        \qquad -\alpha \le d_\mathrm{asym} \le 1

    F_0 is the embedding of the trivial task, in which there is nothing to learn. The paper's code uses one number, the
    prior's precision, for all entries; a vector of ones has the same effect if the Fisher vectors are near 1. Shapes as
    `task2vec_distance`, trivial (dim,) or one per pair. Because of the second term, it is not zero for equal tasks.

    Source: Achille et al. 2019, section 4; alpha = 0.15 was best with their ResNet-34; choose it again for another
    probe network.
    Errors: as `task2vec_distance`; ValueError for an alpha below 0.

    >>> asymmetric_task2vec_distance([1, 2, 3], [2, 3, 4], trivial=[1, 1, 1])  # 0.01403 - 0.15 * 0.09589
    tensor(-0.0004)
    """
    check_number("alpha", alpha, 0, None, "It says how much a difficult task is preferred as a source.")
    fa, fb, trivial = as_matching_vectors(fa=fa, fb=fb, trivial=trivial)
    _check_fisher(fa=fa, fb=fb, trivial=trivial)
    return _symmetric(fa, fb) - alpha * _symmetric(fa, trivial)


def pairwise_task2vec_distances(fa: Vectors, fb: Vectors | None = None) -> Tensor:
    """`task2vec_distance` of every row of fa to every row of fb; without fb, within fa, the diagonal exactly zero.

    Shapes: (n, dim) and (m, dim) to (n, m). It works on one block of rows at a time, so all shares are never in memory
    at once.
    Errors: as `task2vec_distance`.

    >>> pairwise_task2vec_distances([[1, 2, 3], [2, 3, 4], [10, 20, 30]])
    tensor([[0.0000, 0.0140, 0.0000],
            [0.0140, 0.0000, 0.0150],
            [0.0000, 0.0150, 0.0000]])
    """
    given = as_vectors(fa=fa) if fb is None else as_vectors(fa=fa, fb=fb)
    named = dict(zip(("fa", "fb"), given, strict=False))
    check_rows(**named)
    _check_fisher(**named)
    rows, columns = given[0], given[-1]
    blocks = rows.split(max(1, _BLOCK // max(1, columns.numel())))
    return torch.cat([_symmetric(block.unsqueeze(1), columns) for block in blocks])


# Numbers in a block of shares: 4 MB in double precision.
_BLOCK = 2**19


def _symmetric(fa: Tensor, fb: Tensor) -> Tensor:
    # In double precision: if one task is a billion times smaller than the other, its squared shares would underflow.
    wide, other = fa.double(), fb.double()
    total = wide + other
    total = torch.where(total > 0, total, 1)
    return cosine_distance(wide / total, other / total).to(fa.dtype)


def _check_fisher(**given: Tensor) -> None:
    """Raise, naming the row, for a vector that cannot be Fisher information: a negative entry, or all entries zero."""
    if not values_readable():
        return
    for name, vectors in given.items():
        if bool((vectors < 0).any()):
            where = tuple(int(i) for i in (vectors < 0).nonzero()[0])
            cause = "Fisher information is a mean of squares. Was the vector centred or standardised?"
            raise ValueError(problem(name, f"{vectors[where].item():g} at {where}", "no negative entries", cause))
        empty = ~(vectors > 0).any(-1)
        if bool(empty.any()):
            where = tuple(int(i) for i in empty.nonzero()[0]) if empty.ndim else ()
            came = "the zero vector" + (f" at row {where[0] if len(where) == 1 else where}" if where else "")
            cause = "A task to which no weight matters has a share in nothing: its head may be zero, or its units dead."
            raise ValueError(problem(name, came, "at least one entry above 0", cause))
