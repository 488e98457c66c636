"""The benchmarks' table: who is measured when, what a row says, and what is replaced in a file. No time is asserted."""

from __future__ import annotations

import gc
import importlib
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from benchmarks import __main__ as bench
from benchmarks import adaptation_long, losses
from benchmarks.browser import __main__ as bench_browser
from benchmarks.browser.pages import Change, percentile
from benchmarks.browser.sliders import reaction_times
from benchmarks.command import Command
from benchmarks.table import Row, as_markdown, header, markers, measure, print_table, write_markdown
from taskembed_edu.formulas.losses import pairwise_contrastive_loss

START, END = markers("bench")
ROOT = Path(__file__).parent.parent
COMMANDS = [bench.main, bench_browser.main]
FASTER = Row("step", 2.0, "ms", "another", 9.0, "at least 4x", True)
SLOWER = Row("a | b", 3.0, "ms", "another", 1.5, "at least 2x", False)
ALONE = Row("size", 1234.5, "bytes")
ROWS = [FASTER, SLOWER, ALONE]


def test_candidates_take_turns_and_every_second_round_goes_backwards() -> None:
    calls: list[str] = []
    seconds = measure({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, warm_up=2)
    assert "".join(calls) == "aabb" + "ab" + "ba" + "ab"
    assert set(seconds) == {"a", "b"}
    assert all(value >= 0 for value in seconds.values())


def test_the_garbage_collector_is_back_even_after_an_error() -> None:
    calls: list[int] = []

    def works_twice() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("third")

    with pytest.raises(RuntimeError, match="third"):
        measure({"a": works_twice}, repeats=2, warm_up=2)
    assert gc.isenabled()


def test_the_ratio_is_how_many_times_better() -> None:
    assert FASTER.ratio == 4.5
    assert SLOWER.ratio == 0.5
    assert ALONE.ratio is None
    assert Row("recall", 0.9, "", "another", 0.6, larger_is_better=True).ratio == pytest.approx(1.5)
    assert Row("nothing", 0.0, "ms", "another", 1.0).ratio is None


def test_a_row_reads_as_words() -> None:
    assert FASTER.cells() == ("step", "2 ms", "9 ms (another)", "4.5x", "at least 4x", "yes")
    assert SLOWER.cells()[-1] == "NO"
    assert ALONE.cells() == ("size", "1,234 bytes", "", "", "", "")


def test_the_markdown_table_has_a_row_each_and_escapes_bars() -> None:
    lines = as_markdown(ROWS, {"command": "python -m benchmarks", "date": "2026-01-01"}).splitlines()
    assert lines[:2] == ["- command: `python -m benchmarks`", "- date: 2026-01-01"]
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(ROWS)
    assert r"a \| b" in table[3]
    assert {line.replace(r"\|", "").count("|") for line in table} == {7}


def test_only_the_marked_section_of_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    path.write_text(f"before\n{START}\nold figures\n{END}\nafter\n", encoding="utf-8")
    write_markdown(path, ROWS, {"date": "today"})
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{START}\n- date: today\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old figures" not in text
    write_markdown(path, ROWS, {"date": "today"})
    assert path.read_text(encoding="utf-8") == text


def test_each_command_renews_its_own_section(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    both = [line for command in COMMANDS for line in (*markers(command.section), "between")]
    path.write_text("\n".join(both) + "\n", encoding="utf-8")
    write_markdown(path, [FASTER], {}, "bench-browser")
    write_markdown(path, [ALONE], {}, "bench")
    text = path.read_text(encoding="utf-8")
    first, second = (
        text.partition(start)[2].partition(end)[0] for start, end in map(markers, ("bench", "bench-browser"))
    )
    assert "| size |" in first
    assert "| step |" not in first
    assert "| step |" in second
    assert text.count("between") == 2


def test_the_results_have_a_section_for_each_command() -> None:
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        start, end = markers(command.section)
        assert text.count(start) == text.count(end) == 1
        assert text.index(start) < text.index(end)


def test_a_file_that_is_not_there_is_made_and_one_without_markers_is_left_alone(tmp_path: Path) -> None:
    new = tmp_path / "docs" / "results.md"
    write_markdown(new, ROWS, {})
    assert "| step |" in new.read_text(encoding="utf-8")
    other = tmp_path / "other.md"
    other.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.md: got no section between"):
        write_markdown(other, ROWS, {})
    assert other.read_text(encoding="utf-8") == "nothing here\n"


def test_the_header_says_where_and_with_what() -> None:
    where = header("python -m benchmarks losses")
    assert where["command"] == "python -m benchmarks losses"
    assert " cores, " in where["machine"]
    assert f"torch {torch.__version__.split('+')[0]}" in where["versions"]


def test_the_printed_table_holds_every_row() -> None:
    written = io.StringIO()
    print_table(ROWS, {"date": "today"}, Console(file=written))
    text = written.getvalue()
    assert all(word in text for word in ("today", "4.5x", "at least 4x", "1,234 bytes"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.section)
def test_an_unknown_name_is_refused(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command(["loses"])
    assert f"got 'loses', expected one of {', '.join((*command.modules, *command.long))}" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.section)
def test_every_module_that_is_named_measures(command: Command) -> None:
    for name in (*command.modules, *command.long):
        assert callable(importlib.import_module(f"{command.package}.{name.replace('-', '_')}").rows)


def test_what_takes_long_is_measured_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command("benchmarks", "", ("losses",), "bench", ("adaptation-long",))
    monkeypatch.setattr(losses, "rows", lambda: iter([FASTER]))
    monkeypatch.setattr(adaptation_long, "rows", lambda: iter([ALONE]))
    asked: list[list[Row]] = []
    monkeypatch.setattr("benchmarks.command.print_table", lambda rows, _where: asked.append(rows))
    command([])
    command(["adaptation-long"])
    assert asked == [[FASTER], [ALONE]]


def test_a_command_prints_and_writes_what_its_modules_measure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(losses, "rows", lambda: iter(ROWS))
    path = tmp_path / "results.md"
    path.write_text("\n".join(markers("bench-browser")) + "\n", encoding="utf-8")
    command = Command("benchmarks", "", ("losses", "frames"), "bench-browser")
    assert command(["losses", "--markdown", str(path)]) == 0
    assert "1 of 2 asked figures reached" in capsys.readouterr().out
    assert "| step |" in path.read_text(encoding="utf-8")


def test_a_percentile_is_a_value_that_was_measured() -> None:
    hundred = [float(value) for value in range(100, 0, -1)]
    assert percentile(hundred, 0.95) == 95
    assert percentile(hundred, 0.99) == 99
    assert percentile(hundred, 1.0) == 100
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_a_move_of_the_slider_is_told_from_the_step_that_first_used_it() -> None:
    # Steps begin at 0, 1, ... seconds; the margin is 1.1 from step 3 on and 1.2 from step 6 on, and 1.15 was overtaken.
    margins = [1.0, 1.0, 1.0, 1.1, 1.1, 1.1, 1.2, 1.2]
    steps = [(float(k), k + 0.5, k + 1, margin) for k, margin in enumerate(margins)]
    drawn = [Change(3.2, 2, 1), Change(4.25, 4, 2), Change(8.0, 8, 3)]
    used, shown = reaction_times([(1.5, 1.1), (4.5, 1.15), (5.5, 1.2)], steps, drawn)
    assert used == [1.5, 1.5, 0.5]
    assert shown == [2.75, 3.5, 2.5]
    with pytest.raises(RuntimeError, match=r"margin 1\.3: training never used it"):
        reaction_times([(1.5, 1.3)], steps, drawn)


def test_unequal_losses_are_never_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(*_: object, **__: object) -> dict[str, float]:
        raise AssertionError("timed")

    monkeypatch.setattr(losses, "measure", timed)
    batch, labels = torch.randn(8, 2, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2
    with pytest.raises(AssertionError, match="Scalars are not close"):
        losses._step("", pairwise_contrastive_loss, lambda x, y: x.square().sum(), batch, labels)
    with pytest.raises(AssertionError, match="timed"):
        losses._step("", pairwise_contrastive_loss, pairwise_contrastive_loss, batch, labels)
