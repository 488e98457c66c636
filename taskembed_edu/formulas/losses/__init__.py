r"""What training makes small: contrastive, triplet, InfoNCE and prototypical losses, as functions and as modules.

| function | takes | asks for |
|---|---|---|
| `contrastive_loss` | pairs, each labelled 1 (similar) or 0 | similar pairs at distance 0, others beyond the margin |
| `pairwise_contrastive_loss` | a batch with class labels | the same of every pair in the batch |
| `balanced_contrastive_loss` | a batch with class labels | the same, similar and different pairs in balance |
| `triplet_loss` | anchors, positives, negatives | the negative farther than the positive, by the margin |
| `batch_triplet_loss` | a batch with class labels | the same of every triplet, or of the chosen ones |
| `info_nce_loss` | a batch with class labels | each point to pick its positives among all others |
| `prototypical_loss` | support and query sets with labels | each query nearest to the mean of its class |

Every one but the balanced loss, which is a mean by its nature, has the same last argument. `reduction="none"` gives
the terms, one for each pair, triplet, anchor or query that counts; "sum" adds them up; "mean" divides that sum by their
number, those that are zero included. Where nothing counts (a batch without any pair, say) "sum" and "mean" are 0, with
a gradient of zeros. The contrastive and triplet losses sum by default, as the course writes them; InfoNCE and the
prototypical loss average, as their papers do.

The modules (`ContrastiveLoss`, ...) only hold the settings and call the functions.

`LOSSES` holds a record of each loss that an embedder can train with; `register_loss` adds one of one's own. Here every
file of this folder may have `RECORDS`, which are found by themselves.
"""

from importlib import import_module
from pkgutil import iter_modules

from taskembed_edu.formulas.losses.modules import (
    BalancedContrastiveLoss,
    BatchTripletLoss,
    ContrastiveLoss,
    InfoNCELoss,
    PairwiseContrastiveLoss,
    PrototypicalLoss,
    TripletLoss,
)
from taskembed_edu.formulas.losses.pairs import (
    balanced_contrastive_loss,
    contrastive_loss,
    pairwise_contrastive_loss,
)
from taskembed_edu.formulas.losses.records import LOSSES, Loss, register_loss
from taskembed_edu.formulas.losses.softmax import info_nce_loss, prototypes, prototypical_loss
from taskembed_edu.formulas.losses.terms import REDUCTIONS
from taskembed_edu.formulas.losses.triplets import batch_triplet_loss, triplet_loss

# The order of the menu; a file that is not named here comes after these.
_FIRST = ("pairs", "triplets", "softmax")
for _file in dict.fromkeys((*_FIRST, *sorted(module.name for module in iter_modules(__path__)))):
    for _record in getattr(import_module(f"{__name__}.{_file}"), "RECORDS", ()):
        LOSSES[_record.name] = _record

__all__ = [
    "LOSSES",
    "REDUCTIONS",
    "BalancedContrastiveLoss",
    "BatchTripletLoss",
    "ContrastiveLoss",
    "InfoNCELoss",
    "Loss",
    "PairwiseContrastiveLoss",
    "PrototypicalLoss",
    "TripletLoss",
    "balanced_contrastive_loss",
    "batch_triplet_loss",
    "contrastive_loss",
    "info_nce_loss",
    "pairwise_contrastive_loss",
    "prototypes",
    "prototypical_loss",
    "register_loss",
    "triplet_loss",
]
