"""Your own data as tasks: the ten lines of README.md, every method, and what is said of arrays that do not fit."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu import OwnTasks, Session
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.labs.session_lab import SessionLab
from taskembed_edu.live.export import export_html
from taskembed_edu.session.recordings import load_recording, save_recording
from taskembed_edu.session.setup import Setup
from tests.runs import generator

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## Your own tasks in ten lines"


def lines(n_tasks: int = 40, n_rows: int = 20, **options: Any) -> OwnTasks:
    x = torch.rand(n_tasks, n_rows, 1, generator=generator())
    slope = torch.linspace(-1, 1, n_tasks)
    return OwnTasks(x, slope[:, None, None] * x, truth={"slope": slope}, **options)


def classes(n_tasks: int = 40, dim: int = 2, n_way: int = 3) -> OwnTasks:
    x = torch.randn(n_tasks, 24, dim, generator=generator())
    return OwnTasks(x, (torch.arange(24) % n_way).expand(n_tasks, -1))


def pictures(n_tasks: int = 30) -> OwnTasks:
    x = torch.rand(n_tasks, 12, 1, 8, 8, generator=generator())
    return OwnTasks(x, (torch.arange(12) % 2).expand(n_tasks, -1), label="Squares")


EVERY = {"lines": lines, "classes": classes, "many coordinates": lambda: classes(dim=5), "pictures": pictures}


def test_the_readme_says_where_the_tasks_are_and_how_many_are_needed() -> None:
    said = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0].split())
    train, shown, unseen = (part.n_distinct for part in lines(300).split(generator()))
    assert f"Of the 300 tasks {train} train the network, {shown} are on the map, and {unseen} are kept unseen" in said
    assert "At least 25 tasks are needed" in said
    lines(25).split(generator())
    with pytest.raises(ValueError, match="at least 25"):
        lines(24).split(generator())
    assert f"of 300 tasks of your own, MetricLab keeps {shown}" in Setup.declared()["n_tasks"].help


def code_in_readme() -> str:
    after = (ROOT / "README.md").read_text(encoding="utf-8").split(HEADING)[1]
    block = after.split("```python\n")[1].split("```")[0] if "```python" in after else ""
    if not block:
        indented = [line for line in after.split("\n## ")[0].splitlines() if line.startswith("    ")]
        block = "\n".join(line[4:] for line in indented)
    return block


def test_the_ten_lines_of_the_readme_put_your_tasks_on_a_map() -> None:
    code = code_in_readme()
    written = [line for line in code.splitlines() if line.strip()]
    assert 5 <= len(written) <= 10
    imported = [node for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {getattr(node, "module", None) or node.names[0].name for node in imported} == {"torch", "taskembed_edu"}
    made: dict[str, Any] = {}
    exec(code, made)
    lab = made["lab"]
    assert isinstance(lab, SessionLab)
    assert lab.session.step(300).diagnostics["recall@1"] > 5 / len(lab.session.tasks)
    assert lab.session.frame.diagnostics["spearman"] > 0.3


@pytest.mark.parametrize("embedder", EMBEDDERS)
@pytest.mark.parametrize("made", EVERY)
def test_every_method_takes_them(embedder: str, made: str, tmp_path: Path) -> None:
    tasks = EVERY[made]()
    session = Session(embedder, tasks, n_tasks=8, projection="pca")
    assert np.isfinite(session.step(10).embedding).all()
    assert export_html([session], tmp_path / "run.html").stat().st_size > 10_000
    path = save_recording(session.recording(), tmp_path / "recording.json")
    assert path.stat().st_size < 4000, "your data stay yours"
    assert list(Session.replay(load_recording(path, known=True), family=tasks).history) == list(session.history)
    made_again: dict[str, Any] = {"tasks": tasks}
    exec(session.code(), made_again)
    assert list(made_again["session"].history) == list(session.history)


def test_a_support_set_is_rows_of_its_task_and_shares_none_with_the_query_set() -> None:
    tasks = lines()
    batch = tasks.sample(10, n_shot=6, rng=generator())
    for k in range(10):
        which = int(batch.truth[k, -1])
        of_task = tasks.x[which].flatten().tolist()
        support, query = batch.support_x[k].flatten().tolist(), batch.query_x[k].flatten().tolist()
        assert set(support) | set(query) <= set(of_task)
        assert len(set(support) | set(query)) == 12
        assert torch.allclose(batch.support_y[k], batch.truth[k, 0] * batch.support_x[k])


def test_classes_come_in_order_and_as_many_of_each() -> None:
    batch = classes().sample(5, n_shot=2, rng=generator())
    assert batch.support_y.tolist() == [[0, 0, 1, 1, 2, 2]] * 5


def test_parts_share_no_task() -> None:
    parts = lines().split(generator())
    seen = [set(part.part) for part in parts]
    assert [len(part) for part in seen] == [24, 8, 8]
    assert len(set.union(*seen)) == 40
    with pytest.raises(ValueError, match="Split it once"):
        parts.train.split(generator())


def test_truth_is_the_distance_of_the_standardised_numbers() -> None:
    x = torch.rand(20, 8, 1, generator=generator())
    truth = {"size": torch.arange(20.0), "share": torch.arange(20.0) / 1000}
    tasks = OwnTasks(x, x, truth=truth)
    batch = tasks.sample(20, n_shot=2, rng=generator())
    spread = math.sqrt((20**2 - 1) / 12)
    apart = (batch.truth[:, None, 0] - batch.truth[None, :, 0]).abs() / spread * math.sqrt(2)
    assert torch.allclose(tasks.true_distance(batch), apart, atol=1e-5)
    assert not OwnTasks(x, x).has_geometry


def test_names_are_shown() -> None:
    x = torch.rand(20, 8, 1, generator=generator())
    named = OwnTasks(x, x, names=[f"patient {k}" for k in range(20)])
    assert sorted(named.sample(20, n_shot=2, rng=generator()).names)[0] == "patient 0"
    assert lines().sample(1, rng=generator()).names[0].startswith("slope ")
    assert OwnTasks(x, x).sample(1, n_shot=2, rng=generator()).names[0].startswith("task ")


X = torch.zeros(20, 6, 1)
Y = torch.zeros(20, 6)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((X[..., 0], Y), {}, r"x: got .*expected shape \(n_tasks, n_rows, entries\).*Write x\[\.\.\., None\]"),
        ((X[0], Y[0]), {}, r"x: got .*\(6, 1\).*Tasks come first: x\[i\] is task i"),
        ((torch.rand(20, 6, 4, 4), Y.long()), {}, r"x: got .*Grey pictures\? Write x\[:, :, None\]"),
        ((X, torch.ones(20, 6, 2).long()), {}, r"y: got .*One-hot classes become numbers by y\.argmax"),
        (([[[1.0]], [[1.0], [2.0]]], Y), {}, r"x: got .*Its rows differ: one is of shape \(1,\), another of \(2,\)"),
        (
            ([[[1.0]] * 7, [[1.0]] * 5], Y),
            {},
            r"x: got .*tasks of 5 to 7 rows, expected as many rows in every task",
        ),
        (
            ([torch.rand(5, 1), torch.rand(7, 1)], Y),
            {},
            r"x: got .*shortest: x = \[task\[:5\] for task in x\]",
        ),
        (
            (X, [[1.0] * 6, [1.0] * 4]),
            {},
            r"y: got tasks of 4 to 6 rows.*x = \[task\[:4\] .* and y in the same way",
        ),
        ((X, Y), {"truth": {"kind": ["cat"] * 20}}, r"truth 'kind': got .*'cat' is a word: give each word a number"),
        ((X, Y[:, :5]), {}, r"y: got .*expected shape \(20, 6\): an answer for every row"),
        ((X, Y.long()), {}, r"y: got classes 0 to 0, expected classes from 0 to 2 at most.*y\.astype\(float\)"),
        ((X, Y.long() + 10**12), {}, r"y: got classes 1000000000000 to .*y\.astype\(float\)"),
        ((X, (torch.arange(6) % 2 + 1).expand(20, -1)), {}, r"y: got 0 rows of class 0 in task 0.*write y - 1"),
        ((X, (torch.arange(6) // 5).expand(20, -1)), {}, r"y: got 1 rows of class 1 in task 0"),
        ((X * math.nan, Y), {}, r"x: got 120 NaN .*Leave out rows"),
        ((X.double() + 1e300, Y), {}, r"x: got 120 NaN or infinite .*nearer 1"),
        ((X, Y.to(torch.complex64)), {}, r"y: got .*expected real numbers"),
        ((torch.rand(20, 6, 1, 4, 4), Y), {}, r"y: .*expected whole numbers: the classes of the pictures"),
        ((X[:, :1], Y[:, :1]), {}, r"x: got one row a task, expected at least two"),
        ((X[:0], Y[:0]), {}, r"x: got .*expected shape"),
        ((X, Y), {"names": ["a"]}, r"names: got 1 names, expected 20, one a task"),
        ((X, Y), {"names": "a" * 20}, r"names: got 'a+', expected 20, one a task"),
        ((X, Y), {"truth": {"size": [1, 2]}}, r"truth 'size': .*expected 20 numbers"),
        ((X, Y), {"truth": {"size": [math.nan] * 20}}, r"truth 'size': got 20 NaN"),
        ((X, Y), {"truth": {"size": ["a"] * 20}}, r"truth 'size': got .*expected numbers"),
        ((X, Y), {"truth": np.ones(20)}, r"truth: got a ndarray, expected one number a task for each name"),
        ((X, Y), {"n_shot": 4}, r"n_shot: got 4, expected a number from 1 to 3"),
        ((X, Y), {"n_shot": 0}, r"n_shot: got 0"),
        (("far", Y), {}, r"x: got 'far', expected numbers"),
    ],
)
def test_what_does_not_belong_together_is_said(arguments: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        OwnTasks(*arguments, **options)


def test_too_few_tasks_or_rows_are_said() -> None:
    with pytest.raises(ValueError, match=r"x: got 10 tasks, expected at least 25"):
        Session("metric", lines(n_tasks=10))
    with pytest.raises(ValueError, match=r"n_shot: got 22, expected at most 20 rows"):
        lines().sample(2, n_shot=11, rng=generator())
    with pytest.raises(ValueError, match=r"n_tasks: got 41, expected at most 40"):
        lines().sample(41, rng=generator())


def test_what_is_yours_stays_yours_and_a_recording_knows_it() -> None:
    x, y = torch.rand(30, 12, 1, generator=generator()), torch.rand(30, 12, generator=generator(1))
    tasks = OwnTasks(x, y)
    assert tasks == OwnTasks(x.clone(), y.clone())
    session = Session("metric", tasks, projection="pca", hidden=8)
    session.step(3)
    recording = session.recording()
    x += 5
    assert list(Session.replay(recording, family=tasks).history) == list(session.history)
    assert tasks != OwnTasks(x, y)
    with pytest.raises(ValueError, match=r"recording: got a run on other data"):
        Session.replay(recording, family=OwnTasks(x, y))


def test_what_was_chosen_counts_when_tasks_are_compared() -> None:
    x, y = torch.rand(30, 12, 1, generator=generator()), torch.rand(30, 12, generator=generator(1))
    assert OwnTasks(x, y, n_shot=2) != OwnTasks(x, y, n_shot=3)
    assert OwnTasks(x, y, label="a") != OwnTasks(x, y)


def test_names_and_truth_in_ordinary_forms() -> None:
    x, y = np.random.default_rng(0).random((30, 12, 1)), np.random.default_rng(1).integers(0, 2, (30, 12))
    y[:, :4] = [0, 0, 1, 1]
    named: Any = {"names": np.array([f"n{k}" for k in range(30)]), "truth": {0: range(30)}}
    made = OwnTasks(x, y[..., None].astype(np.uint16), **named)
    assert made.classification
    assert made.truth_names == ("0",)
    assert made.sample(3, rng=generator()).names[0].startswith("n")


def test_stamps_of_time_keep_their_digits() -> None:
    x = torch.rand(30, 12, 1, generator=generator())
    when = 1_700_000_000 + torch.arange(30)
    tasks = OwnTasks(x, x, truth={"when": when})
    batch = tasks.sample(30, rng=generator())
    assert sorted(batch.truth[:, 0].tolist()) == when.tolist()
    assert float(tasks.true_distance(batch).max()) > 3
