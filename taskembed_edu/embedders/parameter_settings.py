"""Every hyperparameter of the parameter-based embedder, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import device_setting, metric_setting
from taskembed_edu.embedders.batched import OPTIMISERS
from taskembed_edu.embedders.weights import FORMS
from taskembed_edu.networks.factory import LEARNERS

VECTORS = {"weights": "Weights", "outputs": "Outputs", "fisher": "Fisher information"}
STARTS = {"shared": "One for all", "own": "One each"}
# The layers of every learner; which of them a learner has is checked where it is known.
LAYERS = {
    "hidden_1": "Hidden 1",
    "hidden_2": "Hidden 2",
    "convolution_1": "Convolution 1",
    "convolution_2": "Convolution 2",
    "number": "Number",
    "input": "Input",
    "recurrent": "Recurrent",
    "output": "Output",
}


@dataclass(frozen=True)
class ParameterSettings(Settings):
    """Every hyperparameter of the parameter-based embedder, declared once."""

    learner: str = setting(
        "auto",
        label="Network",
        help="What every task trains: a perceptron for curves and points, a convolutional network for pictures, a "
        "recurrent one for words. Automatic takes the one that suits the tasks.",
        choices=LEARNERS,
        live=False,
    )
    start: str = setting(
        "shared",
        label="Start",
        help="Shared: all networks begin from the same weights, and their ways can be compared. Own: each begins from "
        "weights of its own, and the map shows where they began more than what they learnt.",
        choices=STARTS,
        live=False,
        projected=True,
    )
    optimiser: str = setting(
        "sgd",
        label="Optimiser",
        help="SGD goes as far as the gradient says: tasks that differ more go farther apart. Adam scales every "
        "weight's step by its own gradients: it learns sooner, and blurs that geometry.",
        choices=OPTIMISERS,
        live=False,
    )
    learning_rate: float = setting(
        0.01,
        label="Learning rate",
        help="How far one step moves the weights.",
        low=1e-5,
        high=1.0,
        log=True,
        projected=True,
    )
    stop_at: int = setting(
        500,
        label="Stop at step",
        help="Play pauses here: networks that have learnt their tasks only wander on. 0: never.",
        low=0,
        high=100_000,
        step=50,
    )
    vector: str = setting(
        "weights",
        label="Task vector",
        help="What stands for a task: its network's weights; its outputs at the same inputs, whatever the weights; or "
        "how much each weight matters to it (the diagonal of its Fisher information).",
        choices=VECTORS,
        projected=True,
    )
    layer: str = setting(
        "all",
        label="Layer",
        help="Whose weights count: all, or one layer's. Which layers there are depends on the network.",
        choices={"all": "All", **LAYERS},
        open=True,
        projected=True,
        applies=lambda settings: settings.vector != "outputs",
    )
    form: str = setting(
        "raw",
        label="Weights as",
        help="As they are; their difference from the start; their main directions (PCA); or those, all of one size.",
        choices=FORMS,
        projected=True,
        applies=lambda settings: settings.vector == "weights",
    )
    metric: str = metric_setting()
    hidden: int = setting(
        32, label="Width", help="Units in each hidden layer.", low=2, high=512, step=2, live=False, advanced=True
    )
    activation: str = setting(
        "tanh",
        label="Activation",
        help="What a perceptron's hidden units do with their sum. Networks of tanh change smoothly with their weights, "
        "and lie better sorted.",
        choices={"relu": "ReLU", "tanh": "tanh"},
        live=False,
        advanced=True,
    )
    batch: int = setting(
        0,
        label="Samples a step",
        help="How many samples of its support set each network sees in one step. 0: all of them.",
        low=0,
        high=1000,
        step=1,
        advanced=True,
    )
    frozen: str = setting(
        "none",
        label="Frozen layer",
        help="A layer that stays as it began: only the others learn, and only they can tell tasks apart.",
        choices={"none": "None", **LAYERS},
        live=False,
        advanced=True,
    )
    components: int = setting(
        8,
        label="Directions kept",
        help="How many main directions PCA and whitening keep.",
        low=2,
        high=128,
        step=1,
        advanced=True,
        applies=lambda settings: settings.vector == "weights" and settings.form in ("pca", "whitened"),
    )
    chunk: int = setting(
        0,
        label="Tasks at once",
        help="How many networks run in one call: less memory, the same result. 0: as many as fit.",
        low=0,
        high=100_000,
        step=1,
        live=False,
        advanced=True,
    )
    device: str = device_setting()

    def frozen_layers(self) -> tuple[str, ...]:
        """The layers that stay as they began."""
        return () if self.frozen == "none" else (self.frozen,)
