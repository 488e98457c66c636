"""Which learners can read which kind of sample, and the default learner for a family.

This module imports all learners, so that no learner has to import another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import MLP, ConvNet, Learner
from taskembed_edu.networks.ngram_classifier import NgramClassifier
from taskembed_edu.networks.recurrent import GRU, LSTM
from taskembed_edu.networks.wave import Wave
from taskembed_edu.tasks.base import TaskFamily
from taskembed_edu.tasks.kinds import KINDS, KindRegistry, check_speller, picture_shape

# Makes a learner from a family, the number of hidden units and the activation (some learners ignore it).
LearnerFactory = Callable[[TaskFamily, int, str], Learner]


def _mlp(family: TaskFamily, hidden: int, activation: str) -> Learner:
    n_out = family.n_way if family.classification else 1
    return MLP(math.prod(family.x_shape), n_out, (hidden, hidden), family.classification, activation)


def _conv(family: TaskFamily, hidden: int, activation: str) -> Learner:
    channels = (max(1, hidden // 4), max(1, hidden // 2))
    n_out = family.n_way if family.classification else 1
    return ConvNet(picture_shape(family.x_shape), n_out, channels, family.classification)


def _gru(family: TaskFamily, hidden: int, activation: str) -> Learner:
    words = check_speller(family)
    return GRU(n_letters=len(words.alphabet), length=words.length, hidden=hidden)


def _lstm(family: TaskFamily, hidden: int, activation: str) -> Learner:
    words = check_speller(family)
    return LSTM(n_letters=len(words.alphabet), length=words.length, hidden=hidden)


def _fasttext(family: TaskFamily, hidden: int, activation: str) -> Learner:
    return NgramClassifier(family.n_way, max(1, hidden // 2))


def _wave(family: TaskFamily, hidden: int, activation: str) -> Learner:
    return Wave()


# The learners of each kind of sample by name; the first is the default.
LEARNERS_OF: KindRegistry[Mapping[str, LearnerFactory]] = KindRegistry(
    "a learner",
    "learners",
    {
        "numbers": {"mlp": _mlp, "wave": _wave},
        "points": {"mlp": _mlp},
        "image": {"conv": _conv, "mlp": _mlp},
        "tokens": {"gru": _gru, "lstm": _lstm},
        "text": {"fasttext": _fasttext},
    },
)

# The choices of the setting `learner` with their labels; `register_learners` adds your own.
LEARNERS = {
    "auto": "Automatic",
    "mlp": "Perceptron",
    "wave": "Wave (2 numbers)",
    "conv": "Convolutional",
    "gru": "GRU",
    "lstm": "LSTM",
    "fasttext": "fastText",
}


def register_learners(kind: str, learners: Mapping[str, LearnerFactory]) -> None:
    """Register learners for a kind of your own, the default first; `register_kind` calls this.

    Errors: ValueError for one of the package's kinds.
    """
    LEARNERS_OF.register(kind, dict(learners))
    for name in learners:
        LEARNERS.setdefault(name, name)


def check_learners(learners: Mapping[str, LearnerFactory]) -> None:
    """Errors: ValueError for no learner at all or one called "auto"; TypeError for a factory that is no function."""
    if not learners:
        raise ValueError(problem("learners", "none", "at least one: {'name': factory}"))
    for name, factory in learners.items():
        if not isinstance(name, str) or not name or name == "auto":
            cause = "The setting `learner` chooses by it, and 'auto' is the first of the kind's own learners."
            raise ValueError(problem("learners", f"one called {name!r}", "a name of its own", cause))
        if not callable(factory):
            raise TypeError(problem("learners", factory, f"a function (family, hidden, activation) for {name!r}"))


def readers(family: TaskFamily) -> tuple[str, ...]:
    """The learners that can read the samples of these tasks, the default first.

    Words: the recurrent networks. Texts: a linear network on letter n-grams. Pictures: the convolutional network, and a
    perceptron that reads flattened pictures.
    Numbers and points: the perceptron. A kind of your own: the learners that were registered for it.

    Errors: ValueError for a kind that has no learner; it says how to register one.
    """
    names = tuple(LEARNERS_OF[family.kind])
    # A wave is a curve over one number.
    return names if family.x_shape == (1,) else tuple(name for name in names if name != Wave.name)


@short_errors
def task_learner(family: TaskFamily, name: str = "auto", hidden: int = 32, activation: str = "relu") -> Learner:
    """A learner for the tasks of this family: "auto" takes the default for its kind of samples.

    Curves and points: a perceptron. Pictures: a convolutional network. Words: a recurrent one.
    Texts: a linear one on letter n-grams.
    Errors: ValueError for an unknown name, or a learner that cannot read such samples; it names those that can.
    """
    check_choice("learner", name, LEARNERS)
    suits = readers(family)
    if name not in ("auto", *suits):
        samples = KINDS.get(family.kind, f"samples of kind {family.kind!r}")
        cause = f"{family.label} are {samples}, each x of shape {family.x_shape}."
        raise ValueError(problem("learner", name, f"one of {', '.join(suits)} for these tasks", cause))
    learner = LEARNERS_OF[family.kind][suits[0] if name == "auto" else name](family, hidden, activation)
    if not isinstance(learner, Learner):
        raise TypeError(problem("learner", learner, f"a Learner from the factory of kind {family.kind!r}"))
    if not learner.reads(family.x_shape):
        cause = f"Is {family.kind!r} the kind of {type(family).__name__}?"
        raise ValueError(problem("x_shape", f"{family.x_shape}", f"samples that a {learner.name} reads", cause))
    return learner
