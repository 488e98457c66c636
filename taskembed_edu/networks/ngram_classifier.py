"""The learner of short texts: letter n-grams by a hash, an embedding of each, and a linear layer on their sum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from taskembed_edu.base.checks import check_whole
from taskembed_edu.networks.layers import affine
from taskembed_edu.networks.learners import FromSamples, Parameters
from taskembed_edu.networks.ngrams import ngram_vectors

# A name of ten letters has about so many n-grams.
_N_GRAMS = 50


@dataclass(frozen=True)
class NgramClassifier(FromSamples):
    r"""fastText: logits = g(x) E W + b, with g(x) a text's hashed n-grams (`ngram_vectors`), and E their embeddings.

    It has few buckets, which n-grams share, so that its weights are short enough for a task's vector. g(x) is scaled to
    length sqrt(50): about 1 for each n-gram of a name. Two matrix products, so that it can be differentiated twice.

    Shapes: x (n, length), whole numbers -> (n, n_out). Source: Joulin, Grave, Bojanowski and Mikolov 2017, section 2.
    Worked number: 512 buckets, 16 hidden units and 5 classes are 8,277 parameters.
    """

    n_out: int
    hidden: int = 16
    n_buckets: int = 512
    classification: bool = True

    name: ClassVar[str] = "fasttext"

    def __post_init__(self) -> None:
        for size in ("n_out", "hidden", "n_buckets"):
            check_whole(size, getattr(self, size), 1, None)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            "embedding.weight": (self.n_buckets, self.hidden),
            "output.weight": (self.hidden, self.n_out),
            "output.bias": (1, self.n_out),
        }

    def fan_in(self, layer: str) -> int:
        return _N_GRAMS if layer == "embedding" else self.hidden

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return len(x_shape) == 1

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        embedding = parameters["embedding.weight"]
        n_grams = math.sqrt(_N_GRAMS) * ngram_vectors(x, self.n_buckets, embedding.dtype)
        return affine(n_grams @ embedding, parameters["output.weight"], parameters["output.bias"])
