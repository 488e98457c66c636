"""What a learner gets wrong in a family, an embedder or a score of their own is said in words, where it is given.

`tests/test_own_loss.py` has the slips of a loss, `tests/test_own_tasks.py` those of two arrays. Each row here is one
slip in code that works without it: CONTRIBUTING's own pages.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from taskembed_edu import MetricLab, Score, Session, Split, TaskFamily
from taskembed_edu.embedders import EMBEDDERS, StepRecord
from taskembed_edu.evaluation.registry import SCORES, register_score
from taskembed_edu.tasks import Gaussians
from tests.runs import generator, small_session

GUIDE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def module_of(page: str, folder: Path) -> ModuleType:
    """CONTRIBUTING's page, without the run at its end."""
    section = GUIDE.split(f"## {page}\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    name = f"slips_{page.lower().replace(' ', '_')}"
    (folder / f"{name}.py").write_text(code.split("\nsession = ")[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> type[Any]:
    return module_of("Add a task family", tmp_path_factory.mktemp("family")).Lines


@pytest.fixture(scope="module")
def projection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield module_of("Add an embedder", tmp_path_factory.mktemp("embedder"))
    EMBEDDERS.pop("projection", None)


SMALL: dict[str, Any] = {"n_tasks": 8, "projection": "pca", "frame_every": 2, "batch": 4, "hidden": 8, "dim": 2}


# ---- a family ------------------------------------------------------------------------------------------------------


def drawn(change: Callable[[Tensor, Tensor], Any]) -> dict[str, Any]:
    """A `draw_samples` whose x and y are changed like this."""

    def draw_samples(self: Any, truth: Tensor, n_shot: int, rng: torch.Generator) -> Any:
        x = 2 * torch.rand(len(truth), n_shot, 1, generator=rng) - 1
        return change(x, truth[:, :1, None] * x + truth[:, 1:, None])

    return {"draw_samples": draw_samples}


def truth_of(change: Callable[[Tensor], Any]) -> dict[str, Any]:
    """A `draw_truth` whose numbers are changed like this."""

    def draw_truth(self: Any, n_tasks: int, rng: torch.Generator) -> Any:
        return change(2 * torch.rand(n_tasks, 2, generator=rng) - 1)

    return {"draw_truth": draw_truth}


def classes(y: Callable[[int, int], Tensor]) -> dict[str, Any]:
    """Points of two classes with these labels, (n_tasks, 2 n_shot)."""

    def draw_samples(self: Any, truth: Tensor, n_shot: int, rng: torch.Generator) -> Any:
        return torch.rand(len(truth), 2 * n_shot, 1, generator=rng), y(len(truth), n_shot)

    return {"draw_samples": draw_samples, "classification": True, "kind": "points", "n_way": property(lambda _: 2)}


def unseeded(self: Any, truth: Tensor, n_shot: int, rng: torch.Generator) -> Any:
    x = torch.rand(len(truth), n_shot, 1)
    return x, x


def in_place(self: Any, truth: Tensor, n_shot: int, rng: torch.Generator) -> Any:
    x = torch.rand(len(truth), n_shot, 1, generator=rng)
    return x, x * truth.mul_(2)[:, :1, None]


def family_class(name: str, base: Any, changes: dict[str, Any]) -> Any:
    """A family of this name with these changes."""
    return dataclasses.dataclass(frozen=True)(type(name, (base,), changes))


FAMILY: dict[str, tuple[dict[str, Any], str]] = {
    "a vector for a sample's number": (
        drawn(lambda x, y: (x[..., 0], y)),
        r"draw_samples of Lines, x: got a tensor of shape \(2, 10\).*expected shape \(2, 10, 1\).*x\[\.\.\., None\]",
    ),
    "samples before tasks": (drawn(lambda x, y: (x.transpose(0, 1), y)), r"x: got .*\(10, 2, 1\).*Tasks come first"),
    "one set for all": (drawn(lambda x, y: (x[:1], y)), r"x: got .*\(1, 10, 1\).*for each row of truth"),
    "a sample too few": (drawn(lambda x, y: (x[:, 1:], y)), r"x: got .*\(2, 9, 1\).*n_shot says how many"),
    "no pair": (drawn(lambda x, y: x), r"draw_samples of Lines: got a tensor.*expected a pair: return x, y"),
    "nothing": (drawn(lambda x, y: None), r"draw_samples of Lines: got None, expected a pair"),
    "arrays of numpy": (
        drawn(lambda x, y: (x.numpy(), y)),
        r"x: got a ndarray of shape \(2, 10, 1\), expected a tensor",
    ),
    "double precision": (
        drawn(lambda x, y: (x.double(), y.double())),
        r"x: got .*float64, expected dtype float32.*x\.float",
    ),
    "a double answer": (drawn(lambda x, y: (x, y.double())), r"y: got .*float64, expected dtype float32.*y\.float"),
    "an answer without its dimension": (
        drawn(lambda x, y: (x, y[..., 0])),
        r"y: got a tensor of shape \(2, 10\).*\(2, 10, 1\).*y\[\.\.\., None\]",
    ),
    "too few answers": (drawn(lambda x, y: (x, y[:, 1:])), r"y: got .*an answer for every sample of x"),
    "an answer of NaN": (drawn(lambda x, y: (x, y / 0 * 0)), r"draw_samples of Lines, y: got 20 NaN or infinite"),
    "another device": (drawn(lambda x, y: (x.to("meta"), y)), r"x: got a tensor on meta, expected one on the CPU"),
    "no generator": ({"draw_samples": unseeded}, r"draw_samples of Lines: got two draws of one seed that differ.*rng"),
    "a flat truth": (truth_of(lambda t: t[:, 0]), r"draw_truth of Lines: got .*\(2,\).*a row a task.*torch\.stack"),
    "a column too few": (truth_of(lambda t: t[:, :1]), r"draw_truth of Lines: got .*\(2, 1\).*\(2, 2 or more\).*slope"),
    "a row for all": (truth_of(lambda t: t[:1]), r"draw_truth of Lines: got a tensor of shape \(1, 2\).*a row a task"),
    "a truth of NaN": (
        truth_of(lambda t: t * torch.nan),
        r"draw_truth of Lines: got 4 NaN or infinite.*has to be known",
    ),
    "a truth of numpy": (truth_of(lambda t: t.numpy()), r"draw_truth of Lines: got a ndarray.*torch\.from_numpy"),
    "no truth": (truth_of(lambda t: None), r"draw_truth of Lines: got None.*return"),
    "a complex truth": (truth_of(lambda t: t * 1j), r"draw_truth of Lines: got .*complex64, expected real numbers"),
    "a truth that is changed": (
        {"draw_samples": in_place},
        r"draw_samples of Lines: got a truth that it changed.*truth\.clone",
    ),
    "half a shot": ({"default_shot": 2.5}, r"default_shot of Lines: got 2\.5, expected a whole number"),
    "shots as a word": ({"default_shot": "5"}, r"default_shot of Lines: got '5', expected a number"),
    "a number as its shape": ({"x_shape": property(lambda _: 1)}, r"x_shape of Lines: got 1, expected a tuple"),
    "a name that is none": ({"task_name": lambda _, truth: truth[0]}, r"task_name of Lines: got a tensor.*a text"),
    "flat coordinates": ({"coordinates": lambda _, t: t[:, 0]}, r"coordinates of Lines: got .*truth\[:, :1\]"),
    "coordinates of NaN": ({"coordinates": lambda _, t: t.log()}, r"coordinates of Lines: got .*NaN"),
    "one kind for two names": (
        {"truth_kinds": property(lambda _: ("quantity",))},
        r"truth_kinds of Lines: got .*expected 2, as truth_names has",
    ),
    "an unknown kind of truth": (
        {"truth_kinds": property(lambda _: ("quantity", "angel"))},
        r"truth_kinds of Lines: got 'angel'.*Did you mean 'angle'",
    ),
    "a group without a column": ({"group": property(lambda _: "slop")}, r"group of Lines: got 'slop'.*'slope'"),
    "three lists": (
        {"split": lambda self, rng: [self, self, self]},
        r"split of Lines: got a list of 3, expected a Split of three families",
    ),
    "parts that overlap": (
        {"split": lambda self, rng: Split(*(self.with_part(part) for part in ((1, 2), (2, 3), (4,))))},
        r"split of Lines: got 1 in both train and validation, 2 among them, expected parts that share nothing",
    ),
    "labels that are numbers": (classes(lambda n, k: torch.zeros(n, 2 * k)), r"y: got .*float32, expected dtype int64"),
    "labels from 1": (
        classes(lambda n, k: torch.arange(1, 3).repeat_interleave(k).expand(n, -1)),
        r"y: got classes 1 to 2, expected classes 0 to 1",
    ),
    "labels in turns": (
        classes(lambda n, k: torch.arange(2).repeat(k).expand(n, -1)),
        r"y: got classes in another order.*repeat_interleave",
    ),
    "labels as a column": (
        classes(lambda n, k: torch.arange(2).repeat_interleave(k).expand(n, -1)[..., None]),
        r"y: got a tensor of shape \(2, 20, 1\).*A class a sample",
    ),
}


@pytest.mark.parametrize(("changes", "words"), FAMILY.values(), ids=FAMILY)
def test_a_family_that_is_wrong_is_told_so(lines: type[Any], changes: dict[str, Any], words: str) -> None:
    wrong = family_class("Lines", lines, changes)
    with pytest.raises((ValueError, TypeError), match=re.compile(words, re.DOTALL)) as told:
        Session("metric", wrong(), **SMALL)
    assert "expected" in str(told.value)


@pytest.mark.parametrize("name", ["name", "label", "classification", "default_shot"])
def test_what_a_family_does_not_declare_is_named(lines: type[Any], name: str) -> None:
    declared = {n: v for n, v in vars(lines).items() if not n.startswith("__") and n not in (name, "kind", "_abc_impl")}
    bare = family_class("Bare", TaskFamily, {**declared, "__annotations__": {"part": tuple}})
    with pytest.raises(
        TypeError, match=rf"{name}: got none, expected one that Bare declares. Write it in the class: {name} ="
    ):
        bare()


def test_a_class_in_place_of_a_family_is_told_so(lines: type[Any]) -> None:
    wrong: Any = lines
    for make in (lambda: Session("metric", wrong), lambda: MetricLab(wrong)):
        with pytest.raises(TypeError, match=r"family: got Lines, expected a name, or a family of tasks.*Lines\(\)"):
            make()


def test_distances_between_whole_numbers_are_not_cut(lines: type[Any]) -> None:
    changes = {**truth_of(lambda t: (9 * t).round().long()), "coordinates": lambda _, t: t / 2}
    family = family_class("Lines", lines, changes)()
    batch = family.sample(6, rng=generator())
    halves = batch.truth.double() / 2
    plain = [[math.dist(one, other) for other in halves.tolist()] for one in halves.tolist()]
    assert family.true_distance(batch).numpy() == pytest.approx(np.array(plain))


# ---- an embedder ---------------------------------------------------------------------------------------------------


def begun(change: Callable[[Any], Any]) -> dict[str, Any]:
    return {"begin": lambda self, family, tasks, settings, rng: change(self.sound.begin(family, tasks, settings, rng))}


def stepped(change: Callable[[Any, Any], Any]) -> dict[str, Any]:
    return {"step": lambda self, state, settings: change(*self.sound.step(state, settings))}


def embedded(change: Callable[[Tensor], Any]) -> dict[str, Any]:
    return {"embed": lambda self, state, tasks=None: change(self.sound.embed(state, tasks))}


@dataclasses.dataclass
class Shared:
    """A state whose copy is the state itself."""

    tasks: Any
    step: int = 0

    def copy(self) -> Shared:
        return self

    def n_bytes(self) -> int:
        return 1


@dataclasses.dataclass
class SharedGenerator(Shared):
    """A state whose copy draws from the same generator."""

    rng: Any = dataclasses.field(default_factory=torch.Generator)

    def copy(self) -> SharedGenerator:
        return dataclasses.replace(self)


EMBEDDER: dict[str, tuple[dict[str, Any], str]] = {
    "no state": (begun(lambda s: None), r"begin of Mine: got None, expected a state with step, tasks.*return"),
    "a tensor as its state": (begun(lambda s: s.directions), r"begin of Mine: got a Tensor without step, tasks, copy"),
    "a state that has begun": (
        begun(lambda s: dataclasses.replace(s, step=1)),
        r"begin of Mine: got a state at step 1",
    ),
    "other tasks": (
        begun(lambda s: dataclasses.replace(s, tasks=3)),
        r"begin of Mine: got a state whose tasks are a int",
    ),
    "a copy that is none": (begun(lambda s: Shared(s.tasks)), r"copy of Mine's state: got the state itself"),
    "a copy that shares": (
        begun(lambda s: SharedGenerator(s.tasks)),
        r"copy of Mine's state: got a state with the same rng",
    ),
    "no record": (stepped(lambda s, r: s), r"step of Mine: got a ProjectionState, expected the state and a record"),
    "a number as its record": (
        stepped(lambda s, r: (s, 0.5)),
        r"step of Mine: got a tuple of a ProjectionState, a float",
    ),
    "nothing from a step": (stepped(lambda s, r: None), r"step of Mine: got None, expected the state and a record"),
    "no count": (
        stepped(lambda s, r: (dataclasses.replace(s, step=0), r)),
        r"step of Mine: got a state at step 0.*\+= 1",
    ),
    "a loss of Python": (stepped(lambda s, r: (s, StepRecord(0.5))), r"step of Mine, loss: got a float.*torch\.tensor"),  # type: ignore[arg-type]
    "a loss for each": (
        stepped(lambda s, r: (s, StepRecord(torch.ones(3)))),
        r"step of Mine, loss: got .*\(3,\).*\.mean",
    ),
    "a reading for each": (
        stepped(lambda s, r: (s, StepRecord(r.loss, {"weight": torch.ones(3)}))),
        r"step of Mine, weight: got a tensor of shape \(3,\)",
    ),
    "a row too few": (embedded(lambda v: v[1:]), r"embed of Mine: got .*expected a tensor of shape \(8, dim\)"),
    "a vector a sample": (
        embedded(lambda v: v[:, None].repeat(1, 3, 1)),
        r"embed of Mine: got .*\(8, 3, 4\).*A vector a sample",
    ),
    "an array": (embedded(lambda v: v.numpy()), r"embed of Mine: got a ndarray, expected a tensor.*torch\.as_tensor"),
    "no vectors": (embedded(lambda v: None), r"embed of Mine: got None, expected a tensor.*return"),
    "complex vectors": (embedded(lambda v: v.to(torch.complex64)), r"embed of Mine: got .*expected real numbers"),
    "no name": ({"name": None}, r"name of Mine: got none, expected a word"),
    "no settings": ({"settings_class": None}, r"settings_class of Mine: got none, expected a class of Settings"),
}


def mine(projection: Any, changes: dict[str, Any]) -> Any:
    return type("Mine", (projection.ProjectionEmbedder,), {"sound": projection.ProjectionEmbedder(), **changes})()


@pytest.mark.parametrize(("changes", "words"), EMBEDDER.values(), ids=EMBEDDER)
def test_an_embedder_that_is_wrong_is_told_so(projection: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.compile(words, re.DOTALL)):
        Session(mine(projection, changes), "sinusoids", n_tasks=8, projection="pca").step(10)


@pytest.mark.parametrize("change", [lambda v: v.requires_grad_(), lambda v: v.half(), lambda v: v.double()])
def test_vectors_that_only_want_converting_are_converted(projection: Any, change: Callable[[Tensor], Tensor]) -> None:
    session = Session(mine(projection, embedded(change)), "sinusoids", n_tasks=8, projection="pca")
    plain = Session(projection.ProjectionEmbedder(), "sinusoids", n_tasks=8, projection="pca")
    assert session.frame.embedding.dtype == np.float32
    assert session.frame.embedding == pytest.approx(plain.frame.embedding, rel=1e-3)


def test_what_is_no_embedder_is_told_so(projection: Any) -> None:
    with pytest.raises(TypeError, match=r"embedder: got ProjectionEmbedder, expected a name.*ProjectionEmbedder\(\)"):
        Session(projection.ProjectionEmbedder)
    with pytest.raises(TypeError, match="embedder: got a int, expected a name, or an Embedder"):
        Session(3)  # type: ignore[arg-type]


# ---- a score -------------------------------------------------------------------------------------------------------

SCORE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a wrong field": (lambda c: c.embedding.mean(), r"score mine: got AttributeError.*a ScoreContext, with vectors"),
    "a wrong product": (
        lambda c: c.vectors @ c.vectors,
        r"score mine: got RuntimeError.*vectors are of shape \(12, 2\)",
    ),
    "what may be absent": (
        lambda c: c.groups.max(),
        r"score mine: got AttributeError.*None here: groups.*needs=\('groups',\)",
    ),
    "a number a task": (
        lambda c: c.distances.mean(1),
        r"score mine: got a tensor of shape \(12,\).*expected one number",
    ),
    "nothing": (lambda c: None, r"score mine: got None, expected one number.*return"),
    "a text": (lambda c: "high", r"score mine: got high, expected one number"),
    "an imaginary one": (lambda c: torch.tensor(1j), r"score mine: got a tensor of .*complex64, expected one number"),
    "a wrong index": (lambda c: c.vectors[99], r"score mine: got IndexError"),
}


@pytest.mark.parametrize(("function", "words"), SCORE.values(), ids=SCORE)
def test_a_score_that_is_wrong_is_told_so(
    function: Callable[[Any], Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskembed_edu.evaluation.registry.SCORES", SCORES)
    register_score(Score(name="mine", label="Mine", help="What I ask.", function=function))
    try:
        with pytest.raises((TypeError, RuntimeError), match=words):
            small_session(family=Gaussians())
    finally:
        del SCORES["mine"]


def test_the_declaration_of_a_score_is_checked() -> None:
    with pytest.raises(TypeError, match=r"needs: got 'geometry', expected a tuple of names.*needs=\('geometry',\)"):
        Score(name="mine", label="Mine", help="Mine.", function=lambda c: 0.0, needs="geometry")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"function: got 0.5, expected a function of one argument"):
        Score(name="mine", label="Mine", help="Mine.", function=0.5)  # type: ignore[arg-type]
