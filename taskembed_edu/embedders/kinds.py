"""`register_kind`: one call registers how the embedders read a kind of samples of your own."""

from __future__ import annotations

from collections.abc import Mapping

from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.summary import SUMMARIES, SummaryFunction
from taskembed_edu.networks.encoders import ENCODERS, EncoderFactory
from taskembed_edu.networks.factory import LEARNERS_OF, LearnerFactory, check_learners, register_learners


@short_errors
def register_kind(
    kind: str,
    *,
    encoder: EncoderFactory | None = None,
    learners: Mapping[str, LearnerFactory] | None = None,
    summary: SummaryFunction | None = None,
) -> None:
    """Say how samples of this kind are read; a family whose `kind` is this word can then be trained on.

    - `encoder(family, hidden, features)` gives a `SampleEncoder`: the metric-based embedder averages what it makes of
      each sample. `features` is the setting of that name, which you may ignore.
    - `learners` are functions (family, hidden, activation) that make a `Learner`, each under the name by which the
      setting `learner` chooses it; the first suits best. The parameter-based and the Fisher embedder train them.
    - `summary(family, tasks)` gives each task's statistics, (n_tasks, n_statistics).

    An argument that is not given changes nothing: an embedder without an entry for a kind refuses its families with an
    error. A second call replaces your own entries. If one argument is wrong, nothing is registered.

    Errors: ValueError for a kind that is no word, for one of the package's that has such an entry already, for nothing
    to register; TypeError for what is not a function.
    """
    if not isinstance(kind, str) or not kind.strip():
        raise ValueError(problem("kind", repr(kind), "a word, such as 'trajectory'"))
    if encoder is None and learners is None and summary is None:
        raise ValueError(
            problem("register_kind", f"only the word {kind!r}", "an encoder, learners or a summary as well")
        )
    for argument, factory in (("encoder", encoder), ("summary", summary)):
        if factory is not None and not callable(factory):
            raise TypeError(problem(argument, factory, "a function"))
    if learners is not None:
        check_learners(learners)
    for registry, given in ((ENCODERS, encoder), (LEARNERS_OF, learners), (SUMMARIES, summary)):
        if given is not None:
            registry.check_own(kind)
    if encoder is not None:
        ENCODERS.register(kind, encoder)
    if learners is not None:
        register_learners(kind, learners)
    if summary is not None:
        SUMMARIES.register(kind, summary)


__all__ = ["register_kind"]
