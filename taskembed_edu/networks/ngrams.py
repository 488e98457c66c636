"""Short texts as bags of letter n-grams: every run of one to four letters goes to a bucket by a hash.

A text is whole numbers: a letter is 1 or more, and 0 stands for nothing, after the last letter. So that a beginning and
an end are seen, one 0 on each side belongs to the runs of two letters and more.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskembed_edu.base.checks import check_rng, check_whole, problem

LONGEST = 4

# Knuth's multiplicative hash: 2^32 divided by the golden ratio, to the nearest odd number (1998, vol. 3, section 6.4).
_KNUTH = 2654435769

# So that the product with a hash of 32 bits is a whole number of 64.
_MOST_BUCKETS = 2**24

# A run's number is made of its letters to this base; it is prime, and larger than any alphabet here.
_BASE = 257


def ngram_buckets(x: Tensor, n_buckets: int) -> Tensor:
    r"""The bucket of each run of one to four letters; `n_buckets` where there is none.

    .. math:: \lfloor (a \, h \bmod 2^{32}) \, n / 2^{32} \rfloor, \quad
              h = ((1 \cdot 257 + x_1) \cdot 257 + \dots + x_k) \bmod 2^{31}

    Shapes: (..., length), int64 -> (..., 4 length + 2). Source: Joulin and others 2017, section 2.2 (the hashing
    trick); Knuth 1998, section 6.4. Errors: ValueError for what is no text. Worked number: "ab" has two runs of one
    and, with its ends, three of two, two of three and one of four: eight buckets.
    """
    x = _text(x)
    check_whole("n_buckets", n_buckets, 1, _MOST_BUCKETS)
    length = (x > 0).sum(-1, keepdim=True) + 2
    x = F.pad(x, (1, 1))
    numbers = torch.ones_like(x)
    found = []
    for size in range(1, LONGEST + 1):
        n = x.shape[-1] - size + 1
        numbers = (numbers[..., :n] * _BASE + x[..., size - 1 :]) & (2**31 - 1)
        there = torch.arange(n, device=x.device) + size <= length
        if size == 1:
            there = x > 0
        buckets = ((numbers * _KNUTH & (2**32 - 1)) * n_buckets) >> 32
        found.append(torch.where(there, buckets, n_buckets))
    return torch.cat(found, dim=-1)


def ngram_vectors(x: Tensor, n_buckets: int, dtype: torch.dtype | None = None) -> Tensor:
    r"""How often each bucket comes in a text, divided by the vector's length: (..., length) -> (..., n_buckets).

    Counts are whole numbers, whose sum is the same in any order. A text without letters is 0. Worked number: in 2^20
    buckets, where no two meet, "ab" is eight times 1 / sqrt(8).
    """
    buckets = ngram_buckets(x, n_buckets)
    dtype = dtype or torch.get_default_dtype()
    none = torch.zeros(*buckets.shape[:-1], n_buckets + 1, dtype=dtype, device=x.device)
    counts = none.scatter_add(-1, buckets, torch.ones_like(buckets, dtype=dtype))[..., :-1]
    return F.normalize(counts, dim=-1)


class NgramFeatures(nn.Module):
    r"""Short texts to features: the mean of what the letter n-grams' buckets have learned. A linear map, no layer more.

    .. math:: f(x) = \frac{1}{|G(x)|} \sum_{g \in G(x)} w_{h(g)}

    G(x) are a text's runs of one to four letters, h their buckets (`ngram_buckets`).

    Shapes: (..., length), int64 -> (..., n_features). Source: Joulin, Grave, Bojanowski and Mikolov 2017, section 2
    (fastText); Bojanowski 2017 for the n-grams. Errors: ValueError for what is no text. Worked number: 2^15 buckets of
    256 numbers are 8.4 million weights.
    """

    def __init__(self, n_buckets: int = 2**15, n_features: int = 256) -> None:
        super().__init__()
        check_whole("n_buckets", n_buckets, 1, _MOST_BUCKETS)
        check_whole("n_features", n_features, 1, None)
        self.n_buckets = n_buckets
        self.weight = nn.Parameter(torch.empty(n_buckets + 1, n_features))

    @torch.no_grad()
    def initialise(self, rng: torch.Generator) -> None:
        """Draw the weights, normally distributed; the row of no n-gram stays 0.

        Their spread is such that squared distances of two names are below 1 at first: a softmax over them is soft.
        """
        check_rng(rng)
        self.weight.normal_(0.0, 0.3, generator=rng)
        self.weight[-1].zero_()

    def forward(self, x: Tensor) -> Tensor:
        buckets = ngram_buckets(x, self.n_buckets)
        flat = buckets.flatten(0, -2) if buckets.ndim > 1 else buckets.unsqueeze(0)
        found = F.embedding_bag(flat, self.weight, mode="mean", padding_idx=self.n_buckets)
        return found.reshape(*buckets.shape[:-1], self.weight.shape[1])


def ngram_features(rng: torch.Generator, n_buckets: int = 2**15, n_features: int = 256) -> NgramFeatures:
    """`NgramFeatures` with weights drawn from `rng`."""
    network = NgramFeatures(n_buckets, n_features)
    network.initialise(check_rng(rng))
    return network


class NgramVectors(nn.Module):
    """`ngram_vectors` as a module without weights: (..., length) -> (..., n_buckets)."""

    def __init__(self, n_buckets: int) -> None:
        super().__init__()
        self.n_buckets = int(check_whole("n_buckets", n_buckets, 1, _MOST_BUCKETS))

    def forward(self, x: Tensor) -> Tensor:
        return ngram_vectors(x, self.n_buckets)


def _text(x: Tensor) -> Tensor:
    """Texts as whole numbers of 64 bits: in fewer the hash would be another one."""
    if not isinstance(x, Tensor):
        raise TypeError(problem("x", x, "a tensor of letters", "write(name) makes one of a name."))
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool or x.ndim < 1 or not x.shape[-1]:
        cause = "A letter is 1 or more, and 0 stands for nothing, after the last one."
        raise ValueError(problem("x", x, "whole numbers, (..., length)", cause))
    return x.long()
