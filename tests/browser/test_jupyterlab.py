"""The harness itself: it shows what a learner would see, and it fails where a learner would meet a problem."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.notebook_page import CellError, NotebookPage, write_notebook
from tests.browser.server import CAN_FORK

COUNTER = """
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = '''
    export default {
      render({ model, el }) {
        const button = document.createElement("button");
        const show = () => { button.textContent = `count ${model.get("value")}`; };
        button.onclick = () => { model.set("value", model.get("value") + 1); model.save_changes(); };
        model.on("change:value", show);
        show();
        el.append(button);
      },
    };
    '''
    value = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
"""


def test_a_widget_is_shown_reaches_the_kernel_and_outlives_a_reload(open_notebook):
    page = open_notebook([*["print(6 * 7)\n" * 30] * 2, COUNTER])  # the widget is far below the window
    page.reveal(page.get_by_role("button", name="count 0")).click()
    expect(page.get_by_role("button", name="count 1")).to_be_visible()
    assert page.run("counter.value") == "1\n"
    assert page.saved()["cells"][1]["outputs"][0]["text"] == "42\n" * 30
    expect(page.cell(1)).to_contain_text("42")
    assert page.viewport_size == {"width": 1280, "height": 720}

    page.reload()
    page.cell(2)
    expect(page.get_by_role("button", name="count 1")).to_be_visible()
    page.run("counter.value = 5")
    expect(page.get_by_role("button", name="count 5")).to_be_visible()


def test_cells_and_the_kernel_obey(open_notebook):
    page = open_notebook(["x = 1"], run=False)
    with pytest.raises(CellError, match="NameError: name 'x' is not defined"):
        page.run("x")
    page.run_all()
    assert page.run("x") == "1\n"
    page.set_source(0, "x = 2")
    page.run_cell(0)
    assert page.run("x") == "2\n"

    with pytest.raises(CellError, match=r"cell 1:[\s\S]*ZeroDivisionError"):
        page.add_cell("1 / 0")
    page.set_source(1, "import threading\nthreading.Event().wait()")
    page.start_cell(1)
    assert page.kernel_busy()
    page.interrupt_kernel()
    page.wait_idle()
    assert page.saved()["cells"][1]["outputs"][-1]["ename"] == "KeyboardInterrupt"

    page.restart_kernel()
    assert page.run("'x' in globals()") == "False\n"


def test_the_page_is_the_course_s_and_can_be_dark(open_notebook, tmp_path):
    write_notebook(tmp_path / "lesson.ipynb", ["print(6 * 7)"])
    page = open_notebook(tmp_path / "lesson.ipynb", "copy.ipynb", viewport=(1000, 600))
    assert page.viewport_size == {"width": 1000, "height": 600}
    assert page.saved()["cells"][0]["outputs"][0]["text"] == "42\n"
    fetch = "name => jupyterapp.serviceManager.settings.fetch('@jupyterlab/apputils-extension:' + name)"
    kernels = page.evaluate(fetch, "kernels-settings")["schema"]["properties"]
    news = page.evaluate(fetch, "notification")["schema"]["properties"]
    assert kernels["commsOverSubshells"]["default"] == "disabled"
    assert news["fetchNews"]["default"] == "false"
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    page.change_theme("JupyterLab Dark")
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color1')").strip() != "white"


LEFT_TO_THE_NOTEBOOK = {"ipywidgets", "anywidget", "matplotlib", "plotly", "umap"}


def test_the_next_notebook_in_a_page_meets_nothing_of_the_one_before(open_notebook, jupyter):
    first = open_notebook(["x = 1"])
    first.change_theme("JupyterLab Dark")
    first.emulate_media(reduced_motion="reduce")
    process = first.run("import os; print(os.getpid())")
    assert first.leave()
    assert jupyter.api("sessions") == [], "its kernel has ended"

    write_notebook(jupyter.notebooks / "next.ipynb", ["y = 2"])
    second = NotebookPage.in_place_of(first, "next.ipynb")
    second.open()
    assert second.run("import os; print(os.getpid())") != process
    assert second.run("'x' in globals()") == "False\n"
    # What finds out, when it is imported, whether it is in a notebook must be imported by the notebook.
    assert second.run(f"import sys; sys.modules.keys() & {LEFT_TO_THE_NOTEBOOK!r}") == "set()\n"
    assert second.run("'torch' in sys.modules") == f"{CAN_FORK}\n"
    assert second.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches") is False
    for _ in ("as it was opened", "and loaded again"):
        expect(second.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
        expect(second.page.locator(".jp-NotebookPanel")).to_have_count(1)
        assert [cell["source"] for cell in second.saved()["cells"]] == ["y = 2"]
        second.reload()
    with second.expect_console_message():
        second.evaluate("console.error('could not be drawn')")
    assert (len(first.problems), len(second.problems)) == (0, 1)
    second.close()


def test_what_must_not_happen_in_a_page_is_noticed(open_notebook):
    page = open_notebook([])
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('a bug in a widget'); })")
    with page.expect_console_message():
        page.evaluate("console.error('could not be drawn')")
    page.evaluate("fetch('https://example.org/widget.js').catch(() => 'no such host')")
    thrown, logged, asked = page.problems[:3]
    assert "a bug in a widget" in thrown
    assert "could not be drawn" in logged
    assert asked == "request that leaves this machine: https://example.org/widget.js"
    page.problems.clear()


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the page logs an error, and nothing else fails")
def test_a_problem_of_the_page_fails_its_test(open_notebook):
    page = open_notebook([])
    with page.expect_console_message():
        page.evaluate("console.error('could not be drawn')")
