"""Evaluation: scores of an embedding, and the true geometry that it is compared with."""

from taskembed_edu.evaluation.geometry import NeighbourChanges as NeighbourChanges
from taskembed_edu.evaluation.geometry import TrueGeometry as TrueGeometry
from taskembed_edu.evaluation.geometry import all_distances as all_distances
from taskembed_edu.evaluation.scores import effective_dimension as effective_dimension
from taskembed_edu.evaluation.scores import mean_distance as mean_distance
from taskembed_edu.evaluation.scores import neighbour_purity as neighbour_purity
from taskembed_edu.evaluation.scores import purity_by_chance as purity_by_chance
from taskembed_edu.evaluation.scores import recall_at_k as recall_at_k
