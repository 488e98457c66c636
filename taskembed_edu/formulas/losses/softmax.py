r"""Losses that are a cross-entropy over distances, so that the correct one is nearest: InfoNCE and prototypical."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn.functional import cross_entropy

from taskembed_edu.base.checks import problem
from taskembed_edu.formulas._vectors import Vectors, as_labels, as_vectors, check_rows, values_readable
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts
from taskembed_edu.formulas.known_batch import is_known
from taskembed_edu.formulas.losses.records import Loss
from taskembed_edu.formulas.losses.terms import as_labelled_batch, check_settings, check_temperature, reduce_terms
from taskembed_edu.formulas.mining import positive_and_negative


def info_nce_loss(
    embeddings: Vectors,
    labels: Vectors,
    temperature: float = 0.1,
    metric: str = "cosine",
    reduction: str = "mean",
) -> torch.Tensor:
    r"""InfoNCE of a labelled batch, in its supervised form: each point should find its positives among all others.

    .. math::
        L_i = -\frac{1}{|P(i)|} \sum_{p \in P(i)}
              \log \frac{\exp(-d(x_i, x_p) / \tau)}{\sum_{a \ne i} \exp(-d(x_i, x_a) / \tau)},
        \qquad P(i) = \{p \ne i : \text{label}_p = \text{label}_i\}

    The score of a pair is minus its distance, for every metric. With cosine that is the papers' cosine similarity:
    the two differ by 1, which the fraction cancels.

    Shapes: embeddings (n, dim), labels (n,). Each point that has a positive gives one term. "mean" divides by the
    number of these points; if there are none, the loss is 0. Without a negative it is still defined: log |P(i)| if all
    positives are equally near. Units: nats. Range: 0 to infinity. Gradient: pulls each positive, and pushes every other
    point by its share of the sum; a smaller temperature gives a larger share to the nearest.

    Raises for a temperature that is not above 0, an unknown metric or reduction, and for what the distances raise.

    Source: Khosla et al. 2020 (supervised contrastive learning), equation 2. With one positive each it is the InfoNCE
    of van den Oord, Li and Vinyals 2018, equation 4, as SimCLR uses it (Chen et al. 2020, equation 1).

    >>> info_nce_loss([[1, 0], [1, 0], [0, 1]], [0, 0, 1], temperature=1.0)  # log(1 + 1 / e)
    tensor(0.3133)
    """
    check_settings(metric, reduction)
    check_temperature(temperature)
    embeddings, labels = as_labelled_batch(embeddings, labels, metric)
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    scores = METRICS[metric].matrix(embeddings, embeddings) / -temperature
    log_total = scores.masked_fill(itself, torch.finfo(scores.dtype).min).logsumexp(1, keepdim=True)
    positive, _ = positive_and_negative(labels)
    n_positive = positive.sum(1)
    terms = ((log_total - scores) * positive).sum(1) / n_positive.clamp(min=1)
    return reduce_terms(terms, reduction, n_positive > 0)


def prototypes(support: Vectors, support_labels: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
    r"""The mean of each class of a support set, and the classes in that order.

    .. math:: c_k = \frac{1}{|S_k|} \sum_{i \in S_k} x_i

    Shapes: support (n_support, dim), support_labels (n_support,) to (n_way, dim) and (n_way,), classes ascending.

    Source: Snell, Swersky and Zemel 2017 (prototypical networks), equation 1.

    >>> prototypes([[0.0], [2.0], [5.0]], [0, 0, 1])
    (tensor([[1.],
            [5.]]), tensor([0, 1]))
    """
    (support,) = as_vectors(support=support)
    check_rows(support=support)
    classes, index = as_labels("support_labels", support_labels, support, "support").unique(return_inverse=True)
    members = (index[None, :] == torch.arange(len(classes), device=index.device)[:, None]).double()
    # In double precision, which autocast leaves alone: in bfloat16 a mean of 1,002 would be 1,000.
    return ((members @ support.double()) / members.sum(1, keepdim=True)).to(support.dtype), classes


def prototypical_loss(
    support: Vectors,
    support_labels: Vectors,
    query: Vectors,
    query_labels: Vectors,
    metric: str = "squared_euclidean",
    reduction: str = "mean",
) -> torch.Tensor:
    r"""Prototypical loss of one episode: each query should be nearest to the mean of its class's support.

    .. math::
        L = -\frac{1}{|Q|} \sum_{(x, y) \in Q} \log \frac{\exp(-d(x, c_y))}{\sum_k \exp(-d(x, c_k))},
        \qquad c_k = \frac{1}{|S_k|} \sum_{i \in S_k} x_i

    Shapes: support (n_support, dim), query (n_query, dim), labels (n_support,) and (n_query,). One term per query;
    "mean" divides by the number of queries. Units: nats. Range: 0 to infinity; log(n_way) is chance. Gradients reach
    the queries and, through the means, the support.

    Raises for a query whose class has no support, an empty support set, an unknown metric or reduction, and for what
    the distances raise (cosine: also where the mean of a class is zero).

    Source: Snell, Swersky and Zemel 2017, equation 2 and algorithm 1; the squared Euclidean distance is theirs,
    section 2.3.

    >>> prototypical_loss([[0.0], [2.0], [5.0]], [0, 0, 1], [[1.0], [3.0]], [0, 0])  # log(1 + exp(-16)), log 2: a tie
    tensor(0.3466)
    """
    check_settings(metric, reduction)
    support, query = as_vectors(support=support, query=query)
    check_rows(support=support, query=query)
    if not len(support):
        raise ValueError(problem("support", support, "at least one example", "A class without support has no mean."))
    means, classes = prototypes(support, support_labels)
    query_labels = as_labels("query_labels", query_labels, query, "query")
    check_metric_accepts(metric, query=query, prototypes=means)
    is_class = query_labels[:, None] == classes[None, :]
    if values_readable() and not bool(is_class.any(1).all()):
        unknown = query_labels[~is_class.any(1)][0].item()
        known = ", ".join(f"{c:g}" for c in classes.tolist())
        raise ValueError(problem("query_labels", f"class {unknown:g}", f"classes of the support set ({known})"))
    scores = -METRICS[metric].matrix(query, means)
    return reduce_terms(cross_entropy(scores, is_class.int().argmax(1), reduction="none"), reduction)


def _prototypical_loss_of_two_sets(embeddings: torch.Tensor, labels: torch.Tensor, metric: str) -> torch.Tensor:
    """Each task is a class: its first set is the support, one example, and its second set the query."""
    support, query = embeddings.chunk(2)
    if is_known(labels):  # a class is one example, which is its mean
        scores = -METRICS[metric].matrix(query, support)
        return cross_entropy(scores, torch.arange(len(query), device=query.device))
    support_labels, query_labels = labels.chunk(2)
    return prototypical_loss(support, support_labels, query, query_labels, metric=metric, reduction="mean")


RECORDS = (
    Loss(
        name="info_nce",
        label="InfoNCE",
        help="Asks each set to pick the other set of its task among all sets of the batch.",
        of_batch=partial(info_nce_loss, reduction="mean"),
        needs_temperature=True,
    ),
    Loss(
        name="prototypical",
        label="Prototypical",
        help="Asks each second set to be nearest to the first set of its own task.",
        of_batch=_prototypical_loss_of_two_sets,
    ),
)
