"""What nbval compares of a lesson: texts and numbers, never pictures, never a widget's view.

A widget's view, a PNG and a plotly figure are drawn anew by every run and every version. What they show is compared
where it is text: a lab's repr holds its numbers, and a figure's data is asserted on in a cell.
"""

from __future__ import annotations

import importlib
import os
import tempfile

import pytest
from nbval.plugin import IPyNbFile

# Some lessons import torch first. Their kernels inherit from here what the package says about threads.
importlib.import_module("taskembed_edu")

# No lesson asks for the network, and neither do the kernels that run them.
importlib.import_module("tests.offline.sitecustomize")

# A line of progress depends on the clock: a slow machine would show it where a fast one does not.
os.environ["TASKEMBED_PROGRESS"] = "off"

# A check neither reads nor writes what a learner has recorded on this machine.
os.environ["TASKEMBED_COURSE_RECORD"] = os.path.join(tempfile.mkdtemp(prefix="taskembed-"), "record.jsonl")

NOT_COMPARED = (
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.plotly.v1+json",
    "image/png",
    "image/svg+xml",
    "text/html",  # a learner's own numbers and guesses; the text beside it says what is the same for all
)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tell nbval before it compares the first cell."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += tuple(mime for mime in NOT_COMPARED if mime not in collector.skip_compare)
