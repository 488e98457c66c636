"""Training tasks whose networks are trained bit by bit, beside a live run: a new task may begin at the nearest.

For a scorecard, which nobody watches, `known_tasks.py` trains more of them at once, on their support sets alone: what a
new task gains is measured there, and only shown here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.adaptation.inner_loop import shared_start
from taskembed_edu.adaptation.methods import MetaLearner, all_samples
from taskembed_edu.embedders.batched import BatchedTraining, some_samples
from taskembed_edu.embedders.meta import is_lost
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.networks.learners import Learner, Parameters, flatten
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

# As many as a hall can imagine; so many steps of Adam on so many samples that the networks of all families fit.
N_KNOWN = 64
_STEPS, _RATE, _BATCH = 200, 1e-2, 25


class NeighbourNetworks:
    """Tasks of a training part, and a network for each, all trained from one start: `advance(n)` trains them further.

    `nearest` says which of them is nearest to a new task. They are trained on support and query sets together, which
    nobody is judged by. The same seed gives the same networks, in however many calls they were trained.
    Shapes: `start` (1, *shape). Worked number: 64 perceptrons (1-40-40-1) take 0.14 s on one thread.
    """

    def __init__(self, learner: Learner, train: TaskFamily, start: Parameters, seed: int) -> None:
        self._rng = torch.Generator().manual_seed(seed)
        self.tasks: TaskBatch = train.sample(train.at_most(N_KNOWN), train.default_shot, rng=self._rng)
        self.done = 0
        self._samples = all_samples(self.tasks)
        self._training = BatchedTraining(learner, shared_start(learner, start, len(self.tasks)))

    @property
    def finished(self) -> bool:
        """Whether the networks are trained to the end."""
        return self.done >= _STEPS

    @property
    def share(self) -> float:
        """How much of the training is done, from 0 to 1."""
        return self.done / _STEPS

    def advance(self, steps: int = _STEPS) -> None:
        """Train at most so many steps further; none once it is finished."""
        for _ in range(min(steps, _STEPS - self.done)):
            x, y, mask = some_samples(*self._samples, _BATCH, self._rng)
            self._training.step(x, y, mask, learning_rate=_RATE)
            self.done += 1

    def network(self, task: int) -> Parameters:
        """The network of this known task, (1, *shape)."""
        return {name: value[task : task + 1].detach() for name, value in self._training.parameters.items()}

    def vectors(self, method: MetaLearner, start: Parameters) -> Tensor:
        """The known tasks as a start embeds them, (n_known, dim): their weights after its inner loop."""
        return adapted_vectors(method, start, self.tasks)

    def nearest(self, vector: Tensor, vectors: Tensor, metric: str = "euclidean") -> int | None:
        """The known task whose vector is nearest to this one (1, dim); None where the new task's own is lost."""
        sound = ~(is_lost(vectors) | self._training.diverged_mask())
        if bool(is_lost(vector)) or not bool(sound.any()):
            return None
        kept = sound.nonzero().flatten()
        return int(kept[pairwise_distances(vector, vectors[kept], metric)[0].argmin()])


def adapted_vectors(method: MetaLearner, start: Parameters, tasks: TaskBatch) -> Tensor:
    """Tasks as a start embeds them, (n_tasks, dim): all weights after its inner loop on their support sets."""
    return flatten(method.adapt(start, tasks))
