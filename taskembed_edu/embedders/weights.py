"""Weights as vectors: whole or one layer's, as they are, by their difference from the start, whitened, or by PCA."""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.networks.learners import Learner, Parameters, check_stack, device_of, flatten

FORMS = {"raw": "As they are", "difference": "From the start", "pca": "PCA", "whitened": "Whitened"}


def weight_vectors(
    learner: Learner,
    parameters: Parameters,
    *,
    layer: str = "all",
    form: str = "raw",
    start: Parameters | None = None,
    components: int = 8,
) -> Tensor:
    r"""Every task's weights as one vector: parameters (n_tasks, *shape) -> (n_tasks, dim).

    `layer` names one layer, or "all". `form` says how they are represented:

    - "raw": as they are;
    - "difference": w - w_0, how far each task has come from its start (needs `start`);
    - "pca": the `components` directions in which tasks differ most, from their mean;
    - "whitened": the same, each direction scaled to variance 1, so that all of them count alike.

    Under one shared start "difference" moves every task alike: Euclidean distances stay, cosine distances do not.
    Whitening all directions of n < dim tasks would make all distances equal, so only the first few are kept.
    Errors: ValueError for parameters of another learner, an unknown layer (with the known ones) or form, or
    "difference" without a start.
    Worked number: an MLP of 1, 32, 32 and 1 units gives 1,153 numbers, its "output" layer 33.
    """
    check_choice("form", form, FORMS)
    names = list(learner.shapes()) if layer == "all" else learner.of_layers([check_layer(learner, layer)])
    check_stack(learner, parameters)
    vectors = flatten({name: parameters[name] for name in names})
    if form == "difference":
        if start is None:
            raise ValueError(
                problem("start", None, "the parameters that training began with", "A difference needs it.")
            )
        return vectors - flatten({name: start[name].to(device_of(parameters)) for name in names})
    if form == "raw":
        return vectors
    return principal(vectors, components, whiten=form == "whitened")


def principal(vectors: Tensor, components: int, *, whiten: bool = False) -> Tensor:
    """Vectors (n, dim) in their first principal directions, (n, at most `components`); whitened: to variance 1 each.

    Signs are such that the largest entry of each direction is positive: the same on every machine.
    Worked number: (0, 0) and (3, 4) become -2.5 and 2.5.
    """
    centred = vectors.double() - vectors.double().mean(dim=0)
    u, s, directions = torch.linalg.svd(centred, full_matrices=False)
    if not bool(s[0] > 0):
        return vectors.new_zeros(len(vectors), 1)  # all alike: they differ in no direction
    kept = s[:components] > 1e-10 * s[0]
    u, s, directions = u[:, :components][:, kept], s[:components][kept], directions[:components][kept]
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True)).squeeze(1)
    scale = torch.full_like(s, max(1, len(vectors) - 1) ** 0.5) if whiten else s
    return (u * scale * largest.sign()).to(vectors.dtype)


def check_layer(learner: Learner, layer: str) -> str:
    """The layer's name; "all" is every layer. A ValueError names the known ones."""
    return check_choice("layer", layer, ("all", *learner.layers))
