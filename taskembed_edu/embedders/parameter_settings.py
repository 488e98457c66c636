"""Every hyperparameter of the parameter-based embedder, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import device_setting, metric_setting, shots_setting, stop_at_setting
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
        help="One for all: every network begins with the same weights, so their paths can be compared. One each: every "
        "network begins with other weights. Then the map shows the start more than what was learnt.",
        choices=STARTS,
        live=False,
        projected=True,
    )
    optimiser: str = setting(
        "sgd",
        label="Optimiser",
        help="SGD moves as far as the gradient says, so tasks that differ more move farther apart. Adam scales the "
        "step of each weight. It learns faster, but distances between tasks mean less.",
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
    stop_at: int = stop_at_setting(500, "the networks have learnt their tasks and change little")
    vector: str = setting(
        "weights",
        label="Task vector",
        help="The vector of a task. Weights: those of its network. Outputs: what its network answers to the same "
        "inputs. Fisher: how much each weight matters (the diagonal of its Fisher information).",
        choices=VECTORS,
        projected=True,
    )
    layer: str = setting(
        "all",
        label="Layer",
        help="Which weights count: all, or those of one layer. The layers depend on the network.",
        choices={"all": "All", **LAYERS},
        open=True,
        projected=True,
        applies=lambda settings: settings.vector != "outputs",
    )
    form: str = setting(
        "raw",
        label="Weights as",
        help="The weights as they are, minus the start, in their main directions (PCA), or in main directions of equal "
        "size.",
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
        help="What a hidden unit does with its sum. With tanh the outputs change smoothly with the weights, and the "
        "map is better sorted.",
        choices={"relu": "ReLU", "tanh": "tanh"},
        live=False,
        advanced=True,
    )
    n_shot: int = shots_setting("on which its network is trained", live=False)
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
        help="A layer that does not learn. Only the other layers can show how tasks differ.",
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
