"""The page that answers: predictions, exercises that say what is wrong, bands, and a record of one's own.

    from taskembed_edu.course import check, expected, hint, outcome, predict, tally

Everything that a lesson shows through these works without a kernel as far as it can, by keyboard, and headless.
"""

from taskembed_edu.course.checking import check, hint
from taskembed_edu.course.expected import expected
from taskembed_edu.course.prediction import outcome, predict, tally

__all__ = ["check", "expected", "hint", "outcome", "predict", "tally"]
