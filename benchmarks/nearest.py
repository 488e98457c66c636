"""What a neighbour is worth: the network of the known wave that an embedding calls nearest, with no step of its own."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.table import Row
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.metric import MetricEmbedder, MetricSettings
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.evaluation.solvers import FromStart, given_start, nearest_network
from taskembed_edu.evaluation.transfer import Transfer, transfer
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.tasks.sinusoids import Sinusoids

N_KNOWN, N_NEW, N_SHOT = 200, 200, 5
# The known tasks' networks, and the embedder.
NETWORK_STEPS, EMBEDDER_STEPS = 2000, 1000
NEAREST, TRUE, ANY = "by the metric embedding", "the true neighbour", "any trained network"


def rows() -> Iterator[Row]:
    """The query loss of the nearest network, beside that of the true neighbour and that of any trained one."""
    found = _measured()
    loss = {name: found.mean(name, "loss", 0) for name in (NEAREST, TRUE, ANY)}
    low, high = found.interval(NEAREST, "loss", 0)
    what = (
        f"query loss of the nearest of {N_KNOWN} known waves' networks, {N_NEW} unseen waves, {N_SHOT} shots, no step"
    )
    yield Row(f"{what}; 95 % [{low:.3f}, {high:.3f}]", loss[NEAREST], "", TRUE, loss[TRUE])
    yield Row(what, loss[NEAREST], "", ANY, loss[ANY], "at least 10x", loss[ANY] >= 10 * loss[NEAREST])


def _measured() -> Transfer:
    rng = torch.Generator().manual_seed(0)
    family = Sinusoids()
    train, _validation, unseen = family.split(rng)
    known, new = train.sample(N_KNOWN, rng=rng), unseen.sample(N_NEW, N_SHOT, rng=rng, n_query=100)
    learner = task_learner(train, activation="tanh")
    start = start_networks(learner, N_KNOWN, rng)
    networks = train_tasks(learner, known, NETWORK_STEPS, start=start, device="cpu", compiled="off").parameters
    fitted = MetricEmbedder().fit(train, EMBEDDER_STEPS, MetricSettings(n_shot=N_SHOT, device="cpu"), rng=rng)

    def given(which: Tensor) -> FromStart:
        return FromStart(learner, given_start({name: value[which] for name, value in networks.items()}))

    apart = torch.cdist(family.coordinates(new.truth), family.coordinates(known.truth))
    solvers = {
        NEAREST: nearest_network(learner, fitted.embed, known, networks),
        TRUE: given(apart.argmin(dim=1)),
        ANY: given(torch.randint(N_KNOWN, (N_NEW,), generator=rng)),
    }
    return transfer(solvers, new, (0,))
