"""The map in words: numbers against plain loops, groups where there are some, names of the right neighbours."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from taskembed_edu.live.packets import run_picture
from taskembed_edu.live.words import about_run, differing_settings, groups, help_packet, map_words, reading, shared
from taskembed_edu.session.session import Session
from tests.runs import small_session


def points(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)


def by_hand(layout: np.ndarray, values: np.ndarray, kind: str) -> float:
    """The docstring's formula as loops."""

    def difference(i: int, j: int) -> float:
        if kind == "category":
            return 2.0 * (values[i] != values[j])  # two one-hot vectors: apart by 1 in two places
        if kind == "angle":
            return abs(np.exp(1j * values[i]) - np.exp(1j * values[j])) ** 2
        return (values[i] - values[j]) ** 2

    n = len(layout)
    near = []
    for i in range(n):
        others = sorted((j for j in range(n) if j != i), key=lambda j: math.dist(layout[i], layout[j]))
        near += [difference(i, j) for j in others[:5]]
    every = [difference(i, j) for i in range(n) for j in range(i)]
    return float(1 - np.mean(near) / np.mean(every))


@pytest.mark.parametrize("kind", ["quantity", "angle", "category"])
def test_what_neighbours_share_is_the_formula(kind: str) -> None:
    layout = points(40)
    values = np.round((3 * layout[:, 0] + 0.3 * points(40, 1)[:, 0]).astype(float), 0 if kind == "category" else 5)
    (score,) = shared(layout, values[:, None], (kind,))  # type: ignore[arg-type]
    assert score == pytest.approx(by_hand(layout, values, kind), abs=1e-9)
    assert score > 0.1


def test_chance_shares_nothing_and_order_shares_all() -> None:
    layout = points(1000)
    truth = np.stack((layout[:, 0], np.random.default_rng(2).normal(size=1000), np.zeros(1000)), axis=1)
    ordered, chance, same = shared(layout, truth, ("quantity",) * 3)
    assert ordered > 0.97
    assert abs(chance) < 0.05
    assert same == 0.0


def test_one_spot_is_no_order() -> None:
    values = np.arange(30.0)[:, None]
    assert np.isfinite(shared(np.zeros((30, 2), np.float32), values, ("quantity",))).all()
    assert shared(points(2), values[:2], ("quantity",)) == [0.0]


@pytest.mark.parametrize("n_groups", [1, 2, 5])
def test_groups_that_stand_apart_are_counted(n_groups: int) -> None:
    centres = 30 * np.stack((np.arange(n_groups), np.zeros(n_groups)), axis=1)
    layout = (points(300) + centres[np.arange(300) % n_groups]).astype(np.float32)
    assert groups(layout) == n_groups
    stray = layout.copy()
    stray[0] = (500, 500)  # one that stands alone is no group
    assert groups(stray) == n_groups


def test_a_map_in_crumbs_or_on_one_spot_has_no_groups() -> None:
    crumbs = np.repeat(100 * points(100), 3, axis=0) + 0.001 * points(300, 3)
    assert groups(crumbs.astype(np.float32)) == 1
    assert groups(np.zeros((100, 2), np.float32)) == 1
    assert groups(points(10)) == 1


def test_the_words_follow_the_map() -> None:
    session = small_session(n_tasks=60, family="sinusoids")
    words = map_words(session, session.frame)
    assert words.startswith("60 tasks (Sine waves) at step 0, drawn by PCA. ")
    scores = shared(session.frame.layout, session.tasks.truth.numpy(), session.split.validation.truth_kinds)
    best = int(np.argmax(scores))
    assert f"are similar in: {session.tasks.truth_names[best]} ({scores[best]:.2f})" in words
    session.step(8)
    assert "at step 8" in map_words(session, session.frame)
    assert "at step 0" in map_words(session, session.history[0])
    assert "Chosen" not in words


def test_the_words_of_a_chosen_task_name_its_neighbours() -> None:
    session = small_session()
    session.step(8)
    names = session.tasks.names
    embedding, truth = session.nearest(session.frame, 3)
    words = map_words(session, session.frame, chosen=3)
    near, true = ("; ".join(names[i] for i in found[:3]) for found in (embedding, truth))
    both = len(set(embedding.tolist()) & set(truth.tolist()))
    assert f"Chosen: {names[3]}. Nearest in the embedding: {near}. Nearest in truth: {true}. {both} of the 5" in words


def test_the_words_of_a_language_name_its_relatives_and_no_strangers() -> None:
    session = Session("parameters", "number_words", n_tasks=42, hidden=4, projection="pca")
    session.step(1)
    families = session.tasks.truth[:, 0].tolist()
    sizes = {task: families.count(families[task]) for task in range(42)}
    alone, pair = (next(task for task, size in sizes.items() if size == n) for n in (1, 2))
    said = map_words(session, session.frame, chosen=alone)
    assert said.endswith("It has no relative among these: in truth all others are equally far.")
    assert "Nearest in truth" not in said
    relative = next(i for i in range(42) if i != pair and families[i] == families[pair])
    embedding, truth = session.nearest(session.frame, pair)
    assert (len(embedding), truth.tolist()) == (5, [relative])
    said = map_words(session, session.frame, chosen=pair)
    assert f"Nearest in truth: {session.tasks.names[relative]}; all others are equally far. " in said
    both = int(relative in embedding)
    assert said.endswith(f"{both} of 1 {'is' if both else 'are'} among the 5 nearest in the embedding.")
    for task in range(42):
        links = run_picture(session, session.frame, 0, task, "")["links"]
        expected = [i for i in range(42) if i != task and families[i] == families[task]]
        assert set(links["truth"]) <= set(expected)
        assert len(links["truth"]) == min(5, len(expected))


def test_a_map_without_order_is_called_so() -> None:
    session = small_session(n_tasks=100)
    frame = session.frame
    shuffled = type(frame)(**{**vars(frame), "layout": np.random.default_rng(1).permutation(frame.layout)})
    assert "not more similar in any true parameter" in map_words(session, shuffled)


def test_islands_are_said_with_the_doubt_that_the_map_deserves() -> None:
    session = small_session(n_tasks=60)
    side = np.where(np.arange(60) % 2, 100.0, 0.0)[:, None]
    parted = {**vars(session.frame), "layout": (points(60) + side).astype(np.float32)}
    frame = type(session.frame)(**parted)
    assert "The map shows 2 islands. " in map_words(session, frame, chosen=3)
    by_umap = type(frame)(**{**parted, "projection": "umap"})
    assert "The map shows 2 islands; UMAP can make islands where there are none." in map_words(session, by_umap)


def test_a_run_is_known_by_its_settings() -> None:
    session = small_session()
    assert about_run(session).startswith("Contrastive loss, Euclidean distance, margin 1")
    session.set(loss="info_nce", metric="cosine")
    assert about_run(session).startswith("InfoNCE loss, Cosine distance, ")
    assert "margin" not in about_run(session)  # InfoNCE has none


def test_two_runs_are_told_apart_by_what_differs() -> None:
    one, other = (Session("parameters", n_tasks=20, hidden=4, start=start, seed=3) for start in ("shared", "own"))
    differ = differing_settings([one, other])
    assert differ == ["start"]
    assert about_run(one, first=differ).startswith("start One for all, ")
    assert about_run(other, first=differ).startswith("start One each, ")
    other.set(metric="cosine")
    assert differing_settings([one, other]) == ["start", "metric"]
    assert about_run(other, first=differing_settings([one, other])).startswith("start One each, Cosine distance, ")
    assert about_run(other, first=differing_settings([one, other])).count("Cosine") == 1
    assert differing_settings([one]) == []


def test_of_equally_near_tasks_each_counts_as_right() -> None:
    session = Session("parameters", "number_words", n_tasks=42, hidden=4, projection="pca")
    names = session.tasks.names
    russian = names.index("Russian")
    assert session.geometry is not None
    slavic = [i for i in range(42) if session.geometry.true_distance[russian, i] == 1]
    assert len(slavic) > 5
    vectors = np.zeros_like(session.frame.embedding)
    vectors[:, 0] = np.arange(42) + 100
    for place, task in enumerate([russian, *reversed(slavic)]):
        vectors[task, 0] = place
    frame = dataclasses.replace(session.frame, embedding=vectors, settings=session.settings.changed(metric="euclidean"))
    assert map_words(session, frame, chosen=russian).endswith("5 of the 5 nearest are the same.")


def test_the_reading_names_its_sources_and_is_plain_text() -> None:
    text = " ".join(reading())
    assert all(word in text for word in ("UMAP", "PCA", "Trustworthiness", "Jitter", "McInnes", "Venna and Kaski 2001"))
    assert "<" not in text
    assert help_packet(small_session())["reading"] == reading()
