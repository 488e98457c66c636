"""What the project promises to reach, measured beside what others reach, in one run: `python -m benchmarks`."""

import taskembed_edu as taskembed_edu  # before torch: it says how torch's threads are to wait, as for a learner
