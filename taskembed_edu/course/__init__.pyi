from .checking import check as check
from .checking import hint as hint
from .expected import expected as expected
from .prediction import outcome as outcome
from .prediction import predict as predict
from .prediction import tally as tally
from .seeds import over_seeds as over_seeds
