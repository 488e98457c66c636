"""The formulas once more, as plain Python loops over lists of numbers: slow, and easy to see through.

The tests hold the package against these. No tensor, no broadcasting, no trick.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Vector = Sequence[float]
Distance = Callable[[Vector, Vector], float]


def euclidean(x: Vector, y: Vector) -> float:
    return math.sqrt(squared_euclidean(x, y))


def squared_euclidean(x: Vector, y: Vector) -> float:
    return math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def manhattan(x: Vector, y: Vector) -> float:
    return math.fsum(abs(a - b) for a, b in zip(x, y, strict=True))


def cosine_similarity(x: Vector, y: Vector) -> float:
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return dot / math.hypot(*x) / math.hypot(*y)


def cosine(x: Vector, y: Vector) -> float:
    return 1 - cosine_similarity(x, y)


DISTANCES: dict[str, Distance] = {
    "euclidean": euclidean,
    "squared_euclidean": squared_euclidean,
    "manhattan": manhattan,
    "cosine": cosine,
}


def pair_term(distance: float, similar: bool, margin: float, squared: bool) -> float:
    short = max(0.0, margin - distance)
    if squared:
        return distance**2 / 2 if similar else short**2 / 2
    return distance if similar else short


def pairs(labels: Sequence[int]) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels))]


def hard_pairs(points: Sequence[Vector], labels: Sequence[int], d: Distance) -> list[tuple[int, int]]:
    chosen: set[tuple[int, int]] = set()
    for i in range(len(labels)):
        positives = [j for j in range(len(labels)) if j != i and labels[j] == labels[i]]
        negatives = [j for j in range(len(labels)) if labels[j] != labels[i]]
        if positives:
            farthest = max(positives, key=lambda j: d(points[i], points[j]))
            chosen.add((min(i, farthest), max(i, farthest)))
        if negatives:
            nearest = min(negatives, key=lambda j: d(points[i], points[j]))
            chosen.add((min(i, nearest), max(i, nearest)))
    return sorted(chosen)


def triplets(labels: Sequence[int]) -> list[tuple[int, int, int]]:
    everyone = range(len(labels))
    return [
        (a, p, n)
        for a in everyone
        for p in everyone
        for n in everyone
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]


def hard_triplets(points: Sequence[Vector], labels: Sequence[int], d: Distance) -> list[tuple[int, int, int]]:
    chosen = []
    for a in range(len(labels)):
        mine = [t for t in triplets(labels) if t[0] == a]
        if mine:
            p = max(sorted({t[1] for t in mine}), key=lambda j: d(points[a], points[j]))
            n = min(sorted({t[2] for t in mine}), key=lambda j: d(points[a], points[j]))
            chosen.append((a, p, n))
    return chosen


def semi_hard_triplets(
    points: Sequence[Vector], labels: Sequence[int], d: Distance, margin: float
) -> list[tuple[int, int, int]]:
    chosen = []
    for a, p in dict.fromkeys((a, p) for a, p, _ in triplets(labels)):
        to_positive = d(points[a], points[p])
        within = [
            n
            for n in range(len(labels))
            if labels[n] != labels[a] and to_positive < d(points[a], points[n]) < to_positive + margin
        ]
        if within:
            chosen.append((a, p, min(within, key=lambda j: d(points[a], points[j]))))
    return chosen


def info_nce_terms(points: Sequence[Vector], labels: Sequence[int], d: Distance, temperature: float) -> list[float]:
    terms = []
    for i in range(len(labels)):
        others = [a for a in range(len(labels)) if a != i]
        positives = [p for p in others if labels[p] == labels[i]]
        if positives:
            total = sum(math.exp(-d(points[i], points[a]) / temperature) for a in others)
            shares = [math.exp(-d(points[i], points[p]) / temperature) / total for p in positives]
            terms.append(-sum(math.log(share) for share in shares) / len(positives))
    return terms


def prototypical_terms(
    support: Sequence[Vector],
    support_labels: Sequence[int],
    query: Sequence[Vector],
    query_labels: Sequence[int],
    d: Distance,
) -> list[float]:
    means = {}
    for k in set(support_labels):
        rows = [x for x, label in zip(support, support_labels, strict=True) if label == k]
        means[k] = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    terms = []
    for x, label in zip(query, query_labels, strict=True):
        shares = {k: math.exp(-d(x, mean)) for k, mean in means.items()}
        terms.append(-math.log(shares[label] / sum(shares.values())))
    return terms
