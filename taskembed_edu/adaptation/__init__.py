"""Adaptation: an inner loop that learns one task, and outer loops that learn from many tasks how to."""

from taskembed_edu.adaptation.context import ContextLearner
from taskembed_edu.adaptation.inner_loop import inner_loop, shared_start
from taskembed_edu.adaptation.methods import ANIL, CAVIA, MAML, JointTraining, MetaLearner, Reptile
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.adaptation.prototypes import PrototypicalNetwork, class_means
from taskembed_edu.adaptation.stability import largest_stable_rate
from taskembed_edu.adaptation.surface import LossSurface, loss_surface, optima, ways

__all__ = [
    "ANIL",
    "CAVIA",
    "MAML",
    "ContextLearner",
    "JointTraining",
    "LossSurface",
    "MetaLearner",
    "OuterLoop",
    "PrototypicalNetwork",
    "Reptile",
    "class_means",
    "inner_loop",
    "largest_stable_rate",
    "loss_surface",
    "optima",
    "shared_start",
    "ways",
]
