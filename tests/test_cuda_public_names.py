"""Every public name that takes tensors takes them on CUDA, and gives what it gives on the CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import taskembed_edu as te
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.solvers import FromStart, given_start
from taskembed_edu.networks.learners import Learner, Parameters
from taskembed_edu.tasks import FAMILIES
from tests.runs import generator, small_session

N, STEPS = 12, 10

# Names that take no tensor of the caller's: records, interfaces, what takes words and numbers only, and NumPy's part.
WITHOUT_TENSORS = {
    *("Scorecard", "advise", "known_tasks"),
    *("Reading", "Score", "Metric", "Loss", "register_kind", "register_score", "register_loss"),
    *("MetricSettings", "ParameterSettings", "Learner", "SampleEncoder", "TaskFamily", "Split"),
    *(
        "confusion_figure",
        "loss_surface_figure",
        "maps_figure",
        "cost_curve",
        "cost_figure",
        "curves_figure",
        "leaderboard_figure",
        "shift_curve",
        "shifted_waves",
        "shift_figure",
        "history_figure",
        "pictures_figure",
        "DistanceLab",
        "DrawingPad",
        "EvaluationLab",
        "LossLab",
        "MetricLab",
        "AdaptationLab",
        "ParameterLab",
    ),
    *("load_recording", "save_recording", "Drawing", "Label", "Line", "TaskFit", "TaskSketch"),
}


@dataclasses.dataclass(frozen=True)
class Given:
    """What the cases take, all of it on one device; `other` are the tasks on the CPU, beside networks that are not."""

    device: str
    learner: Learner
    tasks: te.TaskBatch
    other: te.TaskBatch
    start: Parameters
    trained: Parameters

    def rows(self, n: int = N, dim: int = 4, seed: int = 0) -> Tensor:
        return torch.randn(n, dim, generator=generator(seed)).to(self.device)

    @property
    def labels(self) -> Tensor:
        return (torch.arange(N) % 4).to(self.device)

    @property
    def layout(self) -> Any:
        return self.rows(dim=2).cpu().numpy()


@cache
def made_here() -> Given:
    family, rng = te.Sinusoids(), generator()
    learner = te.task_learner(family, hidden=8)
    tasks, start = family.sample(N, rng=rng), te.start_networks(learner, N, rng)
    trained = te.train_tasks(learner, tasks, STEPS, start=start, optimiser="sgd", compiled="off")
    return Given("cpu", learner, tasks, tasks, start, trained.parameters)


def given(device: str) -> Given:
    here = made_here()
    start, trained = moved(here.start, device), moved(here.trained, device)
    return dataclasses.replace(here, device=device, tasks=here.tasks.to(device), start=start, trained=trained)


def moved(parameters: Parameters, device: str) -> Parameters:
    return {name: value.to(device) for name, value in parameters.items()}


def train_tasks(g: Given) -> Any:
    results = [
        te.train_tasks(g.learner, tasks, STEPS, start=start, optimiser="sgd", device=g.device, batch=batch)
        for tasks, start in ((g.tasks, g.start), (g.other, made_here().start))
        for batch in (0, 3)
    ]
    return [(of.parameters, of.losses, of.diverged) for of in results]


def embedded(name: str) -> Callable[[Given], Any]:
    """Vectors of watched tasks and of others, before and after a step."""

    def of(g: Given) -> Any:
        embedder, family, rng = EMBEDDERS[name](), te.Gaussians(), generator()
        device = {} if name == "summary" else {"device": g.device}
        small = {} if name == "summary" else {"hidden": 8}
        settings = embedder.settings_class(**device, **small)
        tasks = family.sample(N, rng=rng).to(g.device)
        state = embedder.begin(family, tasks, settings, rng)
        state, record = embedder.step(state, settings)
        return embedder.embed(state), embedder.embed(state, tasks), record.loss

    return of


def family_of(name: str) -> Callable[[Given], Any]:
    """True distances, sketches, probes and new support sets of a batch that lies on the device."""

    def of(g: Given) -> Any:
        family: Any = FAMILIES[name]()
        here = family.sample(5, n_shot=4, rng=generator())
        batch = here.to(g.device)
        sketch = dataclasses.asdict(family.sketch(batch))
        probe = family.probe(batch)
        again = family.redraw(batch, generator(1))
        return family.true_distance(batch), sketch, probe, again.support_x

    return of


def own_tasks(g: Given) -> Any:
    x = torch.linspace(0, 1, 20).expand(30, 20).unsqueeze(-1).to(g.device)
    slope = torch.linspace(-1, 1, 30).to(g.device)
    tasks = te.OwnTasks(x, slope[:, None] * x.squeeze(-1), truth={"slope": slope})
    batch = tasks.sample(4, rng=generator())
    classes = te.OwnTasks(g.rows(30 * 20).view(30, 20, 4), (torch.arange(20) % 2).expand(30, 20).to(g.device))
    return tasks.true_distance(batch), dataclasses.asdict(tasks.sketch(batch)), classes.sample(3, rng=generator())


def task_batch(g: Given) -> Any:
    tasks = g.tasks
    chosen = [tasks[[0, 2]], tasks[1:3], tasks[torch.tensor([3, 1])], tasks[torch.tensor([3, 1]).to(g.device)]]
    return chosen, tasks[torch.arange(N) > 5], tasks.with_support(tasks.query_x, tasks.query_y)


def spelling(learner: Any) -> Callable[[Given], Any]:
    def of(g: Given) -> Any:
        family = te.NumberWords()
        network = learner(n_letters=len(family.alphabet), length=family.length, hidden=6)
        tasks = family.sample(3, n_shot=4, rng=generator()).to(g.device)
        start = moved(te.start_networks(network, 3, generator()), g.device)
        return network.losses(start, tasks.support_x, tasks.support_y), network.order(tasks.support_y)

    return of


def conv_net(g: Given) -> Any:
    tasks = te.Digits().sample(3, n_shot=2, rng=generator()).to(g.device)
    network = te.ConvNet((1, 8, 8), 3, (2, 4))
    start = moved(te.start_networks(network, 3, generator()), g.device)
    return network.losses(start, tasks.support_x, tasks.support_y), network.apply(start, tasks.support_x)


def encoder(g: Given) -> te.SetEncoder:
    return te.set_encoder(te.Sinusoids(), generator(), hidden=8, dim=3).to(g.device)


def encoded(g: Given) -> Tensor:
    return encoder(g)(g.tasks.support_x, g.tasks.support_y)


def module(kind: Any, n_inputs: int) -> Callable[[Given], Any]:
    def of(g: Given) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = kind().to(g.device)
        return network(*(g.rows(dim=3, seed=seed) for seed in range(n_inputs)))

    return of


def of_batch(loss: Callable[..., Any], **options: Any) -> Callable[[Given], Any]:
    return lambda g: loss(g.rows(), g.labels, **options)


def starts(g: Given) -> Any:
    options: dict[str, Any] = {"steps": (0, 2), "learning_rate": 1e-3}
    gaussian = te.fit_gaussian(g.learner, g.trained, 3)
    return [
        te.compare_starts(g.learner, g.trained, tasks, tasks, rng=generator(), distribution=distribution, **options)
        for tasks in (g.tasks, g.other)
        for distribution in (None, gaussian)
    ]


def samples(distribution: te.WeightDistribution, g: Given) -> Any:
    drawn = [distribution.sample(4, generator(), residual=residual) for residual in (False, True)]
    unlike = [te.novelty(networks, g.trained) for networks in drawn]
    return drawn, unlike, distribution.mean(), distribution.log_likelihood(g.trained)


def generated(g: Given) -> Any:
    made = te.fit_generator(g.learner, g.trained, g.rows(), components=3, hidden=4, steps=5, rng=generator())
    networks = made.generate(g.rows(seed=1))
    return networks, te.best_fit(g.learner, networks, g.tasks), te.novelty(networks, g.trained)


def geometry(g: Given) -> Any:
    here = torch.cdist(g.rows().cpu(), g.rows().cpu())
    told = [
        (of.spearman(g.rows(seed=1)), of.nearest(2, 4, without=[1]), of.nearest_of_all(3), of.rank_correlation(there))
        for of in (te.TrueGeometry(here), te.TrueGeometry(here.to(g.device)))
        for there in (here.to(g.device), here)
    ]
    return told


def vectors(g: Given) -> Any:
    raw, other = te.weight_vectors(g.learner, g.trained, layer="output"), made_here().start
    differences = [te.weight_vectors(g.learner, g.trained, form="difference", start=of) for of in (g.start, other)]
    along = [te.weight_vectors(g.learner, g.trained, form=form, components=3) for form in ("pca", "whitened")]
    return raw, differences, along


def matched(g: Given) -> Any:
    one, other = ({name: value[task] for name, value in g.trained.items()} for task in (0, 1))
    found = te.match_weights(g.learner, one, other, generator())
    return found.parameters, found.permutations, found.distance, found.before


def matched_stack(g: Given) -> Any:
    found = te.match_all(g.learner, g.trained, rng=generator())
    return found.parameters, found.permutations, found.distance, found.before


def changed_units(change: Callable[..., Any], activation: str, values: Tensor) -> Callable[[Given], Any]:
    def of(g: Given) -> Any:
        learner = te.MLP(1, 1, (8, 8), activation=activation)
        return [change(learner, g.trained, "hidden_1", of_units) for of_units in (values, values.to(g.device))]

    return of


def functions(g: Given) -> Any:
    probes = [probe for tasks in (g.tasks, g.other) for probe in (tasks.support_x, tasks.support_x[0])]
    outputs = [te.outputs_at(g.learner, g.trained, probe) for probe in probes]
    return outputs, [te.function_distance(g.learner, g.trained, probe) for probe in probes[1::2]]


def task2vec(distance: Callable[..., Tensor], n_inputs: int = 2) -> Callable[[Given], Any]:
    return lambda g: distance(*(g.rows(seed=seed).abs() for seed in range(n_inputs)))


def between(distance: Callable[..., Tensor]) -> Callable[[Given], Any]:
    """Two tensors, and lists in which one row is a tensor."""

    def of(g: Given) -> Any:
        x, y = g.rows(), g.rows(seed=1)
        return distance(x, y), distance([x[0], [1, 2, 3, 4]], [y[0], y[1]]), distance(x, y.tolist())

    return of


def umap(g: Given) -> Any:
    return te.LiveUMAP(n_neighbors=4).update(g.rows()), te.LiveUMAP(n_neighbors=4).update(
        g.rows(), distances=te.pairwise_distances(g.rows())
    )


def session(g: Given) -> Any:
    run = small_session(device=g.device)
    run.step(4)
    return run.frame.embedding, run.frame.loss


def meta_learned(make: Callable[..., Any]) -> Callable[[Given], Any]:
    """A start after two outer steps, and what an inner loop makes of it, on tasks of either place."""

    def of(g: Given) -> Any:
        loop = te.OuterLoop(make(g.learner), generator(), device=g.device)
        losses = [loop.step(tasks) for tasks in (g.tasks, g.other)]
        return losses, loop.start, [loop.method.adapt(loop.start, tasks) for tasks in (g.tasks, g.other)]

    return of


def inner_steps(g: Given) -> Any:
    return te.inner_loop(g.learner, g.start, g.tasks.support_x, g.tasks.support_y, 3, 0.1, second_order=True)


def prototypes(g: Given) -> Any:
    """Features after two outer steps, on the CPU's tasks, and what they make of new ones."""
    learner, tasks = te.MLP(2, 4, (8,), classification=True), te.Gaussians().sample(5, 3, rng=generator())
    method = te.PrototypicalNetwork(learner)
    loop = te.OuterLoop(method, generator(), device=g.device)
    return [loop.step(of) for of in (tasks, tasks.to(g.device))], method.losses_along(loop.start, tasks, (0,))


def turned(g: Given) -> Any:
    tasks = te.Digits().sample(4, 2, rng=generator()).to(g.device)
    return te.turned_classes(tasks, generator(1)).support_x, tasks.relabelled(generator(2)).query_y


def by_prototypes(g: Given) -> Any:
    """New tasks by the features of a trained network, and by raw points."""
    network = te.ConvNet((1, 8, 8), 3, (2, 4))
    start = {name: value[None].to(g.device) for name, value in network.init(generator()).items()}
    solvers = {
        "features": te.Prototypes(te.features_of(network, start)),
        "raw": te.Prototypes(lambda x: x.flatten(1)),
    }
    return te.transfer(solvers, te.Digits().sample(4, 2, rng=generator()).to(g.device), (0,)).measured


def features_learned(make: Callable[[torch.nn.Module], Any], of: Callable[[te.TaskBatch], tuple[Any, ...]]) -> Any:
    """Losses of steps on tasks of either device, and features, by blocks of convolution."""

    def by(g: Given) -> Any:
        training = make(te.conv_blocks(generator(), (1, 8, 8), (4,)).to(g.device))
        here = te.Digits().sample(4, 2, rng=generator())
        losses = [training.step(*of(tasks)) for tasks in (here, here.to(g.device))]
        return losses, training.features(here.query_x[0])

    return by


def taken_for(g: Given) -> Any:
    tasks = te.Digits().sample(4, 2, rng=generator()).to(g.device)
    letters = torch.arange(12, device=g.device).view(4, 3)
    return vars(te.confusions(te.Prototypes(lambda x: x.flatten(1)), tasks, letters))


def from_starts(g: Given) -> Any:
    """New waves from a learned start, and from the network of the nearest known one."""
    loop = te.OuterLoop(te.MAML(g.learner), generator(), device=g.device)
    known, new = made_here().tasks[:6], made_here().tasks[6:]
    networks = {name: value[:6] for name, value in g.trained.items()}
    by_mean = te.nearest_network(g.learner, lambda tasks: tasks.support_y.mean(1), known, networks)
    return te.transfer({"learned": te.learned(loop), "nearest": by_mean}, new, (0, 2)).measured


def tuned(g: Given) -> Any:
    """The best of three rates, the last of which diverges."""
    start = {name: value[:1] for name, value in g.trained.items()}
    tasks, rates = made_here().tasks[6:], (0.001, 0.1, 1e3)
    return te.best_rate(lambda rate: FromStart(g.learner, given_start(start), rate), tasks, rates, 2)


def wave(g: Given) -> Any:
    start = {name: value.to(g.device) for name, value in te.start_networks(te.Wave(), N, generator()).items()}
    return te.Wave().losses(start, g.tasks.query_x, g.tasks.query_y)


def right_answers(g: Given) -> Any:
    answers = g.labels.flip(0)[None]
    return te.macro_f1(answers, g.labels[None], 4, torch.ones_like(answers, dtype=torch.bool))


CASES: dict[str, Callable[[Given], Any]] = {
    "PrototypicalNetwork": prototypes,
    "Prototypes": by_prototypes,
    "features_of": by_prototypes,
    **dict.fromkeys(("EpisodeTraining", "conv_blocks"), features_learned(te.EpisodeTraining, lambda tasks: (tasks,))),
    "ClassTraining": features_learned(
        lambda network: te.ClassTraining(network, 64, 3, generator(1)),
        lambda tasks: (tasks.query_x[0], tasks.query_y[0]),
    ),
    "confusions": taken_for,
    **dict.fromkeys(("transfer", "learned", "nearest_network"), from_starts),
    "best_rate": tuned,
    "Wave": wave,
    "macro_f1": right_answers,
    "linear_probe": lambda g: te.linear_probe(g.rows(40), g.rows(40, dim=2, seed=1)),
    "turned_classes": turned,
    "largest_stable_rate": lambda g: [
        torch.tensor(te.largest_stable_rate(g.learner, g.start, of)) for of in (g.tasks, g.other)
    ],
    **{make.__name__: meta_learned(make) for make in (te.ANIL, te.CAVIA, te.JointTraining, te.MAML, te.Reptile)},
    "OuterLoop": meta_learned(te.MAML),
    "inner_loop": inner_steps,
    **{
        f"{name.capitalize()}Embedder": embedded(name) for name in ("adapted", "context", "fisher", "metric", "summary")
    },
    "ParameterEmbedder": embedded("parameters"),
    "start_networks": lambda g: te.train_tasks(g.learner, g.tasks, 0, start=g.start, device=g.device).losses,
    "WeightDistribution": lambda g: samples(te.fit_gaussian(g.learner, g.trained, 3), g),
    "fit_gaussian": lambda g: te.fit_gaussian(g.learner, g.trained, 3).covariances,
    "fit_mixture": lambda g: samples(te.fit_mixture(g.learner, g.trained, 2, 3, rng=generator()), g),
    "ConditionalGenerator": generated,
    "fit_generator": generated,
    "best_fit": lambda g: [te.best_fit(g.learner, g.trained, tasks) for tasks in (g.tasks, g.other)],
    "compare_starts": starts,
    "novelty": lambda g: [te.novelty(g.start, of) for of in (g.trained, made_here().trained)],
    "train_tasks": train_tasks,
    "weight_vectors": vectors,
    "TrueGeometry": geometry,
    "neighbour_purity": lambda g: [
        te.neighbour_purity(te.pairwise_distances(g.rows()), of) for of in (g.labels, g.labels.cpu())
    ],
    "purity_by_chance": lambda g: te.purity_by_chance(g.labels),
    "recall_at_k": lambda g: te.recall_at_k(g.rows(), g.rows() + 0.2 * g.rows(seed=1)),
    "METRICS": lambda g: [metric.matrix(g.rows(), g.rows(seed=1)) for metric in te.METRICS.values()],
    **{f"{name}_distance": between(te.METRICS[name].distance) for name in te.METRICS},
    "cosine_similarity": between(te.cosine_similarity),
    "pairwise_distances": between(te.pairwise_distances),
    "LOSSES": lambda g: [loss(g.rows(8), g.labels[:4].repeat(2), te.MetricSettings()) for loss in te.LOSSES.values()],
    "BalancedContrastiveLoss": of_batch(te.BalancedContrastiveLoss()),
    "BatchTripletLoss": of_batch(te.BatchTripletLoss(mining="semi-hard")),
    "ContrastiveLoss": lambda g: te.ContrastiveLoss()(g.rows(), g.rows(seed=1), g.labels % 2),
    "InfoNCELoss": of_batch(te.InfoNCELoss()),
    "PairwiseContrastiveLoss": of_batch(te.PairwiseContrastiveLoss()),
    "PrototypicalLoss": lambda g: te.PrototypicalLoss()(g.rows(), g.labels, g.rows(seed=1), g.labels),
    "TripletLoss": lambda g: te.TripletLoss()(g.rows(), g.rows(seed=1), g.rows(seed=2)),
    "balanced_contrastive_loss": of_batch(te.balanced_contrastive_loss, mining="hard"),
    "batch_triplet_loss": of_batch(te.batch_triplet_loss),
    "contrastive_loss": lambda g: [te.contrastive_loss(g.rows(), g.rows(seed=1), of) for of in (g.labels % 2, 1)],
    "info_nce_loss": of_batch(te.info_nce_loss, reduction="none"),
    "pairwise_contrastive_loss": of_batch(te.pairwise_contrastive_loss, mining="hard", reduction="none"),
    "prototypical_loss": lambda g: te.prototypical_loss(g.rows(), g.labels, g.rows(seed=1), g.labels),
    "triplet_loss": lambda g: te.triplet_loss(g.rows(), g.rows(seed=1), g.rows(seed=2)),
    "hard_triplets": lambda g: te.hard_triplets(te.pairwise_distances(g.rows()), g.labels),
    "task2vec_distance": task2vec(te.task2vec_distance),
    "asymmetric_task2vec_distance": task2vec(te.asymmetric_task2vec_distance, 3),
    "pairwise_task2vec_distances": task2vec(te.pairwise_task2vec_distances),
    "GRU": spelling(te.GRU),
    "LSTM": spelling(te.LSTM),
    "MLP": lambda g: te.MLP(1, 1, (8, 8)).apply(g.trained, g.tasks.query_x),
    "ConvNet": conv_net,
    "SetEncoder": encoded,
    "set_encoder": encoded,
    "SiameseNetwork": module(te.SiameseNetwork, 2),
    "TripletNetwork": module(te.TripletNetwork, 3),
    "flip_signs": changed_units(te.flip_signs, "tanh", torch.tensor([1, -1]).repeat(4)),
    "rescale_units": changed_units(te.rescale_units, "relu", torch.arange(1.0, 9.0)),
    "permute_units": changed_units(te.permute_units, "relu", torch.arange(8).flip(0)),
    "function_distance": functions,
    "outputs_at": functions,
    "match_all": matched_stack,
    "match_weights": matched,
    "task_learner": lambda g: g.learner.losses(g.trained, g.tasks.support_x, g.tasks.support_y),
    "LiveUMAP": umap,
    "pca_layout": lambda g: te.pca_layout(g.rows()),
    "trustworthiness": lambda g: te.trustworthiness(g.rows(), g.layout, n_neighbors=3),
    "Session": session,
    "evaluate": lambda g: (
        te.evaluate(
            "metric",
            "gaussians",
            steps=3,
            n_tasks=12,
            transfer_to=4,
            settings=te.MetricSettings(hidden=8, batch=4, device=g.device),
        ).scores
    ),
    **{family.__name__: family_of(name) for name, family in FAMILIES.items()},
    "OwnTasks": own_tasks,
    "omniglot_challenge": lambda g: te.omniglot_challenge(lambda x: x.to(g.device).flatten(1)),
    "Task": lambda g: g.tasks[0],
    "Episode": lambda g: g.tasks[-1].episode,
    "TaskBatch": task_batch,
}


def test_every_public_name_is_tried_or_takes_no_tensor() -> None:
    assert CASES.keys() | WITHOUT_TENSORS == set(vars(te)["__all__"])
    assert not CASES.keys() & WITHOUT_TENSORS


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:n_neighbors:UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_it_gives_on_cuda_what_it_gives_on_the_cpu(name: str) -> None:
    assert_close(CASES[name](given("cuda")), CASES[name](given("cpu")), name)


def assert_close(there: Any, here: Any, where: str) -> None:
    """Numbers agree, on whatever device; containers and records entry by entry."""
    if isinstance(here, Tensor):
        torch.testing.assert_close(there.cpu(), here, atol=1e-4, rtol=1e-3, msg=lambda said: f"{where}: {said}")
    elif isinstance(here, np.ndarray | float):
        np.testing.assert_allclose(there, here, atol=1e-4, rtol=1e-3, err_msg=where)
    elif isinstance(here, Mapping):
        assert there.keys() == here.keys()
        for key, value in here.items():
            assert_close(there[key], value, f"{where} {key}")
    elif isinstance(here, list | tuple):
        for k, (mine, theirs) in enumerate(zip(there, here, strict=True)):
            assert_close(mine, theirs, f"{where} {k}")
    elif dataclasses.is_dataclass(here) and not isinstance(here, type):
        assert_close(vars(there), vars(here), where)
    else:
        assert there == here, where
