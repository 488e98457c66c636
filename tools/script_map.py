"""The map of scripts in docs/images: letters of six writing systems that no training task had.

    python -m tools.script_map

A point is a task: five letters of one script, four drawings of each. Its vector is the mean and spread of the features
that lesson 10's network makes of them (the kept one), and UMAP lays the vectors out. What is drawn is one letter.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from taskembed_edu.course.artefacts.letters import letter_features
from taskembed_edu.evaluation.scripts import mean_and_spread
from taskembed_edu.figures.picture_map import picture_map_figure
from taskembed_edu.figures.plots import Still
from taskembed_edu.tasks.alphabets import NEVER_SEEN, Alphabets
from tools.small_pictures import small_picture

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "script_map.png"
N_TASKS, N_SHOT, N_NEIGHBOURS, SEED = 120, 4, 10, 0


def script_map() -> Still:
    """The figure; the same seed gives the same one."""
    from umap import UMAP  # it compiles: not where this module is only looked at

    family = Alphabets(part=NEVER_SEEN)
    tasks = family.sample(N_TASKS, N_SHOT, n_query=1, rng=torch.Generator().manual_seed(SEED))
    vectors = mean_and_spread(letter_features())(tasks)
    layout = UMAP(n_neighbors=N_NEIGHBOURS, min_dist=0.5, random_state=SEED, n_jobs=1).fit_transform(vectors.numpy())
    scripts = [family.alphabets()[int(script)] for script in tasks.truth[:, 0]]
    groups = torch.tensor([NEVER_SEEN.index(script) for script in scripts])
    return picture_map_figure(layout, tasks.support_x[:, 0, 0], groups, NEVER_SEEN)


def main() -> int:
    """Draw it into docs/images; the exit code."""
    IMAGE.write_bytes(small_picture(script_map()._repr_png_()))
    print(f"{IMAGE.name}: {IMAGE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
