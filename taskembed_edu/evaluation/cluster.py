"""The grid on a dask.distributed cluster: a cell is a task of it, and outcomes come back as they are known.

    dask scheduler                                          on one machine
    dask worker tcp://that-machine:8786 --nthreads 1        on each of the others, as many as there are cores
    taskembed benchmark --scheduler tcp://that-machine:8786

What is sent is pickled, and unpickling runs code: on the workers, and here. Use a cluster that you trust.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.evaluation.benchmark import Pool, run_cell
from taskembed_edu.evaluation.results import Cell, Outcome

if TYPE_CHECKING:
    from distributed import Client, Future

# What must be of one version everywhere: pickles of another are refused, or read as something else.
SAME_EVERYWHERE = ("python", "dask", "distributed", "taskembed_edu")

_ONE_VERSION = "What is sent would not be read there. Install one version everywhere, and start it again."
# Seconds to take leave of a scheduler, which may be gone.
_GOODBYE = 1.0


def on_cluster(address: str, timeout: float = 10.0) -> Pool:
    """The cells on the workers of the cluster whose scheduler listens at `address`, such as tcp://10.0.0.5:8786.

    A worker that dies gives its cells back: the scheduler sends them to another one. `timeout`: how many seconds the
    scheduler and its first worker have to answer. Errors: ValueError where distributed is not installed; the pool's:
    ValueError for another version of something, ConnectionError for a scheduler or workers that are not there, or no
    longer. Worked number: 6 cells on 2 workers with one thread each take as long as 3 cells one after the other.
    """
    check_number("timeout", timeout, 0, None)
    if not re.fullmatch(r"(tcp|tls)://[^/]+:\d{1,5}", address):
        cause = "The first lines of `dask scheduler` name its address."
        raise ValueError(problem("scheduler", address or "nothing", "an address such as tcp://10.0.0.5:8786", cause))
    if importlib.util.find_spec("distributed") is None:
        cause = 'In the project\'s folder: python -m pip install -c constraints.txt -e ".[cluster]"'
        raise ValueError(problem("scheduler", f"{address}, but not the library distributed", "both", cause))

    def pool(cells: Sequence[Cell]) -> Iterator[Outcome]:
        with _connected(address, timeout) as client:
            yield from _outcomes(client, address, cells, timeout)

    return pool


@contextmanager
def _connected(address: str, timeout: float) -> Iterator[Client]:
    from distributed import Client

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # versions that differ: they are refused below, in our words
        try:
            client = Client(address, timeout=timeout)
        except (OSError, ValueError) as error:
            cause = "Does `dask scheduler` run there? Its first lines name the address. Does a firewall close the port?"
            raise ConnectionError(
                problem("scheduler", f"{address} ({error})", "a scheduler that answers", cause)
            ) from error
        except ImportError as error:
            raise ValueError(
                problem("cluster", f"{address} ({error})", "the versions of here", _ONE_VERSION)
            ) from error
    with _without_tracebacks():
        try:
            _wait_for_a_worker(client, address, timeout)
            _check_versions(client.get_versions(packages=["taskembed_edu"]))
            yield client
        finally:
            with suppress(TimeoutError):
                client.close(_GOODBYE)


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """distributed logs pages of its inside where a scheduler is gone; one sentence of ours says it."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _wait_for_a_worker(client: Client, address: str, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout)
    except TimeoutError:
        cause = f"Start some: dask worker {address} --nthreads 1. The next run goes on: what was found is kept."
        raise ConnectionError(problem("scheduler", f"{address} without a worker", "at least one", cause)) from None


def _check_versions(found: dict[str, Any]) -> None:
    """Whether what must be the same everywhere is so. Errors: ValueError with who has what."""
    mine = _versions(found["client"])
    for who, of in {"the scheduler": found["scheduler"], **found["workers"]}.items():
        for name, version in _versions(of).items():
            if version != mine[name]:
                came = f"{name} {version or 'not at all'} at {who}"
                raise ValueError(problem("cluster", came, f"{name} {mine[name]}, as here", _ONE_VERSION))


def _versions(of: dict[str, Any]) -> dict[str, str | None]:
    """The versions that count; of Python the first two numbers, since the third changes no pickle."""
    found = {name: of["packages"].get(name) for name in SAME_EVERYWHERE}
    return found | {"python": ".".join(of["packages"]["python"].split(".")[:2])}


def _outcomes(client: Client, address: str, cells: Sequence[Cell], timeout: float) -> Iterator[Outcome]:
    from distributed import CancelledError, wait

    waiting = {client.submit(_with_one_thread, run_cell, cell, pure=False): cell for cell in cells}
    try:
        while waiting:
            try:
                done = wait(list(waiting), timeout, "FIRST_COMPLETED").done
            except TimeoutError:
                _wait_for_a_worker(client, address, timeout)  # with none left it would be waited for ever
                continue
            for future in done:
                yield _outcome(future, waiting.pop(future))
    except ConnectionError:
        raise
    except (CancelledError, OSError) as error:
        came = f"{address}, which is gone with {len(waiting)} of {len(cells)} cells to do"
        cause = "What was found is kept: start it again, and the next run goes on from there."
        raise ConnectionError(problem("scheduler", came, "one that stays", cause)) from error


def _outcome(future: Future, cell: Cell) -> Outcome:
    """What became of a cell. A failure of its own is an outcome already: what is raised here is the cluster's."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    try:
        return future.result()
    except KilledWorker as error:
        died = f"its worker died {error.allowed_failures + 1} times: out of memory, or ended"
        return Outcome(cell, {}, math.nan, died)
    except (CancelledError, CommClosedError):
        raise
    except Exception as error:
        return Outcome(cell, {}, math.nan, f"{type(error).__name__}: {error}")


def _with_one_thread(act: Callable[[Cell], Outcome], cell: Cell) -> Outcome:
    """A cell as on this machine: its numbers do not depend on how many cores a worker's machine has."""
    torch.set_num_threads(1)
    return act(cell)
