"""A conclusion over three seeds: yours is live, the others are kept with a hash of the lines that gave them."""

from __future__ import annotations

import functools
import json
import textwrap
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from taskembed_edu.course import over_seeds, seeds
from tools import notebooks
from tools import seeds as tool

CELL = """
def doubled(seed):

    return {"twice": twice(seed), "name": 1.0}  # a word


def twice(seed):
    return 2.0 * seed
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(seeds, "FOLDER", tmp_path / "seeds")
    monkeypatch.delenv(seeds.MEASURE, raising=False)
    return tmp_path / "seeds"


@pytest.fixture
def shell() -> InteractiveShell:
    """A kernel's shell, in which a cell defines the experiment."""
    shell = InteractiveShell()
    assert shell.run_cell(CELL).success
    return shell


def measured(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as making:
        making.setenv(seeds.MEASURE, "measure")
        show(shell)


def show(shell: InteractiveShell, again: bool = False, high: float = 9) -> seeds.OverSeeds:
    doubled = shell.user_ns["doubled"]
    return over_seeds("05.doubled", doubled, doubled(0), ("twice", 0, high), again=again)


def test_three_seeds_stand_beside_one_another(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(shell, monkeypatch)
    shown = show(shell)
    assert [run["twice"] for run in shown.runs] == [0.0, 2.0, 4.0]
    assert str(shown) == "twice: yours (seed 0) 0.0, seed 1 2.0, seed 2 4.0, expected 0 to 9"
    assert repr(shown) == "twice: in the band 0 to 9"
    assert shown.page.count("<b>") == 3
    assert "NOT IN" in repr(show(shell, high=3)), "one seed outside is told"


def test_what_is_kept_is_not_measured_again(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(shell, monkeypatch)
    called = list[int]()
    shell.user_ns["twice"].__globals__["abs"] = called.append
    assert len(show(shell).runs) == 3
    assert called == []


@pytest.mark.parametrize(
    "changed", [CELL.replace("2.0 *", "3.0 *"), CELL.replace('"name": 1.0', '"name": 2.0')], ids=["called", "itself"]
)
def test_changed_lines_do_not_stand_beside_what_others_gave(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    measured(shell, monkeypatch)
    shell.run_cell(changed)
    shown = show(shell)
    assert len(shown.runs) == 1
    assert "The experiment was changed" in shown.page
    assert "again=True" in str(shown)
    assert len(show(shell, again=True).runs) == 3


def test_layout_is_no_change(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(shell, monkeypatch)
    shell.run_cell(CELL.replace("\n\n    return", "\n    return"))
    assert len(show(shell).runs) == 3


def test_nothing_kept_is_said(shell: InteractiveShell, folder: Path) -> None:
    assert "are not kept" in str(show(shell))
    folder.mkdir()
    for broken in ("no JSON", "[]", "{}", '{"runs": [{"twice": 2}], "source": 3}'):
        (folder / "05.doubled.json").write_text(broken)
        assert "are not kept" in str(show(shell))


def test_labels_and_rows_are_checked(shell: InteractiveShell) -> None:
    doubled = shell.user_ns["doubled"]
    with pytest.raises(ValueError, match="label: got 'thrice', expected one of twice, name"):
        over_seeds("05.doubled", doubled, doubled(0), ("thrice", 0, 1))
    with pytest.raises(ValueError, match="rows: got none"):
        over_seeds("05.doubled", doubled, doubled(0))


def test_a_label_that_only_the_learners_seed_has_is_told(shell: InteractiveShell) -> None:
    doubled = shell.user_ns["doubled"]
    with pytest.raises(ValueError, match=r"expected numbers for half\. It must give the same labels"):
        over_seeds("05.doubled", doubled, {**doubled(0), "half": 0.5}, ("half", 0, 1), again=True)


def test_what_has_no_lines_cannot_be_compared(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(shell, monkeypatch)
    doubled = functools.partial(shell.user_ns["doubled"])
    assert "The experiment was changed" in str(over_seeds("05.doubled", doubled, doubled(0), ("twice", 0, 9)))


def test_a_run_that_diverged_is_not_kept(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run_cell(CELL.replace("2.0 * seed", "float('nan')"))
    with pytest.raises(ValueError, match="A run diverged"):
        measured(shell, monkeypatch)


# ---- what the lessons keep -------------------------------------------------------------------------------------------


def test_the_tool_reads_the_lines_that_a_kernel_has(shell: InteractiveShell, tmp_path: Path) -> None:
    lesson = notebooks.Lesson("05_x", tmp_path)
    lesson.text.parent.mkdir()
    call = 'over_seeds("05.doubled", doubled, doubled(0), ("twice", 0, 9))'
    lesson.text.write_text(f"# %%\n{textwrap.dedent(CELL)}\n\n# %%\n{call}\n", encoding="utf-8")
    [(name, lines)] = tool.experiments(lesson)
    assert name == "05.doubled"
    assert seeds.digest(lines) == seeds.digest(seeds.sources(shell.user_ns["doubled"]))
    assert tool.check(lesson) == ["05.doubled: seeds (1, 2) are not kept: run `make seeds`"]
    seeds.keep("05.doubled", "another", [{"twice": 2.0}, {"twice": 4.0}])
    assert "its lines were changed" in tool.check(lesson)[0]


def test_a_decorated_function_has_its_own_lines(shell: InteractiveShell, tmp_path: Path) -> None:
    cell = CELL.replace("def", "import torch\n\n\n@torch.no_grad()\ndef", 1)
    shell.run_cell(cell)
    lesson = notebooks.Lesson("05_x", tmp_path)
    lesson.text.parent.mkdir()
    lesson.text.write_text(f'# %%{cell}\n\n# %%\nover_seeds("05.doubled", doubled, 1)\n', encoding="utf-8")
    [(_name, lines)] = tool.experiments(lesson)
    assert len(lines) == 2
    assert seeds.digest(lines) == seeds.digest(seeds.sources(shell.user_ns["doubled"]))


@pytest.mark.parametrize("lesson", notebooks.lessons(), ids=lambda lesson: lesson.name)
def test_a_lessons_seeds_are_of_its_own_lines(
    lesson: notebooks.Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(seeds, "FOLDER", Path(seeds.__file__).parent / "seeds")
    assert tool.check(lesson) == []
    for name, _lines in tool.experiments(lesson):
        assert seeds.place(name).stat().st_size < 2_000_000
        assert len(json.loads(seeds.place(name).read_bytes())["runs"]) == len(seeds.KEPT)


def test_what_is_no_experiment_or_no_number_is_said(shell: InteractiveShell) -> None:
    doubled = shell.user_ns["doubled"]
    row = ("twice", 0, 9)
    with pytest.raises(TypeError, match="experiment: got None, expected the function that takes a seed"):
        over_seeds("05.doubled", None, doubled(0), row)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mine: got None, expected numbers by label"):
        over_seeds("05.doubled", doubled, None, row)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="row: got 'twice', expected"):
        over_seeds("05.doubled", doubled, doubled(0), "twice")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="band of twice"):
        over_seeds("05.doubled", doubled, doubled(0), ("twice", 9, 0))
    with pytest.raises(TypeError, match="experiment: got None, expected numbers by label"):
        over_seeds("05.doubled", lambda seed: None, doubled(0), row, again=True)  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="numbers for twice"):
        over_seeds("05.doubled", lambda seed: {"thrice": 1.0}, doubled(0), row, again=True)
    assert len(over_seeds("05.doubled", print, doubled(0), row).runs) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "runs", [None, "two", [], [{"twice": 1.0}], [{"twice": 1.0}] * 3, [1, 2], [{"name": 1.0}] * 2, [{"twice": "x"}] * 2]
)
def test_a_broken_file_of_seeds_stops_nothing(shell: InteractiveShell, folder: Path, runs: object) -> None:
    folder.mkdir()
    source = seeds.digest(seeds.sources(shell.user_ns["doubled"]))
    for content in ({"source": source, "runs": runs}, {"runs": runs}, [runs]):
        seeds.place("05.doubled").write_text(json.dumps(content), encoding="utf-8")
        shown = show(shell)
        assert len(shown.runs) == 1
        assert "again=True" in str(shown)
