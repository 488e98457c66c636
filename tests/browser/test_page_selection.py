"""The answer to a lasso on the page: its numbers and its three buttons, by pointer and keys, without a kernel too."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from taskembed_edu.session.session import Session
from tests.browser import page_alone
from tests.browser.page_alone import AlonePage, OpenLab, recorded_document_of

documents, open_lab = page_alone.documents, page_alone.open_lab

MEASURE = Path(__file__).with_name("text_boxes.js")
ANSWER = """told => { const p = model.get("picture");
  const runs = p.runs.map((run, k) => ({ ...run, selection: told[k] }));
  model.set("picture", { ...p, number: p.number + 1, runs }); }"""
TOLD = {"n": 3, "apart": 0.25, "apart_all": 1.5, "truth": 2.0, "truth_all": 4.0}


def panel(lab: AlonePage) -> Locator:
    return lab.root.locator(".te-selection")


def cells(lab: AlonePage) -> dict[str, list[str]]:
    """The table: a row's name, and what it says of the selected tasks and of all."""
    told = (
        panel(lab).locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.textContent))")
    )
    return {name: numbers for name, *numbers in told}


def lasso(lab: AlonePage, tasks: list[int]) -> None:
    """Shift and a drag round these tasks' places, one after the other in small boxes."""
    for k, task in enumerate(tasks):
        box = lab.root.locator(".te-map-canvas").first.bounding_box()
        assert box is not None
        x, y = lab.evaluate("task => lab.maps[0].screenPositions().slice(2 * task, 2 * task + 2)", task)
        x, y = box["x"] + x, box["y"] + y
        if k:
            lab.keyboard.down("Control")
        lab.keyboard.down("Shift")
        lab.mouse.move(x - 3, y - 3)
        lab.mouse.down()
        for dx, dy in ((3, -3), (3, 3), (-3, 3), (-3, -3)):
            lab.mouse.move(x + dx, y + dy, steps=2)
        lab.mouse.up()
        lab.keyboard.up("Shift")
        lab.keyboard.up("Control")


def test_a_lasso_says_what_its_tasks_have_in_common(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    expect(panel(lab)).to_be_hidden()
    lasso(lab, [3])
    expect(panel(lab)).to_be_visible()
    selected = lab.evaluate("lab.get('selected')")
    assert 3 in selected
    expect(panel(lab).locator("strong")).to_have_text(
        f"{len(selected)} task{'' if len(selected) == 1 else 's'} selected"
    )
    lab.evaluate("lab.set('selected', [3, 5, 8])")
    rows = cells(lab)
    truth = lab.evaluate(
        """() => { const numbers = c => Array.from(new Float32Array(c.values.slice().buffer));
        return model.get("tasks").colours.filter(c => c.values).map(c => [c.name, numbers(c)]); }"""
    )
    assert truth, "the tasks have quantities"
    for name, values in truth:
        mean = {f"{name}, mean": ([3, 5, 8], range(30))}
        for label, sets in mean.items():
            for told, tasks in zip(rows[label], sets, strict=True):
                expected = sum(values[i] for i in tasks) / len(tasks)
                assert float(told.replace("−", "-")) == pytest.approx(expected, abs=0.006), label
    assert not any("distance" in name for name in rows), "no answer of the kernel yet"
    expect(panel(lab)).to_contain_text("on the way")
    lab.evaluate(ANSWER, [TOLD])
    assert cells(lab)["distance in the embedding, mean"] == ["0.25", "1.50"]
    assert cells(lab)["true distance, mean"] == ["2.00", "4.00"]
    expect(panel(lab).locator(".te-note")).to_be_hidden()
    lab.evaluate("lab.set('selected', [3, 5])")
    assert "true distance, mean" not in cells(lab), "the answer was to three tasks"
    lab.mouse.move(2, 2)  # the card of a hovered task may lie on points
    lab.add_script_tag(path=MEASURE)
    assert lab.evaluate("textBoxes.problems(lab.root)") == []


def test_a_line_round_nothing_and_one_task_are_answered_too(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.evaluate("lab.maps[0].lasso.begin(1, 1, false)")
    lab.evaluate("[[2, 1], [2, 2], [1, 2]].forEach(([x, y]) => lab.maps[0].lasso.extend(x, y))")
    lab.evaluate("lab.maps[0].lasso.finish()")
    expect(lab.root.locator(".te-status-words")).to_have_text("No task lies inside the line: nothing is selected.")
    expect(panel(lab)).to_be_hidden()
    lab.evaluate("lab.set('selected', [4])")
    expect(panel(lab)).to_contain_text("1 task selected")
    expect(panel(lab)).to_contain_text("One task has no pair")
    lab.evaluate("lab.set('selected', [...Array(30).keys()])")
    expect(panel(lab)).to_contain_text("30 tasks selected")
    for some, every in cells(lab).values():
        assert some == every


def test_zoom_to_them_shows_them_large_and_fit_goes_back(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    task = lab.root.locator(".te-map")
    near: list[int] = lab.evaluate(
        """() => { const at = lab.maps[0].glide.to; const far = i => Math.hypot(at[2*i] - at[0], at[2*i+1] - at[1]);
        return [...Array(30).keys()].sort((a, b) => far(a) - far(b)).slice(0, 4); }"""
    )
    lab.evaluate("tasks => lab.set('selected', tasks)", near)
    panel(lab).get_by_role("button", name="Zoom to them").click()
    lab.wait_for_function("Number(lab.maps[0].root.dataset.zoom) > 1.2")
    lab.wait_for_function("!lab.maps[0].request")
    where = np.array(lab.evaluate("Array.from(lab.maps[0].screenPositions())")).reshape(-1, 2)[near]
    size = lab.evaluate("[lab.maps[0].canvas.clientWidth, lab.maps[0].canvas.clientHeight]")
    assert (where > 0).all()
    assert (where < size).all()
    task.get_by_role("application").press("0")
    expect(task).to_have_attribute("data-zoom", "1.00")


def test_let_go_and_escape_end_the_selection_and_the_keyboard_reaches_the_panel(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    canvas = lab.root.get_by_role("application")
    canvas.focus()
    for key in ("Home", " ", "PageDown", " "):
        lab.keyboard.press(key)
    assert lab.evaluate("lab.get('selected')") == [0, 1]
    group = lab.root.get_by_role("group", name="2 tasks selected")
    for _ in range(14):
        lab.keyboard.press("Tab")
        if group.evaluate("group => group.contains(document.activeElement)"):
            break
    expect(group.get_by_role("button", name="Zoom to them")).to_be_focused()
    lab.keyboard.press("Escape")
    expect(group).to_be_hidden()
    expect(canvas).to_be_focused()
    assert lab.evaluate("model.get('selected')") == []
    lab.evaluate("lab.set('selected', [1, 2])")
    panel(lab).get_by_role("button", name="Let go").click()
    assert lab.evaluate("lab.get('selected')") == []
    expect(panel(lab)).to_be_hidden()


def test_the_kernel_is_asked_for_the_table_and_its_answer_is_shown(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.evaluate("lab.set('selected', [1, 2])")
    panel(lab).get_by_role("button", name="Export").click()
    lab.wait_for("export")
    (sent,) = lab.sent("export")
    assert (sent["what"], sent["selected"]) == ("csv", True)
    lab.kernel("answer", {"tell": "saved", "text": "Saved as metric-step-60-selected.csv."})
    expect(lab.root.locator(".te-status-words")).to_have_text("Saved as metric-step-60-selected.csv.")


def test_two_runs_share_the_selection_and_each_says_its_distance(open_lab: OpenLab) -> None:
    lab = open_lab(2, width=1280)
    lab.evaluate("lab.set('selected', [1, 2, 3])")
    lab.evaluate(ANSWER, [TOLD, {**TOLD, "apart": 0.5}])
    rows = cells(lab)
    assert rows["distance in the embedding, mean, Run A"] == ["0.25", "1.50"]
    assert rows["distance in the embedding, mean, Run B"] == ["0.50", "1.50"]
    panel(lab).get_by_role("button", name="Zoom to them").click()
    lab.wait_for_function("lab.maps.every(map => Number(map.root.dataset.zoom) !== 1)")
    lab.wait_for_function("lab.maps.every(map => !map.moving(performance.now()))")
    lab.add_script_tag(path=MEASURE)
    # The view is now that of the selected tasks, and another one may lie below a button: only they are looked at.
    lab.evaluate("lab.maps.forEach(map => { map.shown = i => [1, 2, 3].includes(i); })")
    assert lab.evaluate("textBoxes.problems(lab.root)") == []


def test_other_tasks_have_no_old_selection(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.evaluate("lab.set('selected', [1, 29])")
    lab.evaluate(
        """() => { const tasks = model.get("tasks");
        model.set("tasks", { ...tasks, n: 10, names: tasks.names.slice(0, 10) }); }"""
    )
    expect(panel(lab)).to_contain_text("1 task selected")
    lab.evaluate("model.set('selected', [])")
    expect(panel(lab)).to_be_hidden()


@pytest.mark.parametrize("runs", [1, 2])
def test_without_a_kernel_the_browser_keeps_the_table(
    browser: Browser, documents: dict[int, str], tmp_path: Path, runs: int
) -> None:
    lab = AlonePage(browser.new_context(viewport={"width": 1280, "height": 720}, offline=True).new_page())
    lab.load(documents[runs], tmp_path / "lab.html", live=False, dark=False)
    lab.evaluate("lab.set('selected', [3, 7])")
    expect(panel(lab)).to_contain_text("Their distances are in the live lab")
    with lab.page.expect_download() as waited:
        panel(lab).get_by_role("button", name="Export").click()
    shown = lab.evaluate("lab.get('step')")
    assert waited.value.suggested_filename == f"tasks-step-{shown}-selected.csv"
    table = list(csv.DictReader(io.StringIO(Path(waited.value.path()).read_text(encoding="utf-8"))))
    assert [row["task"] for row in table] == ["3", "7"]
    assert {row["step"] for row in table} == {str(shown)}
    for run in range(runs):
        places = lab.evaluate("run => Array.from(lab.maps[run].glide.to)", run)
        name = "map" if runs == 1 else f"map {'AB'[run]}"
        assert float(table[1][f"{name}_x"]) == pytest.approx(places[14])
    names = lab.evaluate("model.get('tasks').names")
    assert [row["name"] for row in table] == [names[3], names[7]]
    expect(lab.root.locator(".te-status-words")).to_contain_text("the browser's folder for downloads")
    assert lab.problems == []
    lab.page.context.close()


def test_languages_are_counted_by_family_and_branch(browser: Browser, tmp_path: Path) -> None:
    session = Session("parameters", family="number_words", n_tasks=42, hidden=4, batch=8, projection="pca")
    session.step(10)
    document = recorded_document_of([session], tmp_path / "words.html")
    lab = AlonePage(browser.new_context(viewport={"width": 860, "height": 720}).new_page())
    lab.load(document, tmp_path / "lab.html", live=True, dark=True)
    lab.evaluate("lab.set('selected', [0, 1, 2, 3, 4, 20])")
    lab.evaluate(ANSWER, [{**TOLD, "n": 6}])
    rows = cells(lab)
    column = session.tasks.truth_names.index("branch")
    names = session.split.validation.category_names("branch")
    branches = [names[int(session.tasks.truth[i, column])] for i in (0, 1, 2, 3, 4, 20)]
    most = max(branches.count(name) for name in branches)
    first = rows["branch, commonest"][0].split(", ")[0]
    assert first.endswith(f" {most}")
    assert branches.count(first.removesuffix(f" {most}")) == most
    lab.add_script_tag(path=MEASURE)
    assert lab.evaluate("textBoxes.problems(lab.root)") == []
    assert lab.problems == []
    lab.page.context.close()


def test_the_table_names_its_rows_and_columns(open_lab: OpenLab) -> None:
    lab: Any = open_lab(width=1280)
    lab.evaluate("lab.set('selected', [1, 2])")
    headers = panel(lab).locator("thead th").evaluate_all("all => all.map(one => [one.scope, one.textContent])")
    assert headers == [["col", "these 2"], ["col", "all 30"]]
    assert panel(lab).locator("tbody th[scope=row]").count() == panel(lab).locator("tbody tr").count()
