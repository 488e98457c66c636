"""The page that answers: predictions, exercises that say what is wrong, bands, and a record of one's own.

    from taskembed_edu.course import check, expected, hint, outcome, predict, tally

What a lesson shows through these works by keyboard, headless, and as far as it can on a page without a kernel.
"""

import lazy_loader

from taskembed_edu.course import missing_names

# Loaded when first used: `taskembed lab` needs the editions, and must not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

missing_names.install()
