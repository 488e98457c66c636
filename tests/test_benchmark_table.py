"""The benchmarks' table: who is measured when, what a row says, and what is replaced in a file. No time is asserted."""

from __future__ import annotations

import gc
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from benchmarks import losses
from benchmarks.__main__ import MODULES, main
from benchmarks.table import END, START, Row, as_markdown, header, measure, print_table, write_markdown
from taskembed_edu.losses import pairwise_contrastive_loss

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


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["loses"])
    assert f"got 'loses', expected one of {', '.join(MODULES)}" in capsys.readouterr().err


def test_unequal_losses_are_never_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(*_: object, **__: object) -> dict[str, float]:
        raise AssertionError("timed")

    monkeypatch.setattr(losses, "measure", timed)
    batch, labels = torch.randn(8, 2, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2
    with pytest.raises(AssertionError, match="Scalars are not close"):
        losses._step("", pairwise_contrastive_loss, lambda x, y: x.square().sum(), batch, labels)
    with pytest.raises(AssertionError, match="timed"):
        losses._step("", pairwise_contrastive_loss, pairwise_contrastive_loss, batch, labels)
