r"""What training minimises: contrastive, triplet, InfoNCE and prototypical losses, as functions and as modules.

| function | takes | is small if |
|---|---|---|
| `contrastive_loss` | pairs, each labelled 1 (similar) or 0 | similar pairs are together, others beyond the margin |
| `pairwise_contrastive_loss` | a batch with class labels | the same holds for every pair in the batch |
| `balanced_contrastive_loss` | a batch with class labels | the same holds; both kinds of pair weigh the same |
| `triplet_loss` | anchors, positives, negatives | the negative is farther than the positive, by the margin |
| `batch_triplet_loss` | a batch with class labels | the same holds for every (chosen) triplet |
| `info_nce_loss` | a batch with class labels | each point picks its positives among all others |
| `prototypical_loss` | support and query sets with labels | each query is nearest to the mean of its class |

All losses have the same last argument, except the balanced loss, which is always a mean. `reduction="none"` gives the
terms, one for each pair, triplet, anchor or query that counts. "sum" adds them up. "mean" divides the sum by their
number, which includes the terms that are zero. If nothing counts (a batch without any pair, for example), "sum" and
"mean" are 0 with a gradient of zeros. The contrastive and triplet losses sum by default, as the course writes them;
InfoNCE and the prototypical loss average, as their papers do.

The modules (`ContrastiveLoss`, ...) only hold the settings and call the functions.

`LOSSES` holds a record of each loss that an embedder can train with; `register_loss` adds a loss of your own. Every
file of this folder may define `RECORDS`: the loop below finds them.
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

# The order of the menu; files that are not named here come after these.
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
