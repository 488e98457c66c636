"""What an embedder gives, checked where a run takes it: an embedder of one's own that is wrong is told so in words.

A run calls `check_state` when it begins, `check_first_step` after its first step, and `check_vectors` for every frame.
The other steps check nothing.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.base.settings import Settings
from taskembed_edu.embedders.base import LOSS, Embedder, StepRecord
from taskembed_edu.tasks.base import TaskBatch


def check_embedder(embedder: Any) -> Embedder[Any, Any]:
    """The embedder, if it is one and says its name and its settings. Errors: TypeError that names what is missing."""
    if isinstance(embedder, type):
        cause = f"That is the class: write {embedder.__name__}()."
        raise TypeError(problem("embedder", f"{embedder.__name__}", "a name, or an Embedder", cause))
    if not isinstance(embedder, Embedder):
        raise TypeError(problem("embedder", f"a {type(embedder).__name__}", "a name, or an Embedder"))
    settings = getattr(embedder, "settings_class", None)
    if not isinstance(getattr(embedder, "name", None), str):
        cause = "Write it in the class: name = 'projection'."
        raise TypeError(problem(f"name of {type(embedder).__name__}", "none", "a word", cause))
    if not (isinstance(settings, type) and issubclass(settings, Settings) and dataclasses.is_dataclass(settings)):
        cause = "It is a @dataclass(frozen=True) of settings: settings_class = ProjectionSettings."
        came = "none" if settings is None else f"{settings}"
        raise TypeError(problem(f"settings_class of {type(embedder).__name__}", came, "a class of Settings", cause))
    return embedder


def check_state(embedder: Embedder[Any, Any], state: Any) -> None:
    """Raise if `begin` gave no state of a run: step 0, tasks, copy() and n_bytes()."""
    what, expected = f"begin of {type(embedder).__name__}", "a state with step, tasks, copy() and n_bytes()"
    if state is None:
        raise TypeError(problem(what, "None", expected, "Does it end with return?"))
    missing = [name for name in ("step", "tasks", "copy", "n_bytes") if not hasattr(state, name)]
    if missing:
        raise TypeError(problem(what, f"a {type(state).__name__} without {', '.join(missing)}", expected))
    if state.step != 0:
        raise ValueError(problem(what, f"a state at step {state.step}", "one at step 0"))
    if not isinstance(state.tasks, TaskBatch):
        came = f"a state whose tasks are {_named(state.tasks)}"
        raise TypeError(problem(what, came, "the TaskBatch that begin was given", "The map shows these tasks."))
    _check_copy(type(embedder).__name__, state)


def _check_copy(embedder: str, state: Any) -> None:
    twin = state.copy()
    what = f"copy of {embedder}'s state"
    if type(twin) is not type(state):
        raise TypeError(problem(what, _named(twin), f"another {type(state).__name__}", "Does it end with return?"))
    cause = "Steps change a state in place, and a frame or a branch would change with it."
    if twin is state:
        raise ValueError(problem(what, "the state itself", "another one", cause))
    kept, copied = (vars(one) if hasattr(one, "__dict__") else {} for one in (state, twin))
    for name, value in kept.items():
        if copied.get(name) is value and _changes(value):
            raise ValueError(problem(what, f"a state with the same {name}", "one with a copy of it", cause))


def _changes(value: Any) -> bool:
    """Whether training may change this: a network that has nothing to train stays as it is."""
    if isinstance(value, torch.nn.Module):
        return any(parameter.requires_grad for parameter in value.parameters())
    return isinstance(value, torch.optim.Optimizer | torch.Generator)


def check_first_step(embedder: Embedder[Any, Any], given: Any, before: int) -> None:
    """Raise if `step` gave anything but the state, one step on, and the record of that step."""
    what = f"step of {type(embedder).__name__}"
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[1], StepRecord):
        came = f"a tuple of {', '.join(map(_named, given))}" if isinstance(given, tuple) else _named(given)
        raise TypeError(problem(what, came, "the state and a record: return state, StepRecord(loss)"))
    state, record = given
    if getattr(state, "step", None) != before + 1:
        came = f"a state at step {getattr(state, 'step', 'unknown')}"
        raise ValueError(problem(what, came, f"one at step {before + 1}", "Does it count: state.step += 1?"))
    for name, value in {LOSS.name: record.loss, **record.readings}.items():
        if not isinstance(value, Tensor) or value.ndim:
            cause = "torch.tensor(number) makes one." if not isinstance(value, Tensor) else "End with .mean()."
            raise TypeError(problem(f"{what}, {name}", _named(value), "one number, a tensor of shape ()", cause))


def check_vectors(embedder: Embedder[Any, Any], vectors: Any, n_tasks: int) -> Tensor:
    """The tasks' vectors as frames keep them, (n_tasks, dim) on the CPU, single precision, without a gradient.

    Errors: TypeError or ValueError, naming the embedder, for anything but a row of real numbers for each task.
    """
    what, expected = f"embed of {type(embedder).__name__}", f"a tensor of shape ({n_tasks}, dim): a vector a task"
    if not isinstance(vectors, Tensor):
        cause = "Does it end with return?" if vectors is None else "torch.as_tensor(...) makes one."
        raise TypeError(problem(what, _named(vectors), expected, cause))
    if vectors.ndim != 2 or len(vectors) != n_tasks or not vectors.shape[1]:
        cause = "It gets tasks=None for the tasks of the run, and other tasks for scores."
        if vectors.ndim == 3:
            cause = "A vector a sample? Bring those of each task together: vectors.mean(1)."
        raise ValueError(problem(what, vectors, expected, cause))
    if vectors.is_complex():
        raise TypeError(problem(what, vectors, "real numbers"))
    return vectors.detach().cpu().float()


def _named(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return "None" if value is None else f"a {type(value).__name__}"
