"""Every public function of vectors takes them in any form: right by a plain loop, or an error that names the argument.

`tests/test_formula_errors.py` has the errors of distances and losses one by one; here the forms go through all names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import taskembed_edu as te
from taskembed_edu.evaluation import all_distances, effective_dimension, mean_distance
from taskembed_edu.networks.learners import unflatten
from tests.runs import generator

Rows = list[list[float]]
# Small whole numbers: exact in half precision and as integers.
ROWS: Rows = [[0, 1, 2], [3, 1, 0], [1, 5, 2], [4, 4, 1], [2, 0, 6], [7, 1, 3]]
OTHER: Rows = [[1, 1, 2], [3, 2, 0], [1, 5, 4], [4, 3, 1], [2, 0, 5], [7, 2, 3]]
GROUPS = [0, 0, 1, 1, 2, 2]
TRUE: Rows = [[0, 3], [1, 5], [2, 0], [6, 4], [3, 3], [7, 8]]

FORMS: dict[str, Callable[[Rows], Any]] = {
    "tensor": lambda rows: torch.tensor(rows, dtype=torch.float32),
    "double": lambda rows: torch.tensor(rows, dtype=torch.float64),
    "half": lambda rows: torch.tensor(rows, dtype=torch.float16),
    "bfloat16": lambda rows: torch.tensor(rows, dtype=torch.bfloat16),
    "whole": lambda rows: torch.tensor(rows, dtype=torch.float64).long(),
    "with gradient": lambda rows: torch.tensor(rows, dtype=torch.float32, requires_grad=True),
    "array": lambda rows: np.array(rows, np.float32),
    "double array": lambda rows: np.array(rows, np.float64),
    "half array": lambda rows: np.array(rows, np.float16),
    "whole array": lambda rows: np.array(rows, np.int64),
    "backwards in memory": lambda rows: np.array(rows[::-1], np.float64)[::-1],
    "lists": lambda rows: rows,
    "tuples": lambda rows: tuple(map(tuple, rows)),
    "list of tensors": lambda rows: [torch.tensor(row, dtype=torch.float32) for row in rows],
    "list of arrays": lambda rows: [np.array(row) for row in rows],
}


# ---- by plain loops, in double precision ---------------------------------------------------------------------------


def matrix(a: Rows, b: Rows, metric: str = "euclidean") -> Rows:
    def one(x: list[float], y: list[float]) -> float:
        if metric == "manhattan":
            return sum(abs(p - q) for p, q in zip(x, y, strict=True))
        if metric == "cosine":
            return 1 - sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))
        return math.dist(x, y) ** (2 if metric == "squared_euclidean" else 1)

    return [[one(x, y) for y in b] for x in a]


DISTANCES = matrix(ROWS, ROWS)
N = len(ROWS)


def recall(k: int) -> float:
    found = 0.0
    for i, row in enumerate(matrix(OTHER, ROWS)):
        nearer, tied = sum(d < row[i] for d in row), sum(d == row[i] for d in row)
        found += min(1, max(0, (k - nearer) / tied))
    return found / N


def purity(distances: Rows) -> float:
    nearest = [min((d, j) for j, d in enumerate(row) if j != i)[1] for i, row in enumerate(distances)]
    return sum(GROUPS[i] == GROUPS[j] for i, j in enumerate(nearest)) / N


def ranks(values: list[float]) -> list[float]:
    return [sum(w < v for w in values) + (sum(w == v for w in values) - 1) / 2 for v in values]


def pearson(x: list[float], y: list[float]) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    sxy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return sxy / math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


def upper(distances: Rows) -> list[float]:
    return [distances[i][j] for i in range(N) for j in range(i + 1, N)]


def covariance() -> Rows:
    means = [sum(column) / N for column in zip(*ROWS, strict=True)]
    return [[sum((r[a] - means[a]) * (r[b] - means[b]) for r in ROWS) for b in range(3)] for a in range(3)]


def dimension() -> float:
    c = covariance()
    return sum(c[a][a] for a in range(3)) ** 2 / sum(c[a][b] ** 2 for a in range(3) for b in range(3))


def trust(k: int) -> float:
    near = [sorted((d, j) for j, d in enumerate(row) if j != i) for i, row in enumerate(matrix(TRUE, TRUE))]
    beyond = 0
    for i, row in enumerate(DISTANCES):
        beyond += sum(max(0, sum(d < row[j] for d in row) - k) for _, j in near[i][:k])
    return 1 - 2 * beyond / (N * k * (2 * N - 3 * k - 1))


def variances_of_map(layout: Any) -> list[float]:
    """Two variances: those of PCA are the two largest eigenvalues, found by repeated multiplication."""
    return [float((layout[:, axis] ** 2).sum()) for axis in (0, 1)]


def eigenvalues() -> list[float]:
    c, found = covariance(), []
    for _ in range(2):
        v = [1.0, 0.3, 0.7]
        for _ in range(500):
            v = [sum(c[a][b] * v[b] for b in range(3)) for a in range(3)]
            size = math.hypot(*v)
            v = [value / size for value in v]
        found.append(size)
        c = [[c[a][b] - size * v[a] * v[b] for b in range(3)] for a in range(3)]
    return found


# ---- the table: a call of each name, and its value by the loops ----------------------------------------------------

# Distances of trustworthiness and Spearman have ties in half precision only where the loops have them too.
CALLS: dict[str, tuple[Callable[[Callable[[Rows], Any]], Any], Callable[[], Any]]] = {
    "pairwise_distances": (lambda f: te.pairwise_distances(f(ROWS), f(OTHER)), lambda: matrix(ROWS, OTHER)),
    "pairwise_distances, manhattan": (
        lambda f: te.pairwise_distances(f(ROWS), metric="manhattan"),
        lambda: matrix(ROWS, ROWS, "manhattan"),
    ),
    "euclidean_distance": (
        lambda f: te.euclidean_distance(f(ROWS), f(OTHER)),
        lambda: [math.dist(x, y) for x, y in zip(ROWS, OTHER, strict=True)],
    ),
    "squared_euclidean_distance": (
        lambda f: te.squared_euclidean_distance(f(ROWS), f(OTHER)),
        lambda: [math.dist(x, y) ** 2 for x, y in zip(ROWS, OTHER, strict=True)],
    ),
    "manhattan_distance": (
        lambda f: te.manhattan_distance(f(ROWS), f(OTHER)),
        lambda: [matrix([x], [y], "manhattan")[0][0] for x, y in zip(ROWS, OTHER, strict=True)],
    ),
    "cosine_distance": (
        lambda f: te.cosine_distance(f(ROWS), f(OTHER)),
        lambda: [matrix([x], [y], "cosine")[0][0] for x, y in zip(ROWS, OTHER, strict=True)],
    ),
    "cosine_similarity": (
        lambda f: te.cosine_similarity(f(ROWS), f(OTHER)),
        lambda: [1 - matrix([x], [y], "cosine")[0][0] for x, y in zip(ROWS, OTHER, strict=True)],
    ),
    "all_distances": (lambda f: all_distances(f(ROWS)), lambda: DISTANCES),
    "recall_at_k": (lambda f: te.recall_at_k(f(OTHER), f(ROWS), ks=(1, 2)), lambda: {1: recall(1), 2: recall(2)}),
    "neighbour_purity": (
        lambda f: te.neighbour_purity(f(matrix(ROWS, ROWS, "manhattan")), GROUPS),
        lambda: purity(matrix(ROWS, ROWS, "manhattan")),
    ),
    "effective_dimension": (lambda f: effective_dimension(f(ROWS)), dimension),
    "pca_layout": (lambda f: variances_of_map(te.pca_layout(f(ROWS))), eigenvalues),
    "pca_layout, after another": (
        lambda f: te.pca_layout(f(ROWS), -te.pca_layout(f(ROWS))),
        lambda: (-te.pca_layout(torch.tensor(ROWS, dtype=torch.float64))).tolist(),
    ),
    "trustworthiness": (lambda f: te.trustworthiness(f(ROWS), f(TRUE), 2), lambda: trust(2)),
    "TrueGeometry": (
        lambda f: te.TrueGeometry(f(matrix(ROWS, ROWS, "manhattan"))).spearman(f(OTHER)),
        lambda: pearson(ranks(upper(matrix(ROWS, ROWS, "manhattan"))), ranks(upper(matrix(OTHER, OTHER)))),
    ),
    "TrueGeometry, of distances": (
        lambda f: te.TrueGeometry(f(matrix(ROWS, ROWS, "manhattan"))).rank_correlation(
            f(matrix(OTHER, OTHER, "manhattan"))
        ),
        lambda: pearson(*(ranks(upper(matrix(each, each, "manhattan"))) for each in (ROWS, OTHER))),
    ),
    "contrastive_loss": (
        lambda f: te.contrastive_loss(f(ROWS), f(OTHER), [1] * N, reduction="sum"),
        lambda: sum(math.dist(x, y) for x, y in zip(ROWS, OTHER, strict=True)),
    ),
    "pairwise_contrastive_loss": (
        lambda f: te.pairwise_contrastive_loss(f(ROWS), GROUPS, margin=5, reduction="sum"),
        lambda: sum(
            DISTANCES[i][j] if GROUPS[i] == GROUPS[j] else max(0, 5 - DISTANCES[i][j])
            for i in range(N)
            for j in range(i + 1, N)
        ),
    ),
    "hard_triplets": (
        lambda f: [index.tolist() for index in te.hard_triplets(f(matrix(ROWS, ROWS, "manhattan")), GROUPS)],
        lambda: hard(matrix(ROWS, ROWS, "manhattan")),
    ),
    "pairwise_task2vec_distances": (lambda f: te.pairwise_task2vec_distances(f(ROWS))[0, 1], lambda: task2vec(0, 1)),
    "LiveUMAP": (lambda f: np.isfinite(te.LiveUMAP(2).update(f(ROWS))).sum(), lambda: 2 * N),
}


def hard(distances: Rows) -> list[list[int]]:
    anchors = list(range(N))
    positives = [next(j for j in anchors if j != a and GROUPS[j] == GROUPS[a]) for a in anchors]
    others = [[j for j in anchors if GROUPS[j] != GROUPS[a]] for a in anchors]
    return [anchors, positives, [min((distances[a][j], j) for j in others[a])[1] for a in anchors]]


def task2vec(i: int, j: int) -> float:
    shares = [
        [p / (p + q) if p + q else 0 for p, q in zip(one, other, strict=True)]
        for one, other in ((ROWS[i], ROWS[j]), (ROWS[j], ROWS[i]))
    ]
    return matrix([shares[0]], [shares[1]], "cosine")[0][0]


def plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().double().numpy()
    return np.array(list(value.values()) if isinstance(value, dict) else value, dtype=np.float64)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CALLS)
def test_the_right_answer_in_every_form(name: str, form: str) -> None:
    call, loop = CALLS[name]
    came, expected = plain(call(FORMS[form])), plain(loop())
    assert came.shape == expected.shape
    assert came == pytest.approx(expected, rel=2e-6, abs=2e-6)


# ---- what is refused -----------------------------------------------------------------------------------------------

EMBEDDINGS: dict[str, Callable[[Any], Any]] = {
    "pairwise_distances": te.pairwise_distances,
    "all_distances": all_distances,
    "recall_at_k": lambda x: te.recall_at_k(x, x),
    "effective_dimension": effective_dimension,
    "pca_layout": te.pca_layout,
    "trustworthiness": lambda x: te.trustworthiness(x, TRUE),
    "trustworthiness, layout": lambda x: te.trustworthiness(ROWS, x),
    "spearman": lambda x: te.TrueGeometry(DISTANCES).spearman(x),
    "LiveUMAP": lambda x: te.LiveUMAP(2).update(x),
    "pairwise_contrastive_loss": lambda x: te.pairwise_contrastive_loss(x, GROUPS),
    "info_nce_loss": lambda x: te.info_nce_loss(x, GROUPS),
    "batch_triplet_loss": lambda x: te.batch_triplet_loss(x, GROUPS),
    "balanced_contrastive_loss": lambda x: te.balanced_contrastive_loss(x, GROUPS),
    "prototypical_loss": lambda x: te.prototypical_loss(x, GROUPS, x, GROUPS),
    "pairwise_task2vec_distances": te.pairwise_task2vec_distances,
}
MATRICES: dict[str, Callable[[Any], Any]] = {
    "neighbour_purity": lambda x: te.neighbour_purity(x, GROUPS),
    "TrueGeometry": te.TrueGeometry,
    "rank_correlation": lambda x: te.TrueGeometry(DISTANCES).rank_correlation(x),
    "LiveUMAP, distances": lambda x: te.LiveUMAP(2).update(ROWS, distances=x),
}
WRONG: dict[str, Any] = {
    "NaN": [[math.nan, 1.0, 2.0], *ROWS[1:]],
    "one row": ROWS[0],
    "words": [["a", "b", "c"]] * N,
    "unequal rows": [*ROWS[:-1], [1.0]],
    "complex": torch.tensor(ROWS, dtype=torch.complex64),
    "a number": 3.0,
    "nothing": None,
    "a text": "vectors",
    "a set of sets": torch.tensor([ROWS, ROWS]),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", [*EMBEDDINGS, *MATRICES])
def test_what_is_no_batch_is_refused_by_name(name: str, wrong: str) -> None:
    value = WRONG[wrong]
    if (name, wrong) == ("LiveUMAP, distances", "nothing"):
        value = [None]  # without distances UMAP computes them
    if name in MATRICES and wrong == "NaN":
        value = [[math.nan if i == j == 2 else d for j, d in enumerate(row)] for i, row in enumerate(DISTANCES)]
    with pytest.raises((ValueError, TypeError), match=r"^[\w ]+: got .*, expected ") as told:
        {**EMBEDDINGS, **MATRICES}[name](value)
    assert told.value.__traceback__ is not None


@pytest.mark.parametrize(
    "name", ["recall_at_k", "effective_dimension", "pca_layout", "trustworthiness", "spearman", "LiveUMAP"]
)
def test_no_rows_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"embedding|queries: got a tensor of shape \(0, 3\)"):
        EMBEDDINGS[name](torch.zeros(0, 3))


@pytest.mark.parametrize("name", [*MATRICES, "purity_by_chance"])
def test_no_distances_are_refused_and_no_groups_are_nan(name: str) -> None:
    if name == "purity_by_chance":
        assert math.isnan(te.purity_by_chance([]))
        return
    with pytest.raises(ValueError, match=r"\w+: got a tensor of shape \(0, 0\)"):
        MATRICES[name](torch.zeros(0, 0))


def test_one_row_is_a_batch_of_one() -> None:
    one = [[3.0, 4.0]]
    assert te.pca_layout(one).tolist() == [[0.0, 0.0]]
    assert effective_dimension(one) == 0.0
    assert te.recall_at_k(one, one, ks=[1]) == {1: 1.0}
    assert te.trustworthiness(one, one) == 1.0
    assert math.isnan(te.neighbour_purity([[0.0]], [1]))
    assert te.pairwise_distances(one).tolist() == [[0.0]]


def test_distances_may_be_infinite_and_groups_of_any_whole_kind() -> None:
    apart = [[0, 1, math.inf], [1, 0, math.inf], [math.inf, math.inf, 0]]
    for groups in ([0, 0, 1], np.array([0, 0, 1], np.uint8), torch.tensor([0.0, 0.0, 1.0])):
        assert te.neighbour_purity(apart, groups) == 1.0
        assert te.purity_by_chance(groups) == 0.5
    with pytest.raises(
        ValueError, match=r"groups: got .*\(2,\).*expected shape \(3,\): one class for each row of dist"
    ):
        te.neighbour_purity(apart, [0, 1])


def test_arguments_beside_the_vectors() -> None:
    with pytest.raises(ValueError, match=r"layout: got a tensor of shape \(5, 2\).*expected 6 rows, as embedding has"):
        te.trustworthiness(ROWS, TRUE[:5])
    with pytest.raises(ValueError, match="n_neighbors: got 0, expected a number of at least 1"):
        te.trustworthiness(ROWS, TRUE, 0)
    with pytest.raises(TypeError, match=r"ks: got 1, expected a list of whole numbers. .*ks=\[1\]"):
        te.recall_at_k(ROWS, ROWS, ks=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"k: got 1\.5, expected a whole number"):
        te.recall_at_k(ROWS, ROWS, ks=[1.5])  # type: ignore[list-item]
    with pytest.raises(IndexError, match="task: got 6, expected one of 0 to 5"):
        te.TrueGeometry(DISTANCES).nearest(6)
    with pytest.raises(ValueError, match=r"distances: got .*\(2, 2\).*expected 6 rows and columns"):
        te.TrueGeometry(DISTANCES).rank_correlation([[0, 1], [1, 0]])
    assert te.TrueGeometry(np.array(DISTANCES).astype(int)).nearest_of_all(2).shape == (6, 2)
    assert mean_distance(torch.tensor(DISTANCES)) == pytest.approx(sum(map(sum, DISTANCES)) / 30)


# ---- networks ------------------------------------------------------------------------------------------------------


def test_what_goes_beside_networks_in_every_form() -> None:
    learner = te.MLP(1, 1, (2,), activation="tanh")
    numbers = torch.tensor([[0.5, -1.0, 0.1, 0.2, 1.0, 2.0, 0.3]])
    networks = unflatten(learner, numbers)
    a, b, c, d, e, f, g = numbers[0].tolist()
    by_hand = [e * math.tanh(a * x + c) + f * math.tanh(b * x + d) + g for x in (0.0, 1.0, 3.0)]
    for form, make in FORMS.items():
        probe = make([[0], [1], [3]])
        assert te.outputs_at(learner, networks, probe)[0].tolist() == pytest.approx(by_hand, rel=1e-4), form
        assert te.function_distance(learner, networks, probe).tolist() == [[0.0]], form
    turned = {name: te.permute_units(learner, networks, "hidden_1", make([[1], [0]])) for name, make in FORMS.items()}
    for name, network in turned.items():
        assert network["hidden_1.weight"].flatten().tolist() == pytest.approx([b, a]), name
    for signs in ([1, -1], np.array([1, -1]), (1.0, -1.0)):
        flipped = te.flip_signs(learner, networks, "hidden_1", signs)
        assert flipped["hidden_1.weight"].flatten().tolist() == pytest.approx([a, -b])
        with pytest.raises((ValueError, TypeError), match="signs: got"):
            te.flip_signs(learner, networks, "hidden_1", ["a", "b"])


def test_what_is_no_stack_of_networks_is_refused() -> None:
    learner, tasks = te.MLP(1, 1, (4,)), te.Sinusoids().sample(3, rng=generator())
    start = te.start_networks(learner, 3, generator())
    trained = te.train_tasks(learner, tasks, 1, start=start, compiled="off")
    with pytest.raises(TypeError, match=r"parameters: got a Trained, expected a dict of tensors.*trained\.parameters"):
        te.weight_vectors(learner, trained)  # type: ignore[arg-type]
    arrays = {name: value.numpy() for name, value in start.items()}
    with pytest.raises(TypeError, match=r"start: got a dict, expected a dict of tensors.*torch\.from_numpy"):
        te.train_tasks(learner, tasks, 1, start=arrays, compiled="off")  # type: ignore[arg-type]


def test_a_batch_of_arrays_is_told_how_to_become_one() -> None:
    tasks = te.Sinusoids().sample(3, rng=generator())
    for field in ("support_x", "truth"):
        given: dict[str, Any] = {**vars(tasks), field: getattr(tasks, field).numpy()}
        with pytest.raises(TypeError, match=f"{field}: got a ndarray, expected a tensor.*OwnTasks makes tasks"):
            te.TaskBatch(**given)


@pytest.mark.parametrize(
    "given, words",
    [
        (np.ma.masked_greater(np.array(ROWS), 6), "1 numbers are masked"),
        (torch.tensor(ROWS).to_sparse(), r"Write \.to_dense\(\)"),
    ],
    ids=["masked", "sparse"],
)
def test_numbers_that_are_not_there_are_not_made_up(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        te.pairwise_distances(given)
    with pytest.raises(ValueError, match=words):
        te.pca_layout(given)
    assert torch.equal(te.pairwise_distances(np.ma.array(ROWS)), te.pairwise_distances(np.array(ROWS)))
