"""Hashed letter n-grams: against plain loops and scikit-learn, as a learner, as features, and bad input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from torch import Tensor

from taskembed_edu.adaptation import MAML, OuterLoop
from taskembed_edu.adaptation.features import EpisodeTraining
from taskembed_edu.embedders.summary import summary
from taskembed_edu.evaluation.text_baseline import TfidfPrototypes
from taskembed_edu.evaluation.transfer import support_only, transfer
from taskembed_edu.networks.ngram_classifier import NgramClassifier
from taskembed_edu.networks.ngrams import NgramFeatures, ngram_buckets, ngram_features, ngram_vectors
from taskembed_edu.tasks import LanguageNames
from taskembed_edu.tasks.cldr_names import ALPHABET, LENGTH, read, write
from tests.runs import generator

FAMILY = LanguageNames(n_way=3)
NAMES = st.text(alphabet=ALPHABET, min_size=1, max_size=LENGTH)


def by_hand(name: str, n_buckets: int) -> Counter[int]:
    """Every run of one to four letters, one end on each side belonging to the longer ones."""
    ids = [0, *(1 + ALPHABET.index(letter) for letter in name), 0]
    found: Counter[int] = Counter()
    for size in range(1, 5):
        for at in range(len(ids) - size + 1):
            run = ids[at : at + size]
            if run != [0]:
                number = 1
                for letter in run:
                    number = (257 * number + letter) % 2**31
                found[number * 2654435769 % 2**32 * n_buckets // 2**32] += 1
    return found


def buckets_of(name: str, n_buckets: int) -> Counter[int]:
    return Counter(b for b in ngram_buckets(write(name), n_buckets).tolist() if b < n_buckets)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from([1, 7, 512, 2**15, 2**24]))
def test_buckets_are_those_of_a_plain_loop(name: str, n_buckets: int) -> None:
    assert buckets_of(name, n_buckets) == by_hand(name, n_buckets)


def test_the_worked_number() -> None:
    assert buckets_of("ab", 2**20).total() == 8
    assert ngram_buckets(write("ab"), 9).shape == (4 * LENGTH + 2,)


def test_runs_are_those_of_scikit_learn() -> None:
    """Its own n-grams of the same texts, counted without a hash: the same angles, for no two runs meet here."""
    texts = ["albania", "albanien", "new zealand", "a", "papua-nova guinea", "zz zz zz"]
    wide = [CountVectorizer(analyzer="char", ngram_range=(2, 4)), CountVectorizer(analyzer="char", ngram_range=(1, 1))]
    ended = [f"<{text}<" for text in texts]
    counts = np.hstack([wide[0].fit_transform(ended).toarray(), wide[1].fit_transform(texts).toarray()])
    expected = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    ours = ngram_vectors(torch.stack([write(text) for text in texts]), 2**20, torch.double).numpy()
    np.testing.assert_allclose(ours @ ours.T, expected @ expected.T, atol=1e-12)


def test_few_runs_share_a_bucket() -> None:
    x, _y = LanguageNames(part=("fi", "es", "sw", "hi", "zh")).all_names()
    runs = set(ngram_buckets(x, 2**24).flatten().tolist())
    used = set(ngram_buckets(x, 2**14).flatten().tolist())
    expected = 2**14 * (1 - (1 - 2**-14) ** len(runs))  # thrown at random
    assert len(used) == pytest.approx(expected, rel=0.05)


def test_no_letters_are_no_vector() -> None:
    nothing = torch.zeros(2, LENGTH, dtype=torch.int64)
    assert not ngram_vectors(nothing[:, :4], 16)[:, :0].any()
    features = ngram_features(generator(), 64, 3)
    assert bool(torch.isfinite(features(nothing)).all())


# ---- the learner ----------------------------------------------------------------------------------------------------


def test_the_classifier_is_two_products() -> None:
    learner = NgramClassifier(n_out=3, hidden=4, n_buckets=32)
    assert (learner.n_parameters, learner.layers) == (32 * 4 + 4 * 3 + 3, ("embedding", "output"))
    weights = learner.init(generator())
    x = FAMILY.sample(1, n_shot=2, rng=generator()).support_x[0]
    expected = []
    for text in x:
        counts = by_hand(read(text), 32)
        n_grams = torch.tensor([float(counts[k]) for k in range(32)])
        hidden = 50**0.5 * n_grams / n_grams.norm() @ weights["embedding.weight"]
        expected.append(hidden @ weights["output.weight"] + weights["output.bias"][0])
    torch.testing.assert_close(learner.apply(weights, x), torch.stack(expected), atol=1e-5, rtol=1e-5)
    assert NgramClassifier(n_out=5).n_parameters == 8277


def test_it_can_be_differentiated_twice() -> None:
    tasks = FAMILY.sample(2, n_shot=2, rng=generator())
    learner = NgramClassifier(n_out=3, hidden=2, n_buckets=8)
    one = {name: value.double().requires_grad_() for name, value in learner.init(generator()).items()}

    def loss(*values: Tensor) -> Tensor:
        return learner.loss(dict(zip(one, values, strict=True)), tasks.support_x[0], tasks.support_y[0])

    assert torch.autograd.gradgradcheck(loss, tuple(one.values()))
    loop = OuterLoop(MAML(NgramClassifier(n_out=3), inner_lr=0.5, inner_steps=2), generator())
    losses = [float(loop.step(tasks, 1e-2)) for _ in range(15)]
    assert losses[-1] < losses[0]


# ---- features -------------------------------------------------------------------------------------------------------


def test_features_are_means_of_what_buckets_have_learned() -> None:
    features = ngram_features(generator(), 64, 5)
    x = FAMILY.sample(2, n_shot=2, rng=generator()).support_x
    found = features(x)
    assert found.shape == (2, 6, 5)
    for text, vector in zip(x.flatten(0, 1), found.flatten(0, 1), strict=True):
        counts = by_hand(read(text), 64)
        mean = sum(n * features.weight[bucket] for bucket, n in counts.items()) / counts.total()
        torch.testing.assert_close(vector, mean)
    torch.testing.assert_close(features(x[0, 0]), found[0, 0])
    assert torch.equal(features.weight, ngram_features(generator(), 64, 5).weight)
    assert not bool(features.weight[-1].any())


def test_episodes_teach_them_languages() -> None:
    split = LanguageNames(n_way=3).split(generator())
    network = ngram_features(generator(), 2**10, 16)
    rng = generator()
    losses = EpisodeTraining(network).fit(lambda: split.train.sample(8, 2, rng=rng), 100, 0.1)
    assert float(losses[-10:].mean()) < 0.85 * float(losses[:10].mean())
    assert not bool(network.weight[-1].any())


# ---- the baseline ---------------------------------------------------------------------------------------------------


def test_tfidf_is_scikit_learns() -> None:
    split = LanguageNames(n_way=3).split(generator())
    train = split.train
    assert isinstance(train, LanguageNames)
    texts = train.all_names()[0][::7]
    tasks = split.unseen.sample(5, n_shot=2, rng=generator(), n_query=4)
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4)).fit([read(text) for text in texts])
    baseline = TfidfPrototypes(texts, train.alphabet)
    (solution,) = baseline.solve(support_only(tasks), (0,))
    logits = solution(tasks.query_x, tasks.query_y)
    for task in range(len(tasks)):
        seen, asked = (
            vectoriser.transform([read(text) for text in x[task]]).toarray() for x in (tasks.support_x, tasks.query_x)
        )
        for k in range(3):
            prototype = seen[tasks.support_y[task].numpy() == k].mean(axis=0)
            expected = -((asked - prototype) ** 2).sum(axis=1)
            np.testing.assert_allclose(logits[task, :, k].numpy(), expected, atol=1e-6)
    found = transfer({"TF-IDF": baseline}, tasks, (0,))
    assert torch.equal(
        found.of("TF-IDF", "accuracy"), transfer({"TF-IDF": baseline}, tasks, (0,)).of("TF-IDF", "accuracy")
    )


def test_a_summary_is_the_shares_of_letters() -> None:
    tasks = FAMILY.sample(2, n_shot=2, rng=generator())
    rows = summary(FAMILY, tasks)
    n = len(ALPHABET) + 1
    assert rows.shape == (2, 2 * 3 * n)
    for task in range(2):
        for k in range(3):
            of_class = [read(text) for text in tasks.support_x[task][tasks.support_y[task] == k]]
            expected = [sum(name.count(letter) / len(name) for name in of_class) / 2 for letter in ALPHABET]
            expected.append(sum(map(len, of_class)) / 2)
            np.testing.assert_allclose(rows[task, 2 * n * k : 2 * n * k + n].numpy(), expected)


# ---- bad input ------------------------------------------------------------------------------------------------------

WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ngram_buckets(None, 8), TypeError, r"x: got None, expected a tensor of letters"),  # type: ignore[arg-type]
    (lambda: ngram_buckets(torch.rand(3), 8), ValueError, r"x: got a tensor .*expected whole numbers"),
    (lambda: ngram_buckets(torch.tensor(3), 8), ValueError, r"x: got a tensor of shape \(\)"),
    (lambda: ngram_buckets(write("a"), 0), ValueError, r"n_buckets: got 0, expected a number from 1"),
    (lambda: ngram_buckets(write("a"), 2**25), ValueError, r"n_buckets: got 33554432"),
    (lambda: ngram_vectors(write("a"), None), TypeError, r"n_buckets: got None"),  # type: ignore[arg-type]
    (lambda: NgramFeatures(8, 0), ValueError, r"n_features: got 0"),
    (lambda: NgramFeatures(0, 8), ValueError, r"n_buckets: got 0"),
    (lambda: NgramClassifier(n_out=0), ValueError, r"n_out: got 0"),
    (lambda: NgramClassifier(n_out=2, hidden=0), ValueError, r"hidden: got 0"),
    (lambda: TfidfPrototypes(None, ALPHABET), TypeError, r"texts: got None"),  # type: ignore[arg-type]
    (
        lambda: TfidfPrototypes(torch.zeros(0, 32).long(), ALPHABET),
        ValueError,
        r"texts: got a tensor of shape \(0, 32\)",
    ),
    (lambda: TfidfPrototypes(40 + write("a")[None], ALPHABET), ValueError, r"texts: got letter \d+"),
]


@pytest.mark.parametrize("wrong, error, words", WRONG)
def test_bad_input_is_told(wrong: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        wrong()


def test_texts_of_another_length_are_no_texts_of_this_baseline() -> None:
    baseline = TfidfPrototypes(torch.stack([write("chad"), write("peru")])[:, :8], ALPHABET)
    with pytest.raises(ValueError, match=r"tasks: got a tensor .*expected classes of texts, \(n_tasks, n, 8\)"):
        transfer({"TF-IDF": baseline}, FAMILY.sample(1, n_shot=1, rng=generator()), (0,))
