"""The lab's page, alone: what opens on it, keys, projector, motion, axe-core, and the line to the kernel."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import page_alone
from tests.browser.page_alone import OpenLab

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab


# ---- what opens ----------------------------------------------------------------------------------------------------


def test_code_is_shown_in_a_dialog_that_keeps_the_focus(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.button("Code").click()
    line = 'from taskembed_edu import MetricLab\nMetricLab(family="gaussians", margin=1.4)'
    lab.kernel("answer", {"tell": "code", "text": "session = Session()\nsession.step(120)", "line": line})
    dialog = lab.root.get_by_role("dialog", name="What this lab does, in Python")
    expect(dialog.locator("code")).to_have_text([line, "session = Session()\nsession.step(120)"])
    for _ in range(8):
        lab.keyboard.press("Tab")
        outside = "!document.activeElement.closest('dialog') && document.activeElement !== document.body"
        assert not lab.evaluate(outside), "the focus went behind the dialog"
    lab.keyboard.press("s")
    assert not lab.sent("step"), "a key in the dialog is not the lab's"
    for name in ("Copy the line", "Copy the run"):
        dialog.get_by_role("button", name=name).click()
        expect(dialog.locator("section", has_text=name).get_by_role("status")).to_have_text(
            re.compile("Copied|Selected")
        )
    lab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(lab.button("Code")).to_be_focused()


def test_of_two_runs_the_dialog_says_whose_code_it_is(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.kernel("answer", {"tell": "code", "text": "session = Session()", "run": "Run B"})
    expect(lab.root.get_by_role("dialog", name="Run B in Python")).to_be_visible()
    lab.kernel("answer", {"tell": "code", "text": "session = Session()", "run": ""})
    expect(lab.root.get_by_role("dialog", name="What this lab does, in Python")).to_be_visible()


def test_each_copy_copies_its_own_lines(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.kernel("answer", {"tell": "code", "text": "session = Session()", "line": "MetricLab(margin=1.4)"})
    dialog = lab.root.get_by_role("dialog", name="What this lab does, in Python")
    for name, copied in (("Copy the line", "MetricLab(margin=1.4)"), ("Copy the run", "session = Session()")):
        section = dialog.locator("section", has_text=name)
        section.get_by_role("button").click()
        expect(section.get_by_role("status")).to_have_text("Copied.")
        assert lab.evaluate("navigator.clipboard.readText()") == copied


def test_a_panel_that_no_lab_opened_has_no_line(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.kernel("answer", {"tell": "code", "text": "session = Session()"})
    expect(lab.button("Copy the run")).to_be_visible()
    expect(lab.button("Copy the line")).to_be_hidden()


@pytest.mark.parametrize("presses", range(7))
def test_export_is_a_menu_with_keys(open_lab: OpenLab, presses: int) -> None:
    lab = open_lab()
    lab.button("Export").press("Enter")
    menu = lab.root.get_by_role("menu", name="Export")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    for _ in range(presses):
        lab.keyboard.press("ArrowDown")
    lab.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    assert lab.sent("export") == [
        {"do": "export", "what": ["png", "svg", "gif", "csv", "parquet", "json", "html"][presses]}
    ]
    lab.kernel("answer", {"tell": "saved", "path": "run.png", "text": "Saved as run.png."})
    expect(lab.root.locator(".te-status")).to_have_text("Saved as run.png.")
    lab.kernel("put", "transport", {"tone": "alarm", "status": "The loss is not a number."})
    expect(lab.root.locator(".te-alert")).to_have_text("The loss is not a number.")
    expect(lab.root.locator(".te-status")).to_have_text("Saved as run.png.")  # an answer is said beside an alarm


def test_what_changed_compares_with_another_distance(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.button("What changed?").click()
    items = lab.root.get_by_role("menuitem")
    expect(items).to_have_count(2)  # the distance in use is none of them
    items.filter(has_text="Cosine").click()
    assert lab.sent("compare") == [{"do": "compare", "metric": "cosine"}]
    lab.evaluate(
        """() => { const picture = model.get("picture");
        const changes = { metric: "cosine", share: 0.34, counts: new Uint8Array(30), lost: [], gained: [] };
        model.put("transport", { compare: "cosine" });
        const runs = picture.runs.map((run) => ({ ...run, changes }));
        model.set("picture", { ...picture, number: picture.number + 1, runs }); }"""
    )
    expect(lab.root.locator(".te-changes")).to_contain_text("Under Cosine, with the same weights, 34 %")
    lab.button("Done").click()
    assert lab.sent("compare")[-1] == {"do": "compare", "metric": ""}


def test_what_may_i_read_explains_the_picture(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.root.locator("[data-reading=trustworthiness]")).to_have_text(re.compile(r"^[01]\.\d\d$"))
    lab.button("What may I read from this picture?").click()
    dialog = lab.root.get_by_role("dialog", name="What may I read from this picture?")
    expect(dialog).to_contain_text("UMAP keeps neighbours together")
    expect(dialog).to_contain_text("Trustworthiness")


# ---- keys, motion, projector, themes -------------------------------------------------------------------------------


def test_single_keys_count_in_the_lab_and_not_in_a_field(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.root.get_by_role("slider", name="Time").focus()
    lab.keyboard.press("s")
    assert len(lab.sent("step")) == 1
    lab.keyboard.press("p")
    expect(lab.root).to_have_class(re.compile("te-projector"))
    expect(lab.button("Leave projector mode")).to_have_attribute("aria-pressed", "true")
    lab.keyboard.press("p")
    expect(lab.root).not_to_have_class(re.compile("te-projector"))
    lab.keyboard.press("p")
    lab.keyboard.press("Escape")
    expect(lab.root).not_to_have_class(re.compile("te-projector"))
    lab.root.get_by_label("Loss", exact=True).focus()
    lab.keyboard.press("s")
    assert len(lab.sent("step")) == 1, "a letter in a menu chooses there"
    lab.button("Step").focus()
    lab.keyboard.press(" ")
    assert (len(lab.sent("step")), len(lab.sent("play"))) == (2, 0), "space presses the button that has the focus"
    lab.keyboard.press("?")
    expect(lab.root.get_by_role("dialog", name="Help")).to_be_visible()


def test_every_control_is_reached_by_tab_and_shields_its_keys(open_lab: OpenLab) -> None:
    lab = open_lab()
    seen: set[str] = set()
    for _ in range(60):
        lab.keyboard.press("Tab")
        told = lab.evaluate(
            """() => { const at = document.activeElement;
            const name = at.name || at.getAttribute("aria-label") || at.textContent.trim().slice(0, 20);
            return at === document.body ? null : [name, at.dataset.lmSuppressShortcuts]; }"""
        )
        if told:
            seen.add(told[0])
            assert told[1] == "true", f"JupyterLab takes the keys of {told[0]}"
    for name in ("Play", "Code", "Projector", "loss", "metric", "margin", "learning_rate", "projection", "colour"):
        assert any(each.startswith(name) for each in seen), f"{name} is not reached by Tab: {seen}"


def test_projector_is_large_and_fits_the_wall(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.button("Projector").click()
    assert float(lab.evaluate("parseFloat(getComputedStyle(lab.root).fontSize)")) >= 20
    assert lab.evaluate("[document.documentElement.scrollWidth <= 1280, lab.root.offsetHeight <= 720]") == [True, True]
    shown = {
        e.get_attribute("name")
        for e in lab.root.locator(".te-controls select, .te-controls input").all()
        if e.is_visible() and e.get_attribute("name")
    }
    assert shown == {"loss", "metric", "margin", "colour"}


def test_reduced_motion_is_told_to_the_map(open_lab: OpenLab) -> None:
    lab = open_lab(reduced_motion="reduce")
    assert lab.evaluate("lab.get('still')") is True
    lab.emulate_media(reduced_motion="no-preference")
    lab.wait_for_function("lab.get('still') === false")


@pytest.mark.parametrize("state", ["light", "dark", "projector", "two runs", "dialog", "dead", "recorded", "failed"])
def test_axe_finds_nothing_serious(open_lab: OpenLab, state: str) -> None:
    lab = open_lab(2 if state == "two runs" else 1, dark=state == "dark", live=state != "recorded")
    if state == "projector":
        lab.button("Projector").click()
    if state == "dialog":
        lab.button("What may I read from this picture?").click()
    if state == "dead":
        lab.evaluate("lab.set('connection', 'dead')")
    if state == "failed":
        lab.kernel(
            "put",
            "transport",
            {"tone": "alarm", "status": "The loss is not finite.", "rewind": True, "wishes": ["Tasks"]},
        )
        lab.kernel("control", "family", {"wished": True})
    found = Axe().run(lab.page).response["violations"]
    serious = [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert not serious, serious


# ---- the line to the kernel ----------------------------------------------------------------------------------------


def test_a_lost_line_is_said_and_everything_asked_for_when_it_is_back(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("globalThis.watch = new ConnectionWatch({ get: () => '' }, (state) => lab.set('connection', state))")
    lab.evaluate("watch.line('connecting')")
    expect(lab.root).to_have_attribute("data-connection", "lost")
    expect(lab.root.get_by_role("alert")).to_contain_text("connection to the kernel is lost")
    lab.evaluate("watch.line('connected')")
    expect(lab.root).to_have_attribute("data-connection", "ok")
    expect(lab.root.get_by_role("alert")).to_be_empty()
    assert len(lab.sent("all")) == 1


def test_a_restarted_kernel_is_said_for_good(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { const slots = []; globalThis.restart = () => slots.forEach((slot) => slot(null, "restarting"));
        const kernel = { statusChanged: { connect: (slot) => slots.push(slot), disconnect() {} } };
        const given = { get: () => "", widget_manager: { kernel } };
        globalThis.watch = new ConnectionWatch(given, (state) => lab.set("connection", state)); restart(); }"""
    )
    expect(lab.root).to_have_attribute("data-connection", "dead")
    expect(lab.root.get_by_role("alert")).to_have_text(
        "The kernel was restarted: this picture no longer follows it. Run the cell again."
    )
    lab.button("Projector").click()  # looking goes on, asking does not
    assert lab.evaluate("lab.root.querySelector('.te-play').closest('[inert]') !== null")
    lab.evaluate("watch.line('connected')")  # the new kernel is another one
    expect(lab.root).to_have_attribute("data-connection", "dead")


def test_a_comm_that_dies_is_a_dead_kernel(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """async () => { const heard = {};
        const own = { comm_live: true, on: (name, call) => (heard[name] = call), off() {} };
        const given = { get: () => "abc", widget_manager: { get_model: async (id) => (id === "abc" ? own : null) } };
        globalThis.watch = new ConnectionWatch(given, (state) => lab.set("connection", state));
        await new Promise((done) => setTimeout(done)); own.comm_live = false; heard.comm_live_update(); }"""
    )
    expect(lab.root).to_have_attribute("data-connection", "dead")


def test_a_page_that_closes_leaves_nothing_behind(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("lab.remove()")
    expect(lab.root).to_have_count(0)
    assert lab.evaluate("[...model.listeners.values()].flat().length") == 0
    lab.kernel("look", 20)  # nobody listens, nothing throws


def test_a_choice_after_the_kernel_ended_stays_on_the_page(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("void (model.save_changes = () => { model.saved += 1; throw new Error('the line is closed'); })")
    lab.evaluate("lab.set('chosen', 3)")
    expect(lab.root).to_have_attribute("data-connection", "dead")
    lab.evaluate("lab.set('chosen', 4)")
    assert lab.evaluate("[lab.get('chosen'), model.saved]") == [4, 1], "nobody is left to be told"
