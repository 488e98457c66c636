"""The metric-based embedder: an encoder trained so that two support sets of one task land close together.

The document's first method. A batch is n tasks, two support sets each, drawn independently. Sets of one task are
positives, sets of different tasks are negatives; the loss says how far apart they should be. With a loss over pairs the
encoder is used as a Siamese network, with one over triplets as a triplet network: same encoder, same weights.
"""

from __future__ import annotations

import copy
from contextlib import nullcontext
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.copies import copy_generator, copy_moments
from taskembed_edu.base.devices import moved, repeatable_convolutions
from taskembed_edu.base.readings import PAIRS_PANEL, Reading
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import (
    LOSS,
    Embedder,
    StepRecord,
    chosen_device,
    device_setting,
    metric_setting,
    shots_setting,
)
from taskembed_edu.formulas._vectors import has_direction
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.known_batch import known_batch
from taskembed_edu.formulas.losses import LOSSES
from taskembed_edu.formulas.mining import PAIR_MINING
from taskembed_edu.networks.encoders import ENCODERS, FEATURES, SetEncoder, set_encoder
from taskembed_edu.tasks.base import TaskBatch, TaskFamily


@dataclass(frozen=True)
class MetricSettings(Settings):
    """Every hyperparameter of the metric-based embedder, declared once."""

    loss: str = setting(
        "contrastive",
        label="Loss",
        help="What training tries to reach. Contrastive: two sets of one task move together, and other tasks move "
        "apart, up to the margin. Triplet: the right one must be nearer than the wrong one, by the margin.",
        choices=LOSSES,
        projected=True,
        value_first=True,
    )
    metric: str = metric_setting()
    margin: float = setting(
        1.0,
        label="Margin",
        help="How far apart different tasks should be. A pair that is farther apart no longer pushes. The largest "
        "value depends on the distance: the cosine distance ends at 2.",
        low=0.0,
        high=lambda settings: METRICS[settings.metric].slider_max,
        step=0.05,
        projected=True,
        applies=lambda settings: LOSSES[settings.loss].needs_margin,
    )
    mining: str = setting(
        "all",
        label="Mining",
        help="Which pairs or triplets count. All: every one. Hardest: the worst of each anchor. Semi-hard (triplets "
        "only): the negative is farther than the positive, but inside the margin.",
        choices={"all": "All", "hard": "Hardest", "semi-hard": "Semi-hard"},
        # A loss without mining keeps the setting's value: recordings contain such runs.
        allowed=lambda settings: LOSSES[settings.loss].minings or PAIR_MINING,
        applies=lambda settings: bool(LOSSES[settings.loss].minings),
    )
    temperature: float = setting(
        0.1,
        label="Temperature",
        help="How strongly InfoNCE prefers the nearest task. A smaller value prefers it more.",
        low=0.02,
        high=1.0,
        log=True,
        applies=lambda settings: LOSSES[settings.loss].needs_temperature,
    )
    learning_rate: float = setting(
        1e-3,
        label="Learning rate",
        help="How far one step moves the weights (Adam).",
        low=1e-5,
        high=1e-1,
        log=True,
        projected=True,
    )
    n_shot: int = shots_setting("in training and on the map")
    batch: int = setting(
        64,
        label="Tasks in each step",
        help="How many tasks are compared in one step. Each has two support sets.",
        low=2,
        high=512,
        step=1,
        advanced=True,
    )
    hidden: int = setting(
        128, label="Width", help="Units in each hidden layer.", low=8, high=1024, step=8, live=False, advanced=True
    )
    features: str = setting(
        "fourier",
        label="Features",
        help="What the encoder gets for a coordinate: waves of it (Fourier features), or the plain number. From the "
        "plain number a network of ReLUs can hardly learn fast curves. Pictures have no coordinates: no effect.",
        choices=FEATURES,
        live=False,
        advanced=True,
    )
    dim: int = setting(
        8,
        label="Dimensions",
        help="Numbers in a task's vector.",
        low=2,
        high=128,
        step=1,
        live=False,
        advanced=True,
    )
    device: str = device_setting()


# Memory of a copy's modules, optimiser and generator besides their tensors.
_OBJECTS = 40 * 1024


@compared_by_value
@dataclass
class MetricState:
    """A run of the metric-based embedder at one step."""

    encoder: SetEncoder
    optimiser: torch.optim.Adam
    family: TaskFamily
    tasks: TaskBatch
    rng: torch.Generator
    device: torch.device
    step: int = 0

    def copy(self) -> MetricState:
        """The same run at the same step, sharing no memory with this one (family and tasks never change)."""
        encoder = copy.deepcopy(self.encoder)
        optimiser = _optimiser(encoder)
        copy_moments(self.optimiser, optimiser, zip(self.encoder.parameters(), encoder.parameters(), strict=True))
        return MetricState(
            encoder, optimiser, self.family, self.tasks, copy_generator(self.rng), self.device, self.step
        )

    def n_bytes(self) -> int:
        """Memory of a copy: weights and two moments of Adam for each, and Python's objects around them."""
        return _OBJECTS + 3 * sum(p.numel() * p.element_size() for p in self.encoder.parameters())


ACTIVE_PAIRS = Reading(
    name="active_pairs",
    label="Active pairs",
    help="Share of the pairs of different tasks that are inside the margin. Only these pairs push tasks apart.",
    high=1.0,
    panel=PAIRS_PANEL,
    colour="blue",
    of_pairs=True,
)


class MetricEmbedder(Embedder[MetricState, MetricSettings]):
    """Trains a set encoder with any loss, any distance and any margin, each of which may change between two steps."""

    name = "metric"
    view_settings = frozenset({"n_shot"})
    about = "an encoder learns to put two samples of one task near each other, and other tasks farther away"
    settings_class = MetricSettings
    readings: ClassVar[tuple[Reading, ...]] = (LOSS, ACTIVE_PAIRS)

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that have an encoder; words have none here."""
        return family.kind in ENCODERS

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: MetricSettings, rng: torch.Generator
    ) -> MetricState:
        device = chosen_device(settings.device)
        encoder = set_encoder(family, rng, hidden=settings.hidden, dim=settings.dim, features=settings.features).to(
            device
        )
        return MetricState(encoder, _optimiser(encoder), family, tasks, rng, device)

    def step(self, state: MetricState, settings: MetricSettings) -> tuple[MetricState, StepRecord]:
        with repeatable_convolutions(state.device):
            return self._step(state, settings)

    def _step(self, state: MetricState, settings: MetricSettings) -> tuple[MetricState, StepRecord]:
        x, y = _two_sets_each(state, settings)
        for group in state.optimiser.param_groups:
            group["lr"] = settings.learning_rate
        state.optimiser.zero_grad(set_to_none=True)
        embeddings = state.encoder(x, y)
        sound = _is_sound(embeddings, settings)
        if not sound and not bool(torch.isfinite(embeddings).all()):
            cause = f"Training has diverged. Lower the learning rate ({settings.learning_rate:g} now) and begin again."
            raise FloatingPointError(
                problem("embedding", f"NaN or infinite after step {state.step}", "finite numbers", cause)
            )
        loss = task_loss(embeddings, settings, sound=sound)
        loss.backward()
        state.optimiser.step()
        state.step += 1
        return state, StepRecord(loss.detach(), {ACTIVE_PAIRS.name: active_share(embeddings.detach(), settings)})

    @torch.no_grad()
    def embed(self, state: MetricState, tasks: TaskBatch | None = None) -> Tensor:
        tasks = state.tasks if tasks is None else tasks
        sets = [tasks.support_x, tasks.support_y, *([] if tasks.support_mask is None else [tasks.support_mask])]
        rows = _rows_of_a_block(state, tasks.support_x)
        blocks = zip(*(moved(part, state.device).split(rows) for part in sets), strict=True)
        with repeatable_convolutions(state.device):
            return state.encoder.read(torch.cat([state.encoder.pooled(*block) for block in blocks])).cpu()


def task_loss(embeddings: Tensor, settings: MetricSettings, *, sound: bool = False) -> Tensor:
    """The loss of n tasks' two sets each: embeddings (2 n, dim), first all first sets, then all second sets.

    `sound`: the caller knows that the embeddings are finite and have directions, and on a GPU no formula reads them.
    """
    labels = torch.arange(len(embeddings) // 2, device=embeddings.device).repeat(2)
    # On a CPU a read costs next to nothing, and the formulas' own checks say more.
    with known_batch(embeddings, labels) if sound and embeddings.is_cuda else nullcontext():
        return LOSSES[settings.loss](embeddings, labels, settings)


def _is_sound(embeddings: Tensor, settings: MetricSettings) -> bool:
    """Whether a loss can be taken of these embeddings, by one read of the device."""
    finite = torch.isfinite(embeddings).all()
    if embeddings.is_cuda and METRICS[settings.metric].needs_direction:
        finite = finite & has_direction(embeddings).all()
    return bool(finite)


def active_share(embeddings: Tensor, settings: MetricSettings) -> Tensor:
    """The share of the batch's negative pairs (triplets) inside the margin, whatever the mining; else NaN.

    A pair of different tasks is active while d < m, a triplet while d(a, p) - d(a, n) + m > 0: exactly those have a
    gradient to push with. Embeddings as in `task_loss`. Worked number: two tasks with sets at 0 and 0.5, and
    at 1.2 and 3, have four negative pairs, 1.2, 3, 0.7 and 2.5 apart: with a margin of 1 a quarter is active.
    """
    loss, n = LOSSES[settings.loss], len(embeddings)
    if not loss.margin_decides:
        return embeddings.new_full((), torch.nan)
    itself = torch.arange(n, device=embeddings.device)
    twin = (itself + n // 2) % n
    distances = METRICS[settings.metric].matrix(embeddings, embeddings)
    active = loss.active(distances, distances[itself, twin].unsqueeze(1), settings.margin)
    n_own = active[itself, itself].sum() + active[itself, twin].sum()
    return (active.sum() - n_own) / max(1, n * (n - 2))


def _two_sets_each(state: MetricState, settings: MetricSettings) -> tuple[Tensor, Tensor]:
    truth = state.family.draw_truth(state.family.at_most(settings.batch), state.rng)
    n_shot = settings.n_shot or state.family.default_shot
    x, y = state.family.draw_samples(torch.cat((truth, truth)), n_shot, state.rng)
    return moved(x, state.device), moved(y, state.device)


# Numbers in the widest layer's output for one block of tasks: 2 MB, which malloc can reuse (see base/memory.py). A
# larger block is fresh memory from the system each time, and the first access to its pages takes longer than the
# arithmetic. With smaller blocks, most time is spent in Python.
_BLOCK = 512 * 1024


def _rows_of_a_block(state: MetricState, support_x: Tensor) -> int:
    """How many tasks are embedded at once: on a CPU a few, elsewhere all."""
    if state.device.type != "cpu":
        return max(1, len(support_x))
    widest = max(layer.out_features for layer in state.encoder.phi if isinstance(layer, nn.Linear))
    return max(1, _BLOCK // (support_x.shape[1] * widest))


def _optimiser(encoder: SetEncoder) -> torch.optim.Adam:
    # One fused call for all parameters: otherwise the optimiser takes half the time of a step.
    return torch.optim.Adam(encoder.parameters(), fused=True)
